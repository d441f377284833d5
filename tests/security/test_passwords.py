"""Stored passwords: comparison, cost, hashing threads and their queue."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import flask_bcrypt
import pytest
from sqlalchemy import select, update

from quire.actor import SYSTEM
from quire.errors import Unavailable
from quire.records import USERS
from quire.security.passwords import (
    MAX_WAITING,
    HashingPool,
    bcrypt,
    hash_password,
    is_weak,
    password_matches,
)
from quire.store import write
from quire.store.db import read_connection, transaction
from quire.web.threads import UNPINNED
from tests.users import PASSWORD, signed_in


@pytest.fixture
def costs(monkeypatch):
    """The costs of all hashes that are computed."""
    found, plain = [], flask_bcrypt.bcrypt.hashpw

    def hashpw(password, salt):
        found.append(int(salt[4:6]))
        return plain(password, salt)

    monkeypatch.setattr(flask_bcrypt.bcrypt, "hashpw", hashpw)
    return found


def work(costs):
    """Return the work done so far; each additional round of cost doubles it."""
    done = sum(2**cost for cost in costs)
    costs.clear()
    return done


def stored_for(id):
    with read_connection() as connection:
        return connection.execute(
            select(USERS.table.c.password).where(USERS.table.c.id == id)
        ).scalar_one()


def test_only_the_same_password_matches(app):
    with app.app_context():
        for password in ("correct horse 7", "é" * 500, "x" * 73, " x ", "a\0b"):
            stored = hash_password(password)
            assert password_matches(stored, password)
            for other in (password + "x", password[:-1], password.strip(), password.upper()):
                assert other == password or not password_matches(stored, other)
        assert hash_password("same") != hash_password("same")


def test_hashes_of_unnormalised_passwords_match(app):
    typed = "Pa\u0308sswo\u0308rter"
    with app.app_context():
        older = bcrypt.generate_password_hash(typed, 4).decode("ascii")
        assert password_matches(older, typed)
        assert not password_matches(older, "P\xe4ssw\xf6rter")


@pytest.mark.parametrize("stored", [None, "", "x", "$2b$04$short", "$2b$04$" + "!" * 53])
def test_invalid_hash_matches_no_password(app, stored):
    with app.app_context():
        assert not password_matches(stored, "")
        assert not password_matches(stored, "nobody's password")


def test_every_wrong_password_takes_the_same_work(make_app, costs):
    with make_app(BCRYPT_LOG_ROUNDS=4).app_context():
        old = hash_password("right")
    with make_app(BCRYPT_LOG_ROUNDS=7).app_context():
        new = hash_password("right")
        costs.clear()
        for stored in (None, "", "no hash", old, new):
            assert not password_matches(stored, "wrong")
            assert work(costs) == 2**7


def test_each_application_has_its_own_cost(make_app):
    first, second = make_app(BCRYPT_LOG_ROUNDS=5), make_app(BCRYPT_LOG_ROUNDS=6)
    with first.app_context():
        stored = hash_password("x")
        assert stored.startswith("$2b$05$")
        assert not is_weak(stored)
    with second.app_context():
        assert hash_password("x").startswith("$2b$06$")
        assert is_weak(stored)


def test_sign_in_upgrades_a_cheaper_hash(make_app, people):
    app, bob = make_app(BCRYPT_LOG_ROUNDS=5), people["bob"]
    with app.app_context():
        before = stored_for(bob.id)
    given = {"email": "bob@example.org", "password": "wrong"}
    app.test_client().post("auth/token", json=given)
    with app.app_context():
        assert stored_for(bob.id) == before
    me = signed_in(app, bob)
    version = me.get("users/me").json["version"]
    given["password"] = PASSWORD
    assert app.test_client().post("auth/token", json=given).status_code == 200
    with app.app_context():
        after = stored_for(bob.id)
        assert after.startswith("$2b$05$") and password_matches(after, PASSWORD)
    assert me.get("users/me").json["version"] == version  # and nobody was signed out
    app.test_client().post("auth/token", json=given)
    with app.app_context():
        assert stored_for(bob.id) == after


def test_password_is_hashed_before_the_transaction(app, people, monkeypatch):
    """Another writer can commit while a new account's password is being hashed."""
    plain = flask_bcrypt.bcrypt.hashpw

    def hashpw(password, salt):
        with app.app_context(), transaction() as connection:
            connection.execute(update(USERS.table).values(bio="meanwhile"))
        return plain(password, salt)

    monkeypatch.setattr(flask_bcrypt.bcrypt, "hashpw", hashpw)
    raw = {"username": "new", "email": "new@example.org", "password": PASSWORD}
    with app.app_context():
        made = write.create(USERS, SYSTEM, raw)
        write.update(USERS, SYSTEM, made.id, {"password": "another pass"})
    given = {"current_password": PASSWORD, "password": "another pass"}
    assert signed_in(app, people["bob"]).patch("users/me", json=given).status_code == 200


def test_account_without_a_password_accepts_no_current_password(app, people):
    with app.app_context(), transaction() as connection:
        mine = USERS.table.c.id == people["bob"].id
        connection.execute(update(USERS.table).where(mine).values(password=None))
    bob = signed_in(app, people["bob"])
    for current in ("", "x", PASSWORD):
        given = {"current_password": current, "password": "another pass"}
        assert bob.patch("users/me", json=given).status_code == 422


@pytest.mark.skipif(
    not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) < 2,
    reason="needs Linux and two processors",
)
def test_hashing_threads_are_not_pinned_to_a_cpu():
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        found = HashingPool(1).run(
            lambda: (threading.current_thread().name, os.sched_getaffinity(0))
        )
    finally:
        os.sched_setaffinity(0, allowed)
    assert found[0].startswith(UNPINNED)
    assert found[1] == allowed


def test_hashing_slots_and_their_queue_are_limited():
    hashes, go = HashingPool(2), threading.Event()
    at_work = threading.Semaphore(0)

    def wait():
        at_work.release()
        go.wait()
        return True

    with ThreadPoolExecutor(2 + MAX_WAITING) as pool:
        asked = [pool.submit(hashes.run, wait) for _ in range(2 + MAX_WAITING)]
        try:
            assert at_work.acquire(timeout=10) and at_work.acquire(timeout=10)
            assert not at_work.acquire(timeout=0.05)
            while hashes.slots.acquire(blocking=False):  # the last ones are on their way
                hashes.slots.release()
            with pytest.raises(Unavailable) as refused:
                hashes.run(wait)
            assert refused.value.headers["Retry-After"] == "5"
        finally:
            go.set()
        assert all(one.result() for one in asked)
    assert hashes.run(lambda: "free again") == "free again"

"""Overlapping decisions about several rows are serialised, and reading never waits."""

from concurrent.futures import ThreadPoolExecutor, wait
from threading import Event

import pytest
from sqlalchemy import func, select, update

from quire.actor import SYSTEM, Actor
from quire.auth import passkeys, recovery_codes
from quire.errors import Conflict
from quire.records import API_KEYS, POSTS, USERS
from quire.records.accounts.second_factors import Passkey, RecoveryCode
from quire.records.api_keys import MAX_KEYS_PER_ACCOUNT
from quire.store import write
from quire.store.db import db, read_connection, transaction
from tests.clocks import PAST
from tests.databases import on_postgresql
from tests.users import PASSWORD, signed_in

UNTIL_IT_WAITS = 0.3
"""Seconds for the second change to get as far as it can during the first."""


def overlapping(app, first, second):
    """Return the results, "done" or "refused", of two changes if the first commits after the second began."""
    begun, commit = Event(), Event()

    def hold_open():
        with app.app_context():
            try:
                with transaction():
                    first()
                    begun.set()
                    commit.wait(10)
            finally:
                begun.set()

    def beside():
        with app.app_context():
            second()

    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(hold_open)
        assert begun.wait(10)
        other = pool.submit(beside)
        wait([other], timeout=UNTIL_IT_WAITS)
        commit.set()
        return sorted(_outcome(future) for future in (one, other))


def _outcome(future):
    try:
        future.result(timeout=20)
    except Conflict:
        return "refused"
    return "done"


def count(app, column, *where):
    """Return the number of rows."""
    with app.app_context(), read_connection() as connection:
        return connection.execute(select(func.count(column)).where(*where)).scalar_one()


def demote(id):
    """Make an administrator an author."""
    write.update(USERS, SYSTEM, id, {"role": "author"})


def deactivate(id):
    """Deactivate an administrator."""
    write.update(USERS, SYSTEM, id, {"is_active": False})


def remove(id):
    """Delete an administrator."""
    write.delete(USERS, SYSTEM, id)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (demote, demote),
        (deactivate, remove),
        (remove, demote),
        (demote, deactivate),
        (remove, remove),
    ],
)
def test_concurrent_removals_leave_one_administrator(app, people, make, first, second):
    raw = {"email": "ada@example.org", "password": PASSWORD, "role": "admin"}
    ada, root = make(USERS, username="ada", **raw), people["root"].id
    assert overlapping(app, lambda: first(ada), lambda: second(root)) == ["done", "refused"]
    users = USERS.model
    assert count(app, users.id, users.role == "admin", users.is_active) == 1


def test_api_key_limit_holds_under_concurrency(app, people):
    ann = people["ann"].id

    def one_more():
        write.create(API_KEYS, SYSTEM, {"owner": ann, "name": "k", "scopes": ["posts:read"]})

    with app.app_context():
        raw = {"owner": ann, "name": "k", "scopes": ["posts:read"]}
        write.create_many(API_KEYS, SYSTEM, [raw] * (MAX_KEYS_PER_ACCOUNT - 1))
    assert overlapping(app, one_more, one_more) == ["done", "refused"]
    assert count(app, API_KEYS.table.c.id, API_KEYS.table.c.owner_id == ann) == MAX_KEYS_PER_ACCOUNT
    client = signed_in(app, people["ann"])
    answer = client.post("/api/v1/api_keys", json={"name": "k", "scopes": ["posts:read"]})
    assert (answer.status_code, answer.json["code"]) == (409, "wrong_state")
    assert (
        answer.json["message"]
        == f"An account has at most {MAX_KEYS_PER_ACCOUNT} API keys. Delete one first."
    )
    client.delete("/api/v1/api_keys/1")
    assert (
        client.post("/api/v1/api_keys", json={"name": "k", "scopes": ["posts:read"]}).status_code
        == 201
    )
    other = signed_in(app, people["abe"])
    assert (
        other.post("/api/v1/api_keys", json={"name": "k", "scopes": ["posts:read"]}).status_code
        == 201
    )


def test_passkey_limit_holds_under_concurrency(app, people):
    ann = Actor("author", people["ann"].id, "ann")

    def keep(name):
        passkeys.store_passkey(ann, name, f"id of {name}", b"key", 0)

    with app.app_context():
        for number in range(passkeys.MAX_PASSKEYS - 1):
            keep(f"k{number}")
    assert overlapping(app, lambda: keep("one"), lambda: keep("two")) == ["done", "refused"]
    assert count(app, Passkey.id) == passkeys.MAX_PASSKEYS


def test_concurrently_made_recovery_codes_replace_each_other(app, people):
    ann = people["ann"].id
    with app.app_context():
        recovery_codes.regenerate(ann)
    both = overlapping(
        app, lambda: recovery_codes.regenerate(ann), lambda: recovery_codes.regenerate(ann)
    )
    assert both == ["done", "done"]
    assert count(app, RecoveryCode.id) == recovery_codes.COUNT


@pytest.mark.skipif(not on_postgresql(), reason="SQLite locks no rows")
def test_reading_locks_no_rows(app, people, make, statements):
    raw = {"title": "t", "body": "b", "author": people["ann"].id}
    id = make(POSTS, published_at=PAST, **raw)
    client = signed_in(app, people["ann"])
    client.patch(f"/api/v1/posts/{id}", json={"title": "u"})
    client.patch(f"/api/v1/posts/{id}/draft", json={"title": "v"})
    with app.app_context(), db.engine.begin() as other:
        other.execute(update(POSTS.table).where(POSTS.table.c.id == id).values(views=7))
        for place in ("", "/revisions", "/revisions/1", "/revisions/1/diff", "/draft", "/comments"):
            answer, sent = statements(client.get, f"/api/v1/posts/{id}{place}")
            assert answer.status_code in (200, 404), place
            assert not [one for one in sent if " FOR " in one.upper() and "UPDATE" in one.upper()]
        explain = f"/api/v1/access/explain?action=update&type=posts&id={id}"
        assert client.get(explain).json["allowed"] is True

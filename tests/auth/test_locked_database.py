"""While another program holds SQLite's lock, readers do not wait; what they have to record waits."""

import json
import os
import sqlite3
import urllib.error
import urllib.request
from contextlib import closing, contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from quire.auth import totp
from quire.declare.clock import now
from quire.records import API_KEYS, AUDIT_EVENTS, SESSIONS
from quire.records.api_keys import all_scopes
from quire.store.connections import writer_lock
from quire.store.db import db, read_connection, transaction
from tests.auth.route_policies import ask as ask_place
from tests.auth.route_policies import table
from tests.running_server import serving
from tests.users import PASSWORD, give_session, signed_in
from tests.waiting import wait_until

pytestmark = pytest.mark.skipif(
    bool(os.environ.get("TEST_DATABASE_URL")), reason="PostgreSQL lets many write at a time"
)


def ask(address, path, body=None, **headers):
    """Return the status of a response, which must arrive long before a writer would time out."""
    request = urllib.request.Request(f"{address}{path}", body, headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


@pytest.fixture
def fresh(make_app, monkeypatch):
    """An application without denials so far, whose writers wait for minutes."""
    monkeypatch.setattr(writer_lock, "BUSY_SECONDS", 300)
    return make_app(THREADS=2, RATELIMIT_ENABLED=True)


def denied(app):
    """Return the request lines of recorded denials."""
    table = AUDIT_EVENTS.table
    wanted = select(table.c.fields).where(table.c.action == "denied").order_by(table.c.id)
    with app.app_context(), read_connection() as connection:
        return [fields[0] for fields in connection.scalars(wanted)]


@pytest.fixture
def locked_file(app):
    """`locked_file()`: a lock on the database file that another connection holds."""
    with app.app_context():
        file = db.engine.url.database

    @contextmanager
    def lock():
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield other

    return lock


def test_refusals_are_answered_while_the_database_is_locked(fresh, people, locked_file):
    token = signed_in(fresh, people["abe"]).environ_base["HTTP_AUTHORIZATION"]
    with serving(fresh) as address, locked_file() as other:
        assert ask(address, "/api/v1/posts", Authorization="Bearer x") == 401
        assert ask(address, "/api/v1/tags", **{"X-API-Key": "qk_x"}) == 401
        assert ask(address, "/api/v1/audit_events", Authorization=token) == 403
        assert denied(fresh) == []
        other.execute("ROLLBACK")
        wait_until(lambda: len(denied(fresh)) == 3)
    assert denied(fresh) == ["GET /api/v1/posts", "GET /api/v1/tags", "GET /api/v1/audit_events"]


def test_users_not_seen_for_long_can_read_while_the_database_is_locked(fresh, people, locked_file):
    client = signed_in(fresh, people["ann"])
    token = client.environ_base["HTTP_AUTHORIZATION"]
    new_key = {"name": "k", "scopes": ["posts:read"]}
    key = client.post("api_keys", json=new_key).json["key"]
    give_session(fresh, client, people["ann"])
    cookie = cookie_of(client)
    with fresh.app_context(), transaction() as connection:
        long_ago = now() - timedelta(hours=1)
        connection.execute(update(SESSIONS.table).values(last_seen_at=long_ago))
        connection.execute(update(API_KEYS.table).values(last_used_at=long_ago))
    with serving(fresh) as address, locked_file():
        for headers in ({"Authorization": token}, {"X-API-Key": key}, {"Cookie": cookie}):
            assert ask(address, "/api/v1/posts", **headers) == 200
        assert ask(address, "/admin/", Cookie=cookie) == 200


def post(address, path, body, **headers):
    """Send a JSON body; return the status of the response."""
    headers = {"Content-Type": "application/json", **headers}
    return ask(address, path, json.dumps(body).encode(), **headers)


def refused_proofs(app):
    """Return the recorded refusals of credentials, with their details."""
    table = AUDIT_EVENTS.table
    refused = table.c.action.in_(["sign_in_failed", "sign_in_throttled", "second_factor_failed"])
    wanted = select(table.c.action, table.c.fields).where(refused).order_by(table.c.id)
    with app.app_context(), read_connection() as connection:
        return [(action, *fields) for action, fields in connection.execute(wanted)]


def test_wrong_passwords_are_answered_and_counted_while_the_database_is_locked(
    fresh, people, locked_file
):
    wrong = {"email": "ann@example.org", "password": "wrong horse 7"}
    answers = []
    with serving(fresh) as address, locked_file() as other:
        while (
            429 not in answers and len(answers) < 12
        ):  # after the fifth failure, each one waits longer
            answers.append(post(address, "/api/v1/auth/token", wrong))
        assert answers == [401] * (len(answers) - 1) + [429]
        other.execute("ROLLBACK")
        noted = [("sign_in_failed",)] * (len(answers) - 1) + [("sign_in_throttled", "password")]
        wait_until(lambda: len(refused_proofs(fresh)) == len(noted))
    assert refused_proofs(fresh) == noted


def test_other_invalid_credentials_are_answered_while_the_database_is_locked(
    fresh, people, locked_file
):
    ann, moment = people["ann"], now()
    client = fresh.test_client()
    give_session(fresh, client, ann)
    with fresh.app_context():
        seed = totp.generate_secret()
        totp.enable(ann.actor("session"), seed, totp.TOTP(seed).at(moment), moment)
    proof = {"email": "ann@example.org", "password": PASSWORD}
    page = {"Cookie": cookie_of(client), "Content-Type": "application/x-www-form-urlencoded"}
    noted = [("second_factor_failed",)] * 2 + [("sign_in_failed", "current_password")]
    with serving(fresh) as address, locked_file() as other:
        for code in ("121212", "2222-3333-4444-5555"):
            assert post(address, "/api/v1/auth/token", {**proof, "otp": code}) == 401
        assert ask(address, "/profile/two-factor/off", b"current_password=x", **page) == 422
        other.execute("ROLLBACK")
        wait_until(lambda: len(refused_proofs(fresh)) == len(noted))
    assert refused_proofs(fresh) == noted


def cookie_of(client):
    """Return the Cookie header that a browser would send."""
    return "; ".join(f"{one.key}={one.value}" for one in client._cookies.values())


GETS = [text for text in table() if text.startswith("GET ")]


@pytest.mark.parametrize("proof", ["none", "session", "token", "key"])
def test_every_url_is_readable_while_the_database_is_locked(
    app, people, as_, place, content, locked_file, monkeypatch, proof
):
    """A view that needed the lock would respond that the database is not responding."""
    monkeypatch.setattr(writer_lock, "BUSY_SECONDS", 0.1)
    client = client_with(app, as_, people["root"], proof)
    with app.app_context(), locked_file():
        refused = [text for text in GETS if ask_place(client, *place(text)).status_code >= 500]
    assert refused == []


def client_with(app, as_, account, proof):
    """Return a client with this credential that may get error responses."""
    client = as_(account.username) if proof == "token" else app.test_client()
    if proof == "session":
        give_session(app, client, account)
    if proof == "key":
        new_key = {"name": "k", "scopes": all_scopes()}
        client.environ_base["HTTP_X_API_KEY"] = (
            as_(account.username).post("api_keys", json=new_key).json["key"]
        )
    client.checked = False
    return client

"""Connections: which are taken, what they isolate, and those that died while they rested."""

import pytest
from sqlalchemy import text

from quire.store import engine as engine_module
from quire.store.db import db, read_connection, snapshot, transaction


@pytest.fixture
def server(app):
    """An application whose database is a server."""
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            pytest.skip("needs PostgreSQL")
        yield app


@pytest.fixture
def pings(server, monkeypatch):
    """How often a connection is asked whether it lives."""
    asked = []
    ping = db.engine.dialect.do_ping
    monkeypatch.setattr(db.engine.dialect, "do_ping", lambda one: asked.append(one) or ping(one))
    return asked


def process():
    """The server's process that answers to the connection that is taken next."""
    with read_connection() as connection:
        return connection.execute(text("SELECT pg_backend_pid()")).scalar_one()


def status(connection):
    return connection.connection.driver_connection.info.transaction_status.name


def level(connection):
    return connection.execute(text("SHOW transaction_isolation")).scalar_one()


def test_a_connection_that_died_at_rest_is_replaced(server, monkeypatch):
    dead = process()
    with db.engine.connect() as one, db.engine.connect() as other:
        other.execute(text("SELECT pg_terminate_backend(:dead)"), {"dead": dead})
        assert one.connection.driver_connection.info.backend_pid == dead
    monkeypatch.setattr(engine_module, "IDLE_SECONDS", 0)
    for _ in range(3):
        assert process() != dead


def test_a_connection_in_use_is_not_asked(server, pings):
    process()
    process()
    assert pings == []


def test_the_connection_used_last_comes_first(server):
    assert process() == process()


def test_reading_needs_no_transaction(server):
    with read_connection() as connection:
        connection.execute(text("SELECT 1"))
        assert status(connection) == "IDLE"


def test_writing_and_a_snapshot_have_one(server):
    with transaction() as connection:
        assert level(connection) == "read committed"
        assert status(connection) == "INTRANS"
    with snapshot() as connection:
        assert level(connection) == "repeatable read"
    with read_connection() as connection:
        connection.execute(text("SELECT 1"))
        assert status(connection) == "IDLE"


def test_an_idle_connection_is_checked_outside_of_an_application_context_too(app, monkeypatch):
    monkeypatch.setattr(engine_module, "IDLE_SECONDS", 0)
    with app.app_context():
        used = db.engine
    for _ in range(2):
        with used.connect() as connection:
            assert connection.execute(text("SELECT 1")).scalar() == 1

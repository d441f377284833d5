"""Connections: their order of use, isolation levels, and replacement when they die while idle."""

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
    """The connections that were pinged."""
    asked = []
    ping = db.engine.dialect.do_ping
    monkeypatch.setattr(db.engine.dialect, "do_ping", lambda one: asked.append(one) or ping(one))
    return asked


def process():
    """Return the server process behind the next connection of the pool."""
    with read_connection() as connection:
        return connection.execute(text("SELECT pg_backend_pid()")).scalar_one()


def status(connection):
    return connection.connection.driver_connection.info.transaction_status.name


def level(connection):
    return connection.execute(text("SHOW transaction_isolation")).scalar_one()


def test_dead_idle_connection_is_replaced(server, monkeypatch):
    dead = process()
    with db.engine.connect() as one, db.engine.connect() as other:
        other.execute(text("SELECT pg_terminate_backend(:dead)"), {"dead": dead})
        assert one.connection.driver_connection.info.backend_pid == dead
    monkeypatch.setattr(engine_module, "IDLE_SECONDS", 0)
    for _ in range(3):
        assert process() != dead


def test_recently_used_connection_is_not_pinged(server, pings):
    process()
    process()
    assert pings == []


def test_most_recently_used_connection_is_reused_first(server):
    assert process() == process()


def test_reading_opens_no_transaction(server):
    with read_connection() as connection:
        connection.execute(text("SELECT 1"))
        assert status(connection) == "IDLE"


def test_writes_and_snapshots_run_in_transactions(server):
    with transaction() as connection:
        assert level(connection) == "read committed"
        assert status(connection) == "INTRANS"
    with snapshot() as connection:
        assert level(connection) == "repeatable read"
    with read_connection() as connection:
        connection.execute(text("SELECT 1"))
        assert status(connection) == "IDLE"


def test_idle_connection_check_needs_no_application_context(app, monkeypatch):
    monkeypatch.setattr(engine_module, "IDLE_SECONDS", 0)
    with app.app_context():
        used = db.engine
    for _ in range(2):
        with used.connect() as connection:
            assert connection.execute(text("SELECT 1")).scalar() == 1

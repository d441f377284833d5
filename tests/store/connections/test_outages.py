"""A database that does not answer: never a 500, and one line a minute that says why."""

import errno
import sqlite3
import time
from types import SimpleNamespace

import pytest
from flask import g
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from quire.errors import Unavailable
from quire.monitoring.request_id import following
from quire.store.connections import read_only
from quire.store.connections.outages import BAD_FILE, FULL, LOCKED, READ_ONLY, translate_outages
from quire.store.db import db, transaction
from tests.databases import on_postgresql
from tests.monitoring.log_setup import logging_to


class Fault(sqlite3.OperationalError):
    """An error as the driver raises it."""

    def __init__(self, code):
        super().__init__("so says SQLite")
        self.sqlite_errorcode = code


@pytest.mark.parametrize(
    ("code", "cause"),
    [(sqlite3.SQLITE_FULL, FULL), (sqlite3.SQLITE_BUSY, LOCKED), (sqlite3.SQLITE_READONLY, READ_ONLY),
     (sqlite3.SQLITE_READONLY_DBMOVED, READ_ONLY), (sqlite3.SQLITE_IOERR, BAD_FILE),
     (sqlite3.SQLITE_CANTOPEN, BAD_FILE)],
)  # fmt: skip
def test_each_cause_is_logged_once_a_minute(database_log, code, cause):
    for _ in range(3):
        with pytest.raises(Unavailable) as refused, translate_outages():
            raise OperationalError(None, None, Fault(code))
        assert refused.value.headers["Retry-After"] == "5"
    assert len(database_log.records) == 1
    assert database_log.records[0].message.startswith(cause)
    assert "so says SQLite" in database_log.records[0].message
    assert database_log.records[0].exc_info is None


@pytest.mark.skipif(on_postgresql(), reason="the file of SQLite")
def test_read_only_disk_is_distinguished_from_a_broken_one(app, database_log, monkeypatch):
    def refused(**_):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(read_only, "TemporaryFile", refused)
    with app.app_context(), pytest.raises(Unavailable), translate_outages():
        raise OperationalError(None, None, Fault(sqlite3.SQLITE_IOERR_WRITE))
    assert database_log.records[0].message.startswith(READ_ONLY)


def test_log_line_names_the_request_once(database_log, tmp_path):
    with logging_to(tmp_path, LOG_FORMAT="text") as read, following("5eed"):
        with pytest.raises(Unavailable), translate_outages():
            raise OperationalError(None, None, Fault(sqlite3.SQLITE_BUSY))
        line = read()
    assert line.count("request") == 1 and line.endswith("(so says SQLite) (request 5eed)\n")


@pytest.mark.skipif(not on_postgresql(), reason="a file does not go away")
def test_dead_connection_is_dropped_and_never_a_500(app, client, database_log):
    for place in ("/api/v1/posts", "/", "/api/v1/posts?page=2", "/api/v1/settings"):
        with app.app_context(), db.engine.connect() as other:
            other.execute(text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            ))  # fmt: skip
        statuses = [client.get(place).status_code for _ in range(8)]
        assert set(statuses) <= {200, 503}, place
        assert statuses[-1] == 200, place
    with app.app_context():
        db.engine.dispose()  # other connections of the pool are dead, too


@pytest.mark.skipif(on_postgresql(), reason="the lock of SQLite's file")
def test_request_waits_once_for_all_locks_together(app, people, database_log, monkeypatch):
    monkeypatch.setattr("quire.store.connections.writer_lock.BUSY_SECONDS", 0.2)
    with app.app_context():
        file = db.engine.url.database
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    tries = []
    monkeypatch.setattr(
        "quire.store.connections.writer_lock.time",
        SimpleNamespace(monotonic=time.monotonic, sleep=tries.append),
    )
    try:
        with app.test_request_context("/"):
            for _ in range(3):
                with pytest.raises(Unavailable), transaction():
                    pass
            assert g.lock_seconds < 0
            tries.clear()
            with pytest.raises(Unavailable), transaction():
                pass
            assert len(tries) <= 1
    finally:
        other.execute("ROLLBACK")
        other.close()
    assert len([one for one in database_log.records if one.message.startswith(LOCKED)]) == 1

"""The checks for databases that are too old, on a network drive, damaged, or have another clock."""

import errno
import re
import sqlite3
import sys
from contextlib import closing

import pytest
from sqlalchemy import text

from quire.checks import database, network_drive
from quire.monitoring.setup import shared_counters
from quire.records import TAGS
from quire.store.connections import read_only
from quire.store.db import db, transaction
from quire.store.migrations import SchemaMismatch, newest_revision
from tests.databases import on_postgresql, stamp

only_sqlite = pytest.mark.skipif(on_postgresql(), reason="the file of SQLite")
MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
40 22 0:50 / /srv rw,relatime - nfs4 files.example.org:/srv rw,vers=4.2
41 40 8:2 / /srv/local\\040disk rw - xfs /dev/sdb1 rw
"""


@pytest.fixture
def context(app):
    """The application's context."""
    with app.app_context():
        yield app


def test_healthy_database_passes_all_checks(context):
    for check in ("database", "versions", "writes", "integrity", "role", "place", "clock"):
        assert getattr(database, f"check_{check}")().status == "ok", check


@pytest.mark.parametrize("name", ["PYTHON", "POSTGRESQL" if on_postgresql() else "SQLITE"])
def test_old_versions_are_an_error(context, monkeypatch, name):
    monkeypatch.setattr(database, name, (99, 1))
    result = database.check_versions()
    assert result.status == "error" and "99.1 or later" in result.action


def test_pending_migration_is_an_error(context):
    with transaction() as connection:
        stamp(connection, "")
    try:
        with pytest.raises(SchemaMismatch, match="db upgrade"):
            database.check_database()
    finally:
        with transaction() as connection:
            stamp(connection, newest_revision())


def refused(*_, **__):
    raise OSError(errno.EROFS, "Read-only file system")


@only_sqlite
@pytest.mark.parametrize("part", ["file", "folder"])
def test_read_only_disk_is_an_error(context, monkeypatch, part):
    if part == "file":
        monkeypatch.setattr(read_only.os, "access", lambda path, mode: False)
    else:
        monkeypatch.setattr(read_only, "TemporaryFile", refused)
    result = database.check_writes()
    assert (result.status, result.reason) == ("error", "The database is read-only.")


@pytest.mark.skipif(not on_postgresql(), reason="a state of servers")
def test_read_only_server_is_detected(context):
    with db.engine.connect() as connection:
        connection.execute(text("SET default_transaction_read_only = on"))
        connection.commit()
        assert read_only.is_read_only(connection)
        connection.invalidate()
    assert database.check_writes().status == "ok"


@only_sqlite
def test_dangling_reference_is_an_error(context):
    with closing(sqlite3.connect(db.engine.url.database)) as other:
        other.execute("INSERT INTO posts_tags (source_id, target_id) VALUES (7, 8)")
        other.commit()
    result = database.check_integrity()
    assert result.status == "error" and "posts_tags refers to a missing row" in result.reason


@only_sqlite
@pytest.mark.skipif(sys.platform != "linux", reason="a list of mounts of Linux")
@pytest.mark.parametrize(
    ("path", "kind"),
    [("/srv/quire/quire.db", "nfs4"), ("/srv/local disk/quire.db", None), ("/home/q.db", None)],
)
def test_network_drive_is_found_in_the_list_of_mounts(tmp_path, monkeypatch, path, kind):
    (tmp_path / "mounts").write_text(MOUNTS, encoding="utf-8")
    monkeypatch.setattr(network_drive, "MOUNTS", tmp_path / "mounts")
    assert network_drive.network_drive(network_drive.Path(path)) == kind


@only_sqlite
@pytest.mark.skipif(sys.platform != "linux", reason="a list of mounts of Linux")
def test_sqlite_on_a_network_drive_is_an_error(context, tmp_path, monkeypatch):
    (tmp_path / "mounts").write_text(MOUNTS.replace("ext4", "cifs"), encoding="utf-8")
    monkeypatch.setattr(network_drive, "MOUNTS", tmp_path / "mounts")
    result = database.check_place()
    assert result.status == "error" and "cifs" in result.reason


@only_sqlite
def test_sqlite_with_many_processes_is_a_warning(make_app, tmp_path):
    app = make_app(QUIRE_INSTANCE=tmp_path)
    with app.app_context():
        folder = shared_counters()._folder
        folder.mkdir()
        state = '{"started": 1, "cpu_seconds": 1, "memory_bytes": 1, "job_threads": 0}'
        for number in range(database.MANY_PROCESSES + 1):
            path = folder / f"h-{number}-a.json"
            path.write_text(f'{{"process": {state}}}', encoding="utf-8")
        result = database.check_place()
    assert result.status == "warning" and "5 processes share one SQLite file" in result.reason


def test_clock_set_back_is_an_error(context, make, stop_clock):
    make(TAGS, name="sea")
    assert database.check_clock().status == "ok"
    stop_clock(hours=-1)
    result = database.check_clock()
    assert result.status == "error" and "clock" in result.reason


@pytest.mark.skipif(not on_postgresql(), reason="SQLite has the clock of its process")
def test_clock_difference_to_the_database_is_reported_in_seconds(context, stop_clock):
    stop_clock(minutes=1)
    seconds = re.search(r"by (\d+) seconds", database.check_clock().reason)[1]
    assert 50 <= int(seconds) <= 60  # the clock of the database keeps running

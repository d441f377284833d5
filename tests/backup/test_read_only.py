"""A database that has become read-only can still be backed up."""

import os
import sqlite3
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from quire.backup.sqlite import copy_database
from tests.backup.conftest import opened
from tests.databases import on_postgresql

pytestmark = [
    pytest.mark.skipif(on_postgresql(), reason="files of SQLite"),
    pytest.mark.skipif(os.name == "nt", reason="permissions of Unix"),
]
NOBODY = 65534


@contextmanager
def without_privileges():
    """Become an unprivileged user for a while, because root may write everywhere."""
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)


@pytest.fixture
def folder():
    """An empty folder that every user can access, unlike those of pytest."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o777)
        yield Path(name)


def test_read_only_database_is_backed_up(instance, folder, monkeypatch):
    source = folder / "source" / "quire.db"
    source.parent.mkdir()
    (folder / "copy").mkdir(mode=0o777)
    (folder / "copy").chmod(0o777)
    source.write_bytes((instance / "quire.db").read_bytes())
    with closing(sqlite3.connect(source)) as other:  # has written, and leaves its log
        other.execute("PRAGMA journal_mode=wal")
        other.execute("CREATE TABLE new (id)")
        other.commit()
        for file in source.parent.iterdir():
            file.chmod(0o444)
        source.parent.chmod(0o555)
        monkeypatch.setenv("DATABASE_URL", f"sqlite:///{source}")
        with opened(), without_privileges():
            copy = copy_database(folder / "copy", lambda done, total: None)[0]
        source.parent.chmod(0o755)
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT count(*) FROM new").fetchone() == (0,)

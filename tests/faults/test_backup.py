"""A backup, a restore or a migration that is killed leaves the old state or the new one."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import psycopg
import pytest

from quire.store.migrations import newest_revision
from tests.faults.kill import ROOT

pytestmark = pytest.mark.faults
FIRST, OLDER = "91c9b9f86d06", "f18c62a9d5e3"
"""The first revision, and one before the newest."""
MOMENTS = 5
"""How often each is killed, each time a little later."""


class Installation:
    """An instance folder, and commands in processes of their own; on SQLite unless there is a URL."""

    def __init__(self, folder, url=""):
        self.folder, self.file, self.url = folder, folder / "quire.db", url
        self.environment = {**os.environ, "QUIRE_INSTANCE": str(folder), "BCRYPT_LOG_ROUNDS": "4"}
        self.environment.pop("DATABASE_URL", None)
        if url:
            self.environment["DATABASE_URL"] = url

    def start(self, *words):
        """Start a command."""
        command = [sys.executable, str(ROOT / "manage.py"), *map(str, words)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(command, env=self.environment, text=True, **pipes)

    def run(self, *words):
        """Run a command, which must succeed, and return its output."""
        process = self.start(*words)
        output, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
        return output

    def kill(self, seconds, *words):
        """Start a command and kill it after `seconds`, unless it has ended."""
        process = self.start(*words)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(getattr(signal, "SIGKILL", signal.SIGTERM))
        process.communicate()

    def query(self, sql):
        """Return the rows of a query, after checking that the database is intact."""
        if self.url:
            with psycopg.connect(self.url) as connection:
                return connection.execute(sql).fetchall()
        with closing(sqlite3.connect(self.file)) as connection, connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            return connection.execute(sql).fetchall()

    def start_anew(self):
        """Empty the PostgreSQL database."""
        with psycopg.connect(self.url) as connection:
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")

    def moments(self, *words):
        """Return times in seconds, from when a command has been loaded to its end."""
        begun = time.monotonic()
        self.run(*words)
        length = time.monotonic() - begun
        return [length * (0.4 + 0.6 * number / MOMENTS) for number in range(MOMENTS)]


@pytest.fixture
def filled(tmp_path):
    """An installation with some content and 40 MB of data that make everything take longer."""
    one = Installation(tmp_path / "instance")
    one.run("seed", "--users", "2", "--posts", "10", "--comments", "10")
    with closing(sqlite3.connect(one.file)) as connection, connection:
        connection.execute("CREATE TABLE ballast (id INTEGER PRIMARY KEY, data BLOB)")
        rows = [(os.urandom(4000),) for _ in range(10_000)]
        connection.executemany("INSERT INTO ballast (data) VALUES (?)", rows)
    return one


def test_killed_backup_leaves_no_partial_file(filled):
    moments = filled.moments("backup")
    folder = filled.folder / "backups"
    complete = set(folder.glob("quire-*.zip"))
    unfinished = 0
    for seconds in moments:
        filled.kill(seconds, "backup")
        unfinished += bool(list(folder.glob("*.part")))
        for path in set(folder.glob("quire-*.zip")) - complete:
            filled.run("backup", "--verify", path)
            complete.add(path)
    assert unfinished, "none was killed in the middle"
    output = filled.run("backup")
    assert output.startswith("Wrote ")
    assert {path.suffix for path in folder.iterdir()} <= {".zip", ".verified"}


def test_killed_restore_leaves_the_old_or_the_new_state(filled, tmp_path):
    filled.run("backup", tmp_path / "backup.zip")
    with closing(sqlite3.connect(filled.file)) as connection, connection:
        connection.execute("UPDATE tags SET description = 'later'")
    moments = filled.moments("restore", tmp_path / "backup.zip", "--yes")
    states = set()
    for seconds in moments:
        with closing(sqlite3.connect(filled.file)) as connection, connection:
            connection.execute("UPDATE tags SET description = 'later'")
        filled.kill(seconds, "restore", tmp_path / "backup.zip", "--yes")
        (state,) = {text == "later" for (text,) in filled.query("SELECT description FROM tags")}
        states.add(state)
    assert True in states
    filled.run("restore", tmp_path / "backup.zip", "--yes")
    assert ("later",) not in filled.query("SELECT description FROM tags")
    assert not list(filled.folder.glob("restoring-*"))
    filled.run("users", "list")


def test_killed_migration_can_be_run_again(tmp_path, database_url):
    one = Installation(tmp_path / "timed", database_url)
    one.run("db", "upgrade", FIRST)
    moments = one.moments("db", "upgrade", "--no-backup")
    if database_url:
        one.start_anew()
    else:
        one = Installation(tmp_path / "killed")
    one.run("db", "upgrade", FIRST)
    for seconds in moments:
        one.kill(seconds, "db", "upgrade", "--no-backup")
        (version,) = one.query("SELECT version_num FROM alembic_version")[0]
        assert version in (FIRST, newest_revision())
    one.run("db", "upgrade", "--no-backup")
    one.run("db", "check")


@pytest.mark.parametrize("start", ["", OLDER], ids=["empty", "older"])
def test_eight_simultaneous_starts_migrate_once(tmp_path, database_url, start):
    one = Installation(tmp_path / "instance", database_url)
    if start:
        one.run("db", "upgrade", start)
    command = ["db", "upgrade"] if start else ["users", "list"]
    processes = [one.start(*command) for _ in range(8)]
    said = [process.communicate(timeout=120)[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * 8, said
    assert one.query("SELECT version_num FROM alembic_version") == [(newest_revision(),)]
    assert sum("Running upgrade" in text for text in said) == bool(start)
    assert len(list(one.folder.glob("backups/*"))) == bool(start)

"""The database that the tests run on: created once, and restored before each test."""

import os
import shutil
import sqlite3
from contextlib import closing
from copy import copy
from functools import partial
from pathlib import Path

from sqlalchemy import text

from quire.store.db import db
from quire.store.migrations import newest_revision
from tests.clocks import an_hour_ago

PEOPLE = "people"
"""The state that each test begins with."""
POSTGRESQL = "TEST_DATABASE_URL"
"""Name of the environment variable that moves the suite onto PostgreSQL."""


def on_postgresql():
    """Return whether the suite runs on PostgreSQL."""
    return bool(os.environ.get(POSTGRESQL))


def stamp(connection, revision):
    """Mark the tables as those of a revision, as a migration does."""
    column = "version_num VARCHAR(32) NOT NULL"
    connection.execute(text(f"CREATE TABLE IF NOT EXISTS alembic_version ({column})"))
    connection.execute(text("DELETE FROM alembic_version"))
    connection.execute(text("INSERT INTO alembic_version VALUES (:new)"), {"new": revision})


class Database:
    """A SQLite file in `folder`, or the PostgreSQL database that the environment names."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._file = folder / "tests.db"
        self._rows = {}
        self._contents = {}
        self._restored_at = None
        self.apps = []  # the open ones; their connections are closed before the file changes

    def settings(self):
        """Return the settings with the location of records and files."""
        return {"DATABASE_URL": self._url(), "QUIRE_INSTANCE": self._file.parent}

    def _url(self):
        return os.environ.get(POSTGRESQL) or f"sqlite:///{self._file.as_posix()}"

    def prepare(self, app):
        """Create the tables with their initial rows."""
        with app.app_context():
            if db.engine.dialect.name == "postgresql":
                db.drop_all()
            db.create_all()
            with db.engine.begin() as connection:
                stamp(connection, newest_revision())

    def keep(self, app, name=PEOPLE):
        """Store the present content of the tables under `name`."""
        with app.app_context():
            if db.engine.dialect.name == "postgresql":
                self._remember()
                return
            with db.engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        self._close_connections()
        shutil.copy(self._file, self._copy(name))

    def restore(self, app, name=PEOPLE):
        """Restore the tables to the content stored under `name`."""
        with app.app_context():
            if db.engine.dialect.name == "postgresql":
                self._refill()
                return
        self._close_connections()
        for suffix in ("-wal", "-shm"):
            Path(f"{self._file}{suffix}").unlink(missing_ok=True)
        shutil.copy(self._copy(name), self._file)
        self._renew_versions()
        self._restored_at = self._file.stat().st_mtime_ns

    def keep_content(self, app, people, name, fill):
        """Let `fill(app, people)` write content once, before any test could change how that is done.

        Returns a function that puts this content into the tables of a test and returns the result of `fill`. On
        PostgreSQL, only the initial state of all tests is stored, so content is written for each test.
        """
        if not on_postgresql():
            self.restore(app)
            with an_hour_ago():
                self._contents[name] = fill(app, people)
            self.keep(app, name)
        return partial(self._content, name, fill)

    def _content(self, name, fill, app, people):
        """Return the result of `fill(app, people)`, copying the stored tables if nothing else was written."""
        if name in self._contents and app is self.apps[0] and self._is_as_restored():
            self.restore(app, name)
            return copy(self._contents[name])
        return fill(app, people)

    def _renew_versions(self):
        # so that no cache of an earlier test is used for the same rows
        with closing(sqlite3.connect(self._file)) as connection, connection:
            connection.execute("PRAGMA synchronous=OFF")
            connection.execute("UPDATE data_versions SET version = abs(random())")

    def _copy(self, name):
        return self._folder / f"{name}.kept.db"

    def _close_connections(self):
        for app in self.apps:
            with app.app_context():
                db.engine.dispose()

    def _is_as_restored(self):
        log = Path(f"{self._file}-wal")
        is_logged = log.exists() and log.stat().st_size > 0
        return not is_logged and self._file.stat().st_mtime_ns == self._restored_at

    def _remember(self):
        with db.engine.connect() as connection:
            for table in db.metadata.sorted_tables:
                found = connection.execute(table.select()).mappings()
                computed = {column.name for column in table.columns if column.computed is not None}
                rows = [{k: v for k, v in row.items() if k not in computed} for row in found]
                self._rows[table] = rows

    def _refill(self):
        # DELETE, since TRUNCATE creates new files for every table, which takes most of a test's time
        tables = list(self._rows)
        emptied = [f"DELETE FROM {table.name}" for table in reversed(tables)]
        emptied += [
            f"SELECT setval('{table.name}_id_seq', 1, false)" for table in tables if "id" in table.c
        ]
        with db.engine.begin() as connection:
            connection.execute(text("; ".join(emptied)))
            for table, rows in self._rows.items():
                if rows:
                    connection.execute(table.insert(), rows)
                if rows and "id" in table.c:
                    last = max(row["id"] for row in rows)
                    connection.execute(text(f"SELECT setval('{table.name}_id_seq', {last})"))

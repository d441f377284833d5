"""Checks that the database fits the code, and migrates it; one process at a time."""

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from filelock import FileLock
from flask import current_app
from sqlalchemy import inspect, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DatabaseError

from quire.config.settings import ROOT
from quire.config.validation import StartupError
from quire.store.db import db, has_one_writer, isolate
from quire.store.instance_locks import require_no_restore

SCRIPTS = ROOT / "alembic_migrations"
_WAIT_AND_LOCK = (
    "SET LOCAL statement_timeout = 0",
    "SET LOCAL idle_in_transaction_session_timeout = 0",
    "SELECT pg_advisory_xact_lock(hashtextextended('quire migration', 0))",
)
_REVISION = re.compile(r"^(down_)?revision(?:: [^=]*)? = [\"'](\w+)[\"']", re.MULTILINE)


class SchemaMismatch(StartupError):
    """The database does not match this code; the message names the command that fixes it."""


@cache
def revisions(folder: Path) -> tuple[str, frozenset[str]]:
    """The newest revision and all of them, read from the scripts without running Alembic."""
    names: set[str] = set()
    parents: set[str] = set()
    for script in sorted((folder / "versions").glob("*.py")):
        for down, name in _REVISION.findall(script.read_text(encoding="utf-8")):
            (parents if down else names).add(name)
    heads = names - parents
    if len(heads) != 1:
        raise SchemaMismatch(f"{folder} has {len(heads)} newest revisions; it must have one.")
    return heads.pop(), frozenset(names)


def newest_revision() -> str:
    """The revision that this code needs."""
    return revisions(SCRIPTS)[0]


def current_revision(connection: Connection) -> str | None:
    """The revision of a database, "" if it is empty, None if no migration created it."""
    tables = set(inspect(connection).get_table_names())
    if "alembic_version" not in tables:
        return None if tables else ""
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or ""


def database_revision() -> str | None:
    """The revision of this application's database. Raises SchemaMismatch when it cannot be reached."""
    try:
        with db.engine.connect() as connection:
            return current_revision(connection)
    except DatabaseError as error:
        reason = str(error.orig).strip().partition("\n")[0]
        raise SchemaMismatch(f"The database cannot be opened: {reason}") from None


def prepare_database() -> None:
    """Create the tables of an empty database. Raises SchemaMismatch if an existing one does not match.

    If several processes find it empty, one migrates and the others wait.
    """
    require_no_restore()
    revision = database_revision()
    if revision == "":
        with migration_lock():
            if database_revision() == "":
                upgrade()
        revision = database_revision()
    require_current(revision)


@contextmanager
def migration_lock() -> Iterator[None]:
    """Migrate alone: other processes wait, on this machine and, with PostgreSQL, on all machines."""
    file = Path(current_app.config["QUIRE_INSTANCE"]) / "migrate.lock"
    with FileLock(file, fallback_to_soft=False), ExitStack() as stack:
        if not has_one_writer():
            connection = stack.enter_context(db.engine.connect())
            isolate(connection, "READ COMMITTED")  # the lock ends with this transaction
            for statement in _WAIT_AND_LOCK:
                connection.exec_driver_sql(statement)
        yield


def require_current(revision: str | None) -> None:
    """Raise SchemaMismatch unless `revision` is the newest one."""
    newest, known_revisions = revisions(SCRIPTS)
    if revision is None:
        raise SchemaMismatch(
            "The database has tables that no migration made. If they are of this version, run: "
            "manage.py db stamp head"
        )
    if revision == newest:
        return
    if revision == "":
        raise SchemaMismatch(
            "There is no database yet. Start serve.py, or run: manage.py db upgrade"
        )
    if revision in known_revisions:
        raise SchemaMismatch("The database is older than this code. Run: manage.py db upgrade")
    raise SchemaMismatch(
        f"This code is too old for the database (revision {revision}). Install the version of "
        "Quire that made it, or restore a backup."
    )


def _flask_migrate() -> Any:
    """Flask-Migrate, loaded on first use, because Alembic adds 0.2 seconds to a start."""
    return import_module("flask_migrate")


def init_migrate() -> None:
    """Tell Flask-Migrate about the current application."""
    _flask_migrate().Migrate(current_app, db, directory=str(SCRIPTS))


def upgrade() -> None:
    """Bring the database to the newest revision. Raises SystemExit(1) when a script fails."""
    init_migrate()
    _flask_migrate().upgrade()

"""Flask-Migrate on our scripts, and the copy of a SQLite file that is made before it runs."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import flask_migrate
from flask import current_app

from quire import schema
from quire.store.db import db


def connect() -> None:
    """Tell Flask-Migrate about the current application."""
    flask_migrate.Migrate(current_app, db, directory=str(schema.SCRIPTS))


def upgrade() -> None:
    """Bring the database to the newest revision. Raises SystemExit(1) when a script fails."""
    connect()
    flask_migrate.upgrade()


def backed_up() -> Path | None:
    """Copy a SQLite database beside itself; the copy's path, None where there is no file.

    SQLite's own backup is used: it is whole even while others write.
    """
    name = db.engine.url.database
    if db.engine.dialect.name != "sqlite" or name in (None, "", ":memory:"):
        return None
    source = Path(str(name))
    if not source.exists() or not source.stat().st_size:
        return None
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    target = source.with_name(f"{source.stem}-before-upgrade-{stamp}{source.suffix}")
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)
    return target

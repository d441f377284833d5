"""A temporary copy of the database for trial runs, so that they block no one."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

from flask import current_app
from sqlalchemy import Engine, create_engine

from quire.store.db import db, has_one_writer, in_transaction
from quire.store.engine import prepare_sqlite

SPARE = 3
"""The database must fit into the free space this many times, so that the copy does not fill the disk."""


@contextmanager
def on_a_copy() -> Iterator[None]:
    """Run the block, and everything else in this process, on a copy of the database.

    Nothing is copied if the database allows concurrent writers, is in memory, or if the disk is nearly
    full: the trial then runs in a transaction of its own.
    """
    file = _file()
    if file is None or in_transaction() or _is_tight(file):
        yield
        return
    with TemporaryDirectory(dir=file.parent, prefix="try-", ignore_cleanup_errors=True) as folder:
        copy = Path(folder) / "quire.db"
        with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
        with on_database_file(copy):
            yield


@contextmanager
def on_database_file(path: Path) -> Iterator[None]:
    """Run the block, and everything else in this process, on the SQLite database in `path`."""
    engine = _engine(path)
    engines = cast(dict[str | None, Engine], db.engines)
    original, engines[None] = db.engine, engine
    try:
        yield
    finally:
        engines[None] = original
        engine.dispose()


def _file() -> Path | None:
    """The file of a SQLite database, None for any other."""
    name = db.engine.url.database if has_one_writer() else None
    return Path(name) if name and name != ":memory:" else None


def _is_tight(file: Path) -> bool:
    return shutil.disk_usage(file.parent).free < SPARE * file.stat().st_size


def _engine(path: Path) -> Engine:
    options = current_app.config["SQLALCHEMY_ENGINE_OPTIONS"]
    engine = create_engine(f"sqlite:///{path.as_posix()}", **options)
    prepare_sqlite(engine)
    return engine

"""A copy of the database to try something on: it lasts for a block, and nobody else waits for it."""

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
"""How many times the database must fit into what is free, so that nobody's disk is filled."""


@contextmanager
def on_a_copy() -> Iterator[None]:
    """Let all in the block, of this whole process, happen to a copy of the database.

    Where many can write at once there is no need for one: nothing is copied, and what is tried
    goes into a transaction. The same for a database in memory, and where the disk is nearly full.
    """
    file = _file()
    if file is None or in_transaction() or _is_tight(file):
        yield
        return
    with TemporaryDirectory(dir=file.parent, prefix="try-", ignore_cleanup_errors=True) as folder:
        engine = _copy(file, Path(folder) / "quire.db")
        engines = cast(dict[str | None, Engine], db.engines)
        original, engines[None] = db.engine, engine
        try:
            yield
        finally:
            engines[None] = original
            engine.dispose()


def _file() -> Path | None:
    """The file of a SQLite database."""
    name = db.engine.url.database if has_one_writer() else None
    return Path(name) if name and name != ":memory:" else None


def _is_tight(file: Path) -> bool:
    return shutil.disk_usage(file.parent).free < SPARE * file.stat().st_size


def _copy(file: Path, copy: Path) -> Engine:
    """The database as it is at this moment, while others read and write."""
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    options = current_app.config["SQLALCHEMY_ENGINE_OPTIONS"]
    engine = create_engine(f"sqlite:///{copy.as_posix()}", **options)
    prepare_sqlite(engine)
    return engine

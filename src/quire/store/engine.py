"""Connects to the database, with the options that SQLite and PostgreSQL each need."""

import math
import time
from collections.abc import Mapping
from functools import partial
from typing import Any

import orjson
from flask import Flask
from sqlalchemy import URL, Dialect, Engine, event, make_url, text
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.exc import DisconnectionError

from quire.store import data_versions
from quire.store.connections import postgresql
from quire.store.connections.own_files import watch_files
from quire.store.connections.statement_timer import time_statements
from quire.store.connections.writer_lock import BUSY_SECONDS, begin_writing
from quire.store.db import db, in_transaction, lift_limits, read_connection, transaction
from quire.store.search.terms import has_terms

IDLE_SECONDS = 1.0
"""How long a connection to a server may be idle before it is checked."""


def init_app(app: Flask) -> None:
    """Connect the application to its database."""
    url = make_url(app.config["SQLALCHEMY_DATABASE_URI"])
    app.config.setdefault("SQLALCHEMY_ENGINE_OPTIONS", engine_options(app.config, url))
    db.init_app(app)
    with app.app_context():
        prepare(db.engine, app.config)
        if db.engine.dialect.name == "postgresql":
            postgresql.declare_partial_indexes(db.metadata)


def prepare(engine: Engine, config: Mapping[str, Any]) -> None:
    """Time the statements of an engine, track what they read and write, and check its connections."""
    timed_cursor = time_statements(engine, config["SLOW_SQL_MS"] / 1000 or math.inf)
    data_versions.track(engine, timed_cursor)
    if engine.dialect.name == "sqlite":
        prepare_sqlite(engine)
    else:
        event.listen(engine, "checkin", _note_use)
        # bound to the dialect, since connections are also checked out without an application context
        event.listen(engine, "checkout", partial(_check_idle_connection, engine.dialect))


def engine_options(config: Mapping[str, Any], url: URL) -> dict[str, Any]:
    """The options with which SQLAlchemy creates an engine for `url`."""
    json: dict[str, Any] = {
        # compiled statements take about 80 KB each, and clients can cause new ones with other filters
        "query_cache_size": 200,
        "hide_parameters": True,  # error messages are logged
        "json_serializer": lambda value: orjson.dumps(value).decode(),
        "json_deserializer": orjson.loads,
    }
    # reuse the connection used last, because its caches are warm
    pool = {"pool_use_lifo": True}
    if url.get_backend_name() == "sqlite":
        in_memory = url.database in (None, "", ":memory:")
        return json if in_memory else {"pool_size": 20, "max_overflow": 20, **pool, **json}
    return {**pool, **postgresql.engine_options(config, url), **json}


class _Compiler(SQLiteCompiler):
    """Writes `INDEXED BY` and `NOT INDEXED` after tables, which SQLAlchemy does not support on SQLite."""

    def get_from_hint_text(self, table: Any, text: str | None) -> str | None:
        return text


def prepare_sqlite(engine: Engine) -> None:
    """Set up an SQLite engine: transactions, functions and pragmas."""
    engine.dialect.statement_compiler = _Compiler
    event.listen(engine, "connect", _on_connect)
    # not the "begin" event: an engine with event listeners is slower at every statement
    engine.dialect.do_begin = _begin  # type: ignore[assignment]
    watch_files(engine)


def _on_connect(connection: Any, record: Any) -> None:
    # None keeps the driver from beginning transactions, which it would do after the first read
    connection.isolation_level = None
    connection.create_function("quire_fold", 1, _fold, deterministic=True)
    connection.create_function("quire_has_terms", 3, has_terms, deterministic=True)
    for pragma in (
        f"busy_timeout={BUSY_SECONDS * 1000}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "cache_size=-500",  # KiB: each thread has a connection, and the system caches the file
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def _note_use(connection: Any, record: Any) -> None:
    record.info["used"] = time.monotonic()


def _check_idle_connection(dialect: Dialect, connection: Any, record: Any, proxy: Any) -> None:
    """Ping a connection that has been idle, so that the pool replaces a dead one.

    `pool_pre_ping` would ping each time: https://docs.sqlalchemy.org/en/20/core/pooling.html
    """
    if time.monotonic() - record.info.get("used", math.inf) < IDLE_SECONDS:
        return
    try:
        dialect.do_ping(connection)
    except connection.OperationalError as error:
        raise DisconnectionError from error


def _fold(text: str | None) -> str | None:
    return None if text is None else text.casefold()


def _begin(connection: Any) -> None:
    raw = connection.dbapi_connection
    if raw.in_transaction:  # the single connection of an in-memory database may be in use elsewhere
        return
    if in_transaction():
        begin_writing(raw)
    else:
        raw.execute("BEGIN").close()


def database_bytes() -> int:
    """The size of the database, including free pages but without SQLite's journal."""
    is_sqlite = db.engine.dialect.name == "sqlite"
    pages = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
    statement = pages if is_sqlite else "SELECT pg_database_size(current_database())"
    with read_connection() as connection:
        return int(connection.execute(text(statement)).scalar_one())


def update_statistics() -> None:
    """Update PostgreSQL's planner statistics of all tables after many rows were written.

    Statements for SQLite name the indexes that they need.
    """
    if db.engine.dialect.name != "sqlite":
        with transaction() as connection:
            lift_limits(connection)
            connection.execute(text("ANALYZE"))

"""Engine, session and the one transaction; what SQLite and PostgreSQL need said differently."""

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any

import orjson
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, Engine, MetaData, event, make_url
from sqlalchemy.exc import DisconnectionError, OperationalError
from sqlalchemy.orm import DeclarativeBase

from quire.errors import Unavailable

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
BUSY_SECONDS = 5
RESTED_SECONDS = 1.0
"""After so long without use, a connection to a server may have died unnoticed."""


class Base(DeclarativeBase):
    """Every table; constraints have names, so that migrations can find them."""

    metadata = MetaData(naming_convention=NAMES)


db = SQLAlchemy(model_class=Base, disable_autonaming=True)
Model: Any = db.Model

_transaction: ContextVar[Connection | None] = ContextVar("transaction", default=None)
_afterwards: ContextVar[list[Callable[[], object]]] = ContextVar("afterwards")
_undoing: ContextVar[list[Callable[[], object]]] = ContextVar("undoing")
_single_writer = threading.Lock()


@contextmanager
def transaction() -> Iterator[Connection]:
    """A connection on which everything happens or nothing does.

    An inner transaction joins the outer one. The commit here is the only one there is. Raises
    Unavailable when the database stays locked or cannot be reached.
    """
    outer = _transaction.get()
    if outer is not None:
        yield outer
        return
    calls: list[Callable[[], object]] = []
    # SQLite has one writer: queueing here is fair, its busy handler starves threads
    with undoing(), _writer(db.engine), _reachable(), db.engine.connect() as connection:
        connection.execution_options(writes=True)
        isolate(connection, "READ COMMITTED")
        token, waiting = _transaction.set(connection), _afterwards.set(calls)
        try:
            with connection.begin():
                yield connection
            _undoing.get().clear()
        finally:
            _transaction.reset(token)
            _afterwards.reset(waiting)
    for call in calls:
        call()


@contextmanager
def undoing() -> Iterator[None]:
    """Around what is done outside of the database for a transaction that begins in the block."""
    if _undoing.get(None) is not None:
        yield
        return
    undo: list[Callable[[], object]] = []
    token = _undoing.set(undo)
    try:
        yield
    finally:
        _undoing.reset(token)
        for call in undo:
            call()


def once_committed(call: Callable[[], object]) -> None:
    """Call `call()` when the open transaction has been committed; not at all when it fails."""
    _afterwards.get().append(call)


def once_failed(call: Callable[[], object]) -> None:
    """Call `call()` unless the transaction that is open, or begins in the `undoing` around, ends well."""
    _undoing.get().append(call)


def _writer(engine: Engine) -> Any:
    return _single_writer if engine.dialect.name == "sqlite" else nullcontext()


@contextmanager
def _reachable() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        raise Unavailable(
            "The database does not answer. Try again.", headers={"Retry-After": "5"}
        ) from error


@contextmanager
def reading() -> Iterator[Connection]:
    """A connection to read on: the open transaction's, if there is one, so that it sees itself."""
    outer = _transaction.get()
    if outer is not None:
        yield outer
        return
    with _reachable(), db.engine.connect() as connection:
        yield connection


@contextmanager
def snapshot() -> Iterator[Connection]:
    """A connection that sees the database as it is at its first read, whoever writes meanwhile."""
    with _reachable(), db.engine.connect() as connection:
        isolate(connection, "REPEATABLE READ")
        yield connection


def isolate(connection: Connection, level: str) -> None:
    """Begin a transaction with the next statement; SQLite always does, and isolates fully."""
    if connection.dialect.name != "sqlite":
        connection.execution_options(isolation_level=level)


def init_app(app: Flask) -> None:
    """Connect the application to its database."""
    app.config.setdefault("SQLALCHEMY_ENGINE_OPTIONS", _engine_options(app))
    db.init_app(app)
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            _prepare_sqlite(db.engine)
        else:
            event.listen(db.engine, "checkin", _note_use)
            event.listen(db.engine, "checkout", _refuse_the_dead)


def _engine_options(app: Flask) -> dict[str, Any]:
    json: dict[str, Any] = {
        "json_serializer": lambda value: orjson.dumps(value).decode(),
        "json_deserializer": orjson.loads,
    }
    # the connection used last comes first: it has its statements, pages and values at hand
    pool = {"pool_use_lifo": True, "max_overflow": 20}
    url = make_url(app.config["SQLALCHEMY_DATABASE_URI"])
    if url.get_backend_name() == "sqlite":
        in_memory = url.database in (None, "", ":memory:")
        return json if in_memory else {"pool_size": 20, **pool, **json}
    return {
        "pool_size": 10,
        "pool_timeout": 3,
        # what only reads sees what is committed, statement by statement, with or without a
        # transaction around it: BEGIN and ROLLBACK would be two more journeys to the server
        "isolation_level": "AUTOCOMMIT",
        "connect_args": {"options": "-c timezone=UTC -c statement_timeout=30000"},
        **pool,
        **json,
    }


def _prepare_sqlite(engine: Engine) -> None:
    event.listen(engine, "connect", _on_connect)
    # not the event "begin": an engine that has events asks for them at every statement
    engine.dialect.do_begin = _begin  # type: ignore[assignment]


def _on_connect(connection: Any, record: Any) -> None:
    # None: the driver must not begin transactions by itself, it would do so after the first read
    connection.isolation_level = None
    connection.create_function("quire_fold", 1, _fold, deterministic=True)
    for pragma in (
        f"busy_timeout={BUSY_SECONDS * 1000}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "cache_size=-500",  # KiB: each thread has a connection, and the system keeps the file at hand
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def _note_use(connection: Any, record: Any) -> None:
    record.info["used"] = time.monotonic()


def _refuse_the_dead(connection: Any, record: Any, proxy: Any) -> None:
    """Ask a connection that has rested whether it lives, so that the pool tries another one.

    `pool_pre_ping` would ask each time: https://docs.sqlalchemy.org/en/20/core/pooling.html
    """
    if time.monotonic() - record.info.get("used", math.inf) < RESTED_SECONDS:
        return
    try:
        db.engine.dialect.do_ping(connection)
    except connection.OperationalError as error:
        raise DisconnectionError from error


def _fold(text: str | None) -> str | None:
    return None if text is None else text.casefold()


def _begin(connection: Any) -> None:
    raw = connection.driver_connection
    if raw.in_transaction:  # the one connection of an in-memory database may be in use outside
        return
    # a read that turns into a write cannot wait for another writer: take the lock at once
    raw.execute("BEGIN IMMEDIATE" if _transaction.get() is not None else "BEGIN").close()

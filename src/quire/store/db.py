"""Tables, connections, and the one kind of transaction with its nested parts."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from contextvars import ContextVar
from functools import partial
from typing import Any, NoReturn, Protocol

from flask import has_request_context
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, Engine, MetaData
from sqlalchemy.orm import DeclarativeBase

from quire.store.connections.kept_connection import (
    close_kept,
    first_connection,
    may_keep,
    take_kept,
)
from quire.store.connections.outages import translate_outages
from quire.store.connections.shared_commit import AsCurrent, shared_transaction
from quire.store.connections.writer_lock import limit_lock_wait, one_of_many_writers
from quire.web.current import current_application, current_request

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """The base of every table; constraints have names, so that migrations can refer to them."""

    metadata = MetaData(naming_convention=NAMES)


db = SQLAlchemy(model_class=Base, disable_autonaming=True)
Model: Any = db.Model

HAS_VERSION = {"has_version": True}
"""The `info` of a table that has a version (data_versions.py) although it belongs to no record type."""

_Begin = Callable[[], AbstractContextManager[Connection]]


class Replica(Protocol):
    """A read-only server of the same database (replica.py)."""

    def connection(self) -> AbstractContextManager[Connection]:
        """A connection to the replica, or to the primary server if the request must read from that."""


REPLICA = "quire.replica"
"""The name of the replica among the extensions of an application."""
_FROM_PRIMARY = "quire.reads_from_primary"
"""The key in a request's WSGI environment that makes it read from the primary server."""

_transaction: ContextVar[Connection | None] = ContextVar("transaction", default=None)
_begin_deferred: ContextVar[_Begin | None] = ContextVar("begin_deferred", default=None)
_on_begin: ContextVar[Callable[[Connection], object] | None] = ContextVar("on_begin", default=None)
_on_commit: ContextVar[list[Callable[[], object]]] = ContextVar("on_commit")
_on_rollback: ContextVar[list[Callable[[], object]]] = ContextVar("on_rollback")


@contextmanager
def transaction() -> Iterator[Connection]:
    """A connection on which either everything is written or nothing is.

    An inner transaction joins the outer one. This is the only place that commits. Raises Unavailable if
    the database stays locked or cannot be reached.
    """
    if (outer := _transaction.get()) is not None:
        yield outer
        return
    begin = _begin_deferred.get() or _new_transaction
    with begin() as connection:
        yield connection


@contextmanager
def _new_transaction() -> Iterator[Connection]:
    read_from_primary()
    if has_request_context():
        close_kept(current_request().environ)
    calls: list[Callable[[], object]] = []
    current = partial(_as_transaction, calls)
    begin = shared_transaction if has_one_writer() else _own_transaction
    with rollback_scope(), translate_outages():
        with begin(db.engine, current) as connection:
            if (call_first := _on_begin.get()) is not None:
                call_first(connection)
            yield connection
        _on_rollback.get().clear()
    for call in calls:
        call()


@contextmanager
def _own_transaction(engine: Engine, current: AsCurrent) -> Iterator[Connection]:
    with one_of_many_writers(), engine.connect() as connection:
        connection.execution_options(writes=True)
        isolate(connection, "READ COMMITTED")
        with current(connection), connection.begin():
            limit_lock_wait(connection)
            yield connection


@contextmanager
def _as_transaction(calls: list[Callable[[], object]], connection: Connection) -> Iterator[None]:
    """Let inner transactions join that of `connection`, and add to the `calls` made after its commit."""
    token, waiting = _transaction.set(connection), _on_commit.set(calls)
    try:
        yield
    finally:
        _transaction.reset(token)
        _on_commit.reset(waiting)


@contextmanager
def deferred_commit(on_begin: Callable[[Connection], object]) -> Iterator[None]:
    """Keep the first transaction of the block open until the block ends, so that later ones join it.

    Nothing is locked before it begins; it first calls `on_begin(connection)`, as do transactions of
    `immediate_commits` before it. If it fails, it is rolled back immediately, and the next transaction
    becomes the first. An error later in the block rolls back everything.
    """
    with rollback_scope(), ExitStack() as transactions:
        token = _begin_deferred.set(partial(_deferred_transaction, transactions))
        waiting = _on_begin.set(on_begin)
        try:
            yield
        finally:
            _begin_deferred.reset(token)
            _on_begin.reset(waiting)


@contextmanager
def _deferred_transaction(transactions: ExitStack) -> Iterator[Connection]:
    """A transaction that ends with `transactions`, or here if it fails."""
    with ExitStack() as stack:
        connection = stack.enter_context(_new_transaction())
        yield connection
        transactions.push(stack.pop_all())


def immediate_commits() -> AbstractContextManager[None]:
    """Commit the transactions of the block immediately, even within `deferred_commit`.

    For work that precedes a change: it is kept if the change is rejected, and holds no locks during it.
    """
    return nullcontext() if _begin_deferred.get() is None else _without_deferred_commit()


@contextmanager
def _without_deferred_commit() -> Iterator[None]:
    token = _begin_deferred.set(None)
    try:
        yield
    finally:
        _begin_deferred.reset(token)


def savepoint(connection: Connection) -> Any:
    """Wrap a write that may conflict with another writer, so that it alone is rolled back and can be retried.

    SQLite has one writer, so nothing can conflict between its reads and writes.
    """
    return nullcontext() if connection.dialect.name == "sqlite" else connection.begin_nested()


class _Rollback(Exception):
    """Rolls back a nested transaction without a failure."""


@contextmanager
def nested_transaction() -> Iterator[Connection]:
    """A part of a transaction that can fail alone, together with the commit callbacks that it added."""
    with suppress(_Rollback), transaction() as connection:
        callbacks = _on_commit.get()
        before, done = len(callbacks), False
        try:
            with connection.begin_nested():
                yield connection
            done = True
        finally:
            if not done:
                del callbacks[before:]


def roll_back() -> NoReturn:
    """Roll back the enclosing nested transaction without raising an error."""
    raise _Rollback


@contextmanager
def rollback_scope() -> Iterator[None]:
    """Run the `on_rollback` callbacks of the block unless its transaction succeeds."""
    if _on_rollback.get(None) is not None:
        yield
        return
    undo: list[Callable[[], object]] = []
    token = _on_rollback.set(undo)
    try:
        yield
    finally:
        _on_rollback.reset(token)
        for call in undo:
            call()


def on_commit(call: Callable[[], object]) -> None:
    """Call `call()` after the open transaction is committed; not at all if it fails."""
    _on_commit.get().append(call)


def on_rollback(call: Callable[[], object]) -> None:
    """Call `call()` unless the open transaction, or the one that begins in the `rollback_scope`, succeeds."""
    _on_rollback.get().append(call)


def is_writing(connection: Connection) -> bool:
    """Whether a connection belongs to an open transaction; reads alone hold no locks."""
    return bool(connection.get_execution_options().get("writes"))


def in_transaction() -> bool:
    """Whether a transaction is open here."""
    return _transaction.get() is not None


def has_one_writer() -> bool:
    """Whether only one transaction can write at a time, as on SQLite."""
    return db.engine.dialect.name == "sqlite"


@contextmanager
def read_connection() -> Iterator[Connection]:
    """A connection for reading: that of the open transaction, if any, so that it sees its own writes."""
    if (outer := _transaction.get()) is not None:
        yield outer
        return
    with translate_outages(), _connect_to_read() as connection:
        yield connection


def _connect_to_read() -> AbstractContextManager[Connection]:
    if has_request_context() and (kept := take_kept(current_request().environ)) is not None:
        return kept
    replica: Replica | None = current_application().extensions.get(REPLICA)
    return db.engine.connect() if replica is None else replica.connection()


@contextmanager
def credential_connection() -> Iterator[Connection]:
    """A connection for looking up credentials, reused by the next read of the request where that is allowed."""
    environ = current_request().environ if has_request_context() else {}
    if in_transaction() or not may_keep(environ):
        with read_connection() as connection:
            yield connection
        return
    with translate_outages(), first_connection(db.engine, environ) as connection:
        yield connection


def read_from_primary() -> None:
    """Make the rest of the request read from the primary server, for instance after its own change."""
    if has_request_context():
        current_request().environ[_FROM_PRIMARY] = True


def reads_from_primary(environ: Mapping[str, Any]) -> bool:
    """Whether the request with this environment reads from the primary server."""
    return _FROM_PRIMARY in environ


@contextmanager
def snapshot() -> Iterator[Connection]:
    """A connection that sees the database as of its first read, regardless of later writes."""
    with translate_outages(), db.engine.connect() as connection:
        isolate(connection, "REPEATABLE READ")
        lift_limits(connection)
        yield connection


def lift_limits(connection: Connection) -> None:
    """Remove the time limits of a transaction, for migrations and whole exports."""
    if connection.dialect.name != "sqlite":
        connection.exec_driver_sql(
            "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0; "
            "SET LOCAL idle_in_transaction_session_timeout = 0"
        )


def isolate(connection: Connection, level: str) -> None:
    """Begin a transaction of this isolation level with the next statement; SQLite always does, and isolates fully."""
    if connection.dialect.name != "sqlite":
        connection.execution_options(isolation_level=level)

"""Tables, connections, and the one transaction with its nested parts."""

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
    """Every table; constraints have names, so that migrations can find them."""

    metadata = MetaData(naming_convention=NAMES)


db = SQLAlchemy(model_class=Base, disable_autonaming=True)
Model: Any = db.Model

HAS_VERSION = {"has_version": True}
"""The `info` of a table that has a version (data_versions.py) although it is that of no record."""

_Begin = Callable[[], AbstractContextManager[Connection]]


class Replica(Protocol):
    """Another server of the same database, which only reads (replica.py)."""

    def connection(self) -> AbstractContextManager[Connection]:
        """A connection to it, or to the primary server where the request must read from that."""


REPLICA = "quire.replica"
"""The name of the replica among the extensions of an application."""
_FROM_PRIMARY = "quire.reads_from_primary"
"""Where the environment of a request keeps that it reads from the primary server."""

_transaction: ContextVar[Connection | None] = ContextVar("transaction", default=None)
_begin_deferred: ContextVar[_Begin | None] = ContextVar("begin_deferred", default=None)
_on_begin: ContextVar[Callable[[Connection], object] | None] = ContextVar("on_begin", default=None)
_on_commit: ContextVar[list[Callable[[], object]]] = ContextVar("on_commit")
_on_rollback: ContextVar[list[Callable[[], object]]] = ContextVar("on_rollback")


@contextmanager
def transaction() -> Iterator[Connection]:
    """A connection on which either everything is written or nothing.

    An inner transaction joins the outer one. The commit here is the only one there is. Raises
    Unavailable when the database stays locked or cannot be reached.
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
    """Let inner transactions join that of `connection`, and add to the `calls` that follow its commit."""
    token, waiting = _transaction.set(connection), _on_commit.set(calls)
    try:
        yield
    finally:
        _transaction.reset(token)
        _on_commit.reset(waiting)


@contextmanager
def deferred_commit(on_begin: Callable[[Connection], object]) -> Iterator[None]:
    """Keep the first transaction of the block open until its end, so that the others join it.

    Nothing is locked before it begins; it then calls `on_begin(connection)` first, as do those of
    `immediate_commits` before it. If it fails, it is rolled back at once, and the next transaction is
    the first. An error later in the block rolls back everything.
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
    """A transaction that ends with `transactions`, or here when it fails."""
    with ExitStack() as stack:
        connection = stack.enter_context(_new_transaction())
        yield connection
        transactions.push(stack.pop_all())


def immediate_commits() -> AbstractContextManager[None]:
    """Commit the transactions of the block at once, even within `deferred_commit`.

    For what comes before a change: it stays if the change is refused, and locks nothing meanwhile.
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
    """Around a write that may conflict with another writer: it is rolled back alone and can be retried.

    SQLite has one writer, so nothing conflicts between its reads and its writes.
    """
    return nullcontext() if connection.dialect.name == "sqlite" else connection.begin_nested()


class _Rollback(Exception):
    """Rolls back a nested transaction although nothing has failed."""


@contextmanager
def nested_transaction() -> Iterator[Connection]:
    """A part of a transaction that fails alone, with the callbacks it has added for the commit."""
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
    """Roll back the enclosing nested transaction, without an error."""
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
    """Call `call()` when the open transaction has been committed; not at all when it fails."""
    _on_commit.get().append(call)


def on_rollback(call: Callable[[], object]) -> None:
    """Call `call()` unless the transaction that is open, or begins in the `rollback_scope`, succeeds."""
    _on_rollback.get().append(call)


def is_writing(connection: Connection) -> bool:
    """Whether it belongs to an open transaction; what only reads locks nothing."""
    return bool(connection.get_execution_options().get("writes"))


def in_transaction() -> bool:
    """Whether a transaction is open here."""
    return _transaction.get() is not None


def has_one_writer() -> bool:
    """Whether the database, as SQLite does, lets one transaction write at a time."""
    return db.engine.dialect.name == "sqlite"


@contextmanager
def read_connection() -> Iterator[Connection]:
    """A connection to read on: the open transaction's, if there is one, so that it sees itself."""
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
    """A connection to look up who asks, which the next read of the request uses, too, where that is allowed."""
    environ = current_request().environ if has_request_context() else {}
    if in_transaction() or not may_keep(environ):
        with read_connection() as connection:
            yield connection
        return
    with translate_outages(), first_connection(db.engine, environ) as connection:
        yield connection


def read_from_primary() -> None:
    """Let the rest of the request read from the primary server, as after a change of its own."""
    if has_request_context():
        current_request().environ[_FROM_PRIMARY] = True


def reads_from_primary(environ: Mapping[str, Any]) -> bool:
    """Whether the request with this environment reads from the primary server."""
    return _FROM_PRIMARY in environ


@contextmanager
def snapshot() -> Iterator[Connection]:
    """A connection that sees the database as it was at its first read, whoever writes meanwhile."""
    with translate_outages(), db.engine.connect() as connection:
        isolate(connection, "REPEATABLE READ")
        lift_limits(connection)
        yield connection


def lift_limits(connection: Connection) -> None:
    """Let the transaction take as long as it takes, and wait for locks: migrations, whole exports."""
    if connection.dialect.name != "sqlite":
        connection.exec_driver_sql(
            "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0; "
            "SET LOCAL idle_in_transaction_session_timeout = 0"
        )


def isolate(connection: Connection, level: str) -> None:
    """Begin a transaction with the next statement; SQLite always does, and isolates fully."""
    if connection.dialect.name != "sqlite":
        connection.execution_options(isolation_level=level)

"""Versions of tables: a result stays valid while the versions of the tables it was read from are the same.

Each commit gives the tables it has changed new versions, in the last statement of its transaction.
The tables are recognised from the text of each statement (version_names.py).
"""

import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Engine,
    Integer,
    String,
    cast,
    func,
    select,
)
from sqlalchemy.orm import Mapped, mapped_column

from quire.store.connections.deferred_statements import DEFERRED, FilledStatement, run_together
from quire.store.db import Model
from quire.store.version_names import ANY_ROW, access_of

SHARDS = 16
"""Rows per version on PostgreSQL, so that two writers of one type rarely wait for each other's commit."""
_written: dict[int, set[str]] = {}
"""The versions to raise for each open transaction, by the id of the driver's connection."""
_reading: ContextVar[set[str] | None] = ContextVar("reading", default=None)
_named: ContextVar[frozenset[str]] = ContextVar("named", default=frozenset())


class DataVersion(Model):
    """One part of the version of a table or counter; the version consists of all parts.

    Versions are random, so that none recurs, even after a restore from a backup.
    """

    __tablename__ = "data_versions"

    name: Mapped[str] = mapped_column(String(130), primary_key=True)
    shard: Mapped[int] = mapped_column(Integer(), primary_key=True, autoincrement=False)
    version: Mapped[int] = mapped_column(BigInteger())


@contextmanager
def collect_reads() -> Iterator[set[str]]:
    """Collect the names of the versions that statements in the block depend on, UNKNOWN for tables without one."""
    names: set[str] = set()
    token = _reading.set(names)
    try:
        yield names
    finally:
        _reading.reset(token)
        note_reads(names)


@contextmanager
def rows_are_named(tables: Iterable[str]) -> Iterator[None]:
    """Declare that events name the rows of these tables that statements in the block change."""
    token = _named.set(frozenset(table + ANY_ROW for table in tables))
    try:
        yield
    finally:
        _named.reset(token)


@contextmanager
def ignore_reads() -> Iterator[None]:
    """Exclude statements in the block from `collect_reads`."""
    token = _reading.set(None)
    try:
        yield
    finally:
        _reading.reset(token)


def note_reads(names: Iterable[str]) -> None:
    """Add these versions to those that the current block depends on."""
    outer = _reading.get()
    if outer is not None:
        outer.update(names)


def version_column(dialect: str) -> ColumnElement[str]:
    """All versions in one column, for `parse_versions`."""
    table = DataVersion.__table__
    gather = func.group_concat if dialect == "sqlite" else func.string_agg
    part = table.c.name + "=" + cast(table.c.version, String())
    column: ColumnElement[str] = select(gather(part, " ")).scalar_subquery()
    return column


def parse_versions(text: str | None) -> dict[str, tuple[str, ...]]:
    """The versions by name; tables that never changed are missing."""
    parts: dict[str, list[str]] = {}
    for one in (text or "").split():
        name, _, version = one.partition("=")
        parts.setdefault(name, []).append(version)
    return {name: tuple(sorted(versions)) for name, versions in parts.items()}


def track(engine: Engine, timed_cursor: Callable[[Any], Any]) -> None:
    """Record what statements of `engine` read and write, and raise versions when it commits.

    This wraps methods of the dialect, because SQLAlchemy's events would cost time at every statement.
    `timed_cursor(connection)`, a cursor of the driver, sends several statements as one.
    """
    dialect: Any = engine.dialect
    for name in ("do_execute", "do_executemany"):
        setattr(dialect, name, _note_access(getattr(dialect, name)))
        if dialect.name != "sqlite":  # SQLite runs every statement immediately
            setattr(dialect, name, _after_deferred(getattr(dialect, name), timed_cursor))
    commit, rollback = dialect.do_commit, dialect.do_rollback

    def do_commit(connection: Any) -> None:
        raw = connection.dbapi_connection
        deferred, names = _note_deferred(raw), _written.pop(id(raw), set())
        if names and dialect.name == "sqlite":
            _raise_on_sqlite(raw, sorted(names))
        elif names or deferred:
            _raise_and_commit(timed_cursor(raw), sorted(names), deferred)
        commit(connection)

    def do_rollback(connection: Any) -> None:
        _written.pop(id(connection.dbapi_connection), None)
        if DEFERRED:
            DEFERRED.pop(connection.dbapi_connection, None)
        rollback(connection)

    dialect.do_commit, dialect.do_rollback = do_commit, do_rollback


def forget_writes(connection: Connection) -> None:
    """Raise no version when `connection` commits, because the table may not exist yet, as in migrations."""
    _written.pop(id(connection.connection.dbapi_connection), None)


def _note_access(run: Callable[..., None]) -> Callable[..., None]:
    def run_and_note(cursor: Any, statement: str, parameters: Any, context: Any = None) -> None:
        access = access_of(statement)
        if (reading := _reading.get()) is not None:
            reading |= access.reads
        if access.writes and not statement.startswith("SELECT"):
            _note_writes(cursor.connection, access.writes - _named.get())
        run(cursor, statement, parameters, context)

    return run_and_note


def _after_deferred(
    run: Callable[..., None], timed_cursor: Callable[[Any], Any]
) -> Callable[..., None]:
    def after_deferred(cursor: Any, statement: str, *rest: Any) -> None:
        if DEFERRED and (deferred := _note_deferred(cursor.connection)):
            run_together(timed_cursor(cursor.connection), deferred)
        run(cursor, statement, *rest)

    return after_deferred


def _note_deferred(raw: Any) -> list[FilledStatement]:
    """Take the deferred statements of a connection, which are about to be sent; they write no rows that events name."""
    deferred = DEFERRED.pop(raw, []) if DEFERRED else []
    for one in deferred:
        _note_writes(raw, access_of(one.template).writes)
    return deferred


def _note_writes(raw: Any, names: frozenset[str]) -> None:
    """Record the versions that a statement raises."""
    _written.setdefault(id(raw), set()).update(names)


_UPSERT = (
    "INSERT INTO data_versions (name, shard, version) {values} "
    "ON CONFLICT (name, shard) DO UPDATE SET version = excluded.version"
)


_UPSERT_ON_SQLITE = _UPSERT.format(values="VALUES (?, 0, ?)")


def _raise_on_sqlite(raw: Any, names: list[str]) -> None:
    version = secrets.randbits(62)
    raw.executemany(_UPSERT_ON_SQLITE, [(name, version) for name in names]).close()


def _raise_and_commit(cursor: Any, names: list[str], statements: list[FilledStatement]) -> None:
    """Run deferred statements, raise versions and commit in one message, so that locks are held only that long.

    The names are our own tables and columns, sorted, so that writers cannot deadlock.
    """
    if names:
        version = secrets.randbits(62)
        rows = ", ".join(f"('{name}', {version})" for name in names)
        raised = f"(VALUES {rows}) AS raised (name, version)"
        values = f"SELECT name, pg_backend_pid() % {SHARDS}, version FROM {raised}"  # noqa: S608
        statements.append(
            FilledStatement(_UPSERT.format(values="..."), _UPSERT.format(values=values))
        )
    if not cursor.connection.autocommit:
        statements.append(FilledStatement("COMMIT", "COMMIT"))
    run_together(cursor, statements)

"""Versions of tables: what was read from one is as it was while its version is the same.

Each commit gives the tables that it changed new versions, as the last statement of its transaction.
Statements are read here for the tables that they name, so that no writer and no reader can forget one.
A table that no reader sees, such as that of jobs, has no version. A counter that others follow at once
has one of its own (`posts.comment_count`), as choices that are kept without a version of their record
have; counts of use, such as views, have none.
"""

import re
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Any, NamedTuple

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

from quire.declare.record import REGISTRY, find_record
from quire.declare.rules import NOBODY
from quire.store.connections.deferred_statements import DEFERRED, run_together
from quire.store.db import HAS_VERSION, Model
from quire.store.search.documents import FTS_TABLE, SearchDocument

SHARDS = 16
"""Rows of each version on PostgreSQL: two writers of one type rarely wait for each other's commit."""
UNKNOWN = ""
"""The name, among those that a statement reads, of all that has no version."""
USE = "use of "
"""The beginning of the names, among those, of counts of use, which have no version either."""
ANY_ROW = ".*"
"""The end of the name, behind that of a table, of the version of changes that no event names rows for."""
_WRITES = re.compile(r"\b(INSERT INTO|UPDATE|DELETE FROM)\s+(\w+)", re.IGNORECASE)
_SET = re.compile(r"\bSET\s(.*?)(?:\bWHERE\b|\bRETURNING\b|$)", re.IGNORECASE | re.DOTALL)
_ASSIGNED = re.compile(r"(?:^|,)\s*(\w+)\s*=")
_WORD = re.compile(r"(?<![\w.'])(?<!\bAS )(\w+)(?![\w.'(])")
_REAL_TABLES = {FTS_TABLE: SearchDocument.__tablename__}
_written: dict[int, set[str]] = {}
"""The names of what open transactions have written, by the id of the driver's connection."""
_reading: ContextVar[set[str] | None] = ContextVar("reading", default=None)
_named: ContextVar[str] = ContextVar("named", default="")


class DataVersion(Model):
    """A part of the version of a table or counter; the version is that of all its parts.

    Versions are random, so that none comes again, not even when a backup is restored.
    """

    __tablename__ = "data_versions"

    name: Mapped[str] = mapped_column(String(130), primary_key=True)
    shard: Mapped[int] = mapped_column(Integer(), primary_key=True, autoincrement=False)
    version: Mapped[int] = mapped_column(BigInteger())


class Access(NamedTuple):
    """The names of versions that a statement depends on, and of those that it changes."""

    reads: frozenset[str]
    writes: frozenset[str]


@contextmanager
def collect_reads() -> Iterator[set[str]]:
    """Names of the versions that the statements of the block depend on, UNKNOWN where one has none."""
    names: set[str] = set()
    token = _reading.set(names)
    try:
        yield names
    finally:
        _reading.reset(token)
        note_reads(names)


@contextmanager
def rows_are_named(table: str) -> Iterator[None]:
    """Events name the rows of this table that the statements of the block change."""
    token = _named.set(table)
    try:
        yield
    finally:
        _named.reset(token)


@contextmanager
def ignore_reads() -> Iterator[None]:
    """Nothing depends on what the statements of the block read."""
    token = _reading.set(None)
    try:
        yield
    finally:
        _reading.reset(token)


def note_reads(names: Iterable[str]) -> None:
    """What is computed here depends on these versions too."""
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
    """The versions by name; what has never been changed is not among them."""
    parts: dict[str, list[str]] = {}
    for one in (text or "").split():
        name, _, version = one.partition("=")
        parts.setdefault(name, []).append(version)
    return {name: tuple(sorted(versions)) for name, versions in parts.items()}


def track(engine: Engine) -> None:
    """Note what statements of `engine` read and write, and raise versions when it commits.

    By the methods of its dialect: events of SQLAlchemy would be asked for at every statement.
    """
    dialect: Any = engine.dialect
    for name in ("do_execute", "do_executemany"):
        setattr(dialect, name, _noting(getattr(dialect, name)))
    commit, rollback = dialect.do_commit, dialect.do_rollback
    raise_versions = _raise_on_sqlite if dialect.name == "sqlite" else _raise_and_commit

    def do_commit(connection: Any) -> None:
        raw = connection.driver_connection
        deferred, names = _note_deferred(raw), _written.pop(id(raw), set())
        if names or deferred:
            raise_versions(raw, sorted(names), deferred)
        commit(connection)

    def do_rollback(connection: Any) -> None:
        _written.pop(id(connection.driver_connection), None)
        if DEFERRED:
            DEFERRED.pop(connection.driver_connection, None)
        rollback(connection)

    dialect.do_commit, dialect.do_rollback = do_commit, do_rollback


def forget_writes(connection: Connection) -> None:
    """Raise no version when `connection` commits: there may be no table of them, as in migrations."""
    _written.pop(id(connection.connection.driver_connection), None)


def _noting(run: Callable[..., None]) -> Callable[..., None]:
    def noting(cursor: Any, statement: str, parameters: Any, context: Any = None) -> None:
        reading = _reading.get()
        if reading is not None:
            reading |= access_of(statement).reads
        if DEFERRED and (deferred := _note_deferred(cursor.connection)):
            run_together(cursor.connection, deferred)
        if not statement.startswith("SELECT"):
            _note_writes(cursor.connection, statement, _named.get() + ANY_ROW)
        run(cursor, statement, parameters, context)

    return noting


def _note_deferred(raw: Any) -> list[str]:
    """What waits on a connection, to be sent now; it writes no rows that events name."""
    deferred = DEFERRED.pop(raw, []) if DEFERRED else []
    for one in deferred:
        _note_writes(raw, one.template)
    return [one.text for one in deferred]


def _note_writes(raw: Any, statement: str, named: str = "") -> None:
    """Note the versions that a statement raises, but for that of rows that are `named` elsewhere."""
    if writes := access_of(statement).writes - {named}:
        _written.setdefault(id(raw), set()).update(writes)


_UPSERT = (
    "INSERT INTO data_versions (name, shard, version) {values} "
    "ON CONFLICT (name, shard) DO UPDATE SET version = excluded.version"
)


def _raise_on_sqlite(raw: Any, names: list[str], _deferred: list[str]) -> None:
    rows = [(name, secrets.randbits(62)) for name in names]
    raw.executemany(_UPSERT.format(values="VALUES (?, 0, ?)"), rows).close()


def _raise_and_commit(raw: Any, names: list[str], deferred: list[str]) -> None:
    """Run what is deferred, raise them and commit in one message: no lock lasts longer than that.

    The names are tables and columns of ours, in one order, so that no two writers wait for each other.
    """
    statements = deferred
    if names:
        rows = ", ".join(f"('{name}', {secrets.randbits(62)})" for name in names)
        raised = f"(VALUES {rows}) AS raised (name, version)"
        values = f"SELECT name, pg_backend_pid() % {SHARDS}, version FROM {raised}"  # noqa: S608
        statements = [*deferred, _UPSERT.format(values=values)]
    run_together(raw, statements if raw.autocommit else [*statements, "COMMIT"])


@lru_cache(2000)
def access_of(statement: str) -> Access:
    """What a statement reads and writes, by the names in its text; rather too much than too little."""
    words = (_REAL_TABLES.get(word, word) for word in _WORD.findall(statement))
    tables = set(words) & Model.metadata.tables.keys()
    reads = {name for table in tables for name in _names_read(table, statement)}
    writes = {
        name
        for verb, table in _WRITES.findall(statement)
        if table in Model.metadata.tables
        for name in _names_written(verb.upper(), table, statement)
    }
    return Access(frozenset(reads), frozenset(writes))


def _names_read(table: str, statement: str) -> Iterator[str]:
    if not _has_version(table):
        yield UNKNOWN
        return
    yield table
    for column, is_followed in _counters(table).items():
        if f".{column}" in statement:
            yield f"{table}.{column}" if is_followed else f"{USE}{table}.{column}"


def _names_written(verb: str, table: str, statement: str) -> Iterator[str]:
    if verb == "DELETE FROM":
        for one in filter(_has_version, _changed_by_deletion(table)):
            yield from (one, one + ANY_ROW)
        return
    if not _has_version(table):
        return
    assigned = _SET.search(statement)
    columns = set(_ASSIGNED.findall(assigned[1])) if assigned and verb == "UPDATE" else set()
    counters, unseen = _counters(table), _unseen_columns(table)
    if not columns or columns - counters.keys() - unseen:
        yield from (table, table + ANY_ROW)
    else:
        yield from (f"{table}.{one}" for one in columns if counters.get(one))


def _changed_by_deletion(table: str, visited_tables: frozenset[str] = frozenset()) -> set[str]:
    """The table, and those in which the database deletes or changes rows because of its own."""
    names = {table}
    for other in Model.metadata.tables.values():
        keys = (one for one in other.foreign_keys if one.column.table.name == table)
        if other.name not in visited_tables | names and any(
            key.ondelete != "RESTRICT" for key in keys
        ):
            names |= _changed_by_deletion(other.name, visited_tables | names)
    return names


def _has_version(table: str) -> bool:
    """Whether it is read for many requests: records that people change, their links, what says so."""
    if Model.metadata.tables[table].info.items() >= HAS_VERSION.items():
        return True
    record = find_record(table)
    if record is not None:
        return record.is_versioned and record.access.update is not NOBODY
    links = (field.many for one in REGISTRY.values() for field in one.many_fields)
    return any(one is not None and one.table.name == table for one in links)


def _counters(table: str) -> dict[str, bool]:
    """The columns that change without a version of the record, and whether others follow them at once."""
    record = find_record(table)
    if record is None:
        return {}
    return {
        one.column.name: not one.counts_use
        for one in record.fields
        if one.counter and one.is_stored
    }


def _unseen_columns(table: str) -> set[str]:
    record = find_record(table)
    if record is None:
        return set()
    order = {name.removeprefix("-") for name in record.order}
    hidden = (one for one in record.fields if one.read_rule is NOBODY and one.computed)
    return {one.column.name for one in hidden if one.is_stored and one.name not in order}

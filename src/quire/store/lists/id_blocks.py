"""Reads all rows of a large table in blocks of ids; after a change, only the blocks of changed rows are read again.

The outbox names the rows that changes have affected, and publication times those affected by the clock. Anything
that affects rows in other ways raises a version of its own (`version_names.ANY_ROW`), after which all blocks are
read.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache, lru_cache
from itertools import islice
from typing import Any

from flask import current_app
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Dialect,
    Select,
    bindparam,
    or_,
    select,
    union,
)

from quire.declare.record import Record, record_of
from quire.declare.sql_types import UTCDateTime
from quire.store.cache import MAX_AGE
from quire.store.connections.prepared_statements import Prepared, Unprepared, prepare
from quire.store.data_versions import ignore_reads, note_reads
from quire.store.database_state import DatabaseState
from quire.store.events.feed_position import FeedPosition, position_column
from quire.store.events.outbox import OutboxEvent
from quire.store.version_names import ANY_ROW, access_of

BLOCK = 5000
"""The number of ids in a block; the first id is 1."""
MAX_BLOCKS = 200
"""The maximum number of blocks that are read one by one; if more have changed, all are."""
MAX_CHANGES = 1000
"""The maximum number of changed rows that are looked up one by one; after more, all blocks are read."""
CHECKED = 200
"""One of this many blocks is read again each minute, since rows may have been changed without Quire."""
_LAST_ID = 2**63 - 1
_outbox = OutboxEvent.__table__


@dataclass(frozen=True, slots=True)
class Blocks:
    """What was read for each block, the least recently read first, and the state of the database at that time.

    `until` is the time of the next scheduled change, `checked` when blocks were last found unchanged.
    """

    values: dict[int, Any]
    any_row: Any
    feed: FeedPosition
    moment: datetime
    until: datetime
    checked: datetime

    def holds(self, state: DatabaseState, tables: Iterable[str]) -> bool:
        """Whether they are right except for rows changed since, and those are still known."""
        if self.any_row != _version_of_any_row(state, tables) or state.feed is None:
            return False
        # events are deleted after CHANGES_DAYS
        limit = timedelta(days=current_app.config["CHANGES_DAYS"]) / 2
        return state.feed.epoch == self.feed.epoch and abs(state.now - self.moment) < limit


@dataclass(frozen=True, eq=False)
class BlockQuery:
    """What is read of a type: rows that begin with a block number; `value` converts them to what is cached, as JSON.

    `every` returns those of all blocks, `part` those of ids from `:first_id` to `:last_id`.
    """

    record: Record
    every: Select[Any]
    part: Select[Any]
    value: Callable[[list[Any]], Any]


@lru_cache(500)
def compiled_part(query: BlockQuery, dialect: Dialect) -> tuple[str, dict[str, Any]]:
    """The text of `query.part`, and the values in it."""
    compiled = query.part.compile(dialect=dialect)
    return str(compiled), dict(compiled.params)


def tables_read(query: BlockQuery, dialect: Dialect) -> frozenset[str]:
    """The names of the versions that it depends on."""
    return access_of(compiled_part(query, dialect)[0]).reads


def can_be_kept(query: BlockQuery, dialect: Dialect) -> bool:
    """Whether it only reads tables for which the changed rows are known: the type, and what determines its
    visibility.
    """
    return tables_read(query, dialect) <= {query.record.table.name, *_parents(query.record)}


def block_column(record: Record) -> ColumnElement[int]:
    """Return the block number of each row."""
    column: ColumnElement[int] = ((record.table.c.id - 1) // BLOCK).label("block")
    return column


def in_part(rows: Select[Any], record: Record, hint: str = "NOT INDEXED") -> Select[Any]:
    """Return those of `rows` that `BlockQuery.part` reads; SQLite is told to look them up by id."""
    first, last = (bindparam(name, type_=BigInteger) for name in ("first_id", "last_id"))
    by_id = rows.with_hint(record.table, hint, "sqlite")
    return by_id.where(record.table.c.id.between(first, last))


def current_blocks(
    connection: Connection,
    state: DatabaseState,
    query: BlockQuery,
    values: dict[str, Any],
    before: Blocks | None,
) -> Blocks:
    """Return the current blocks: if some were read before, only changed ones are read again.

    `state` is what the connection sees, and has a position in the feed.
    """
    tables = tables_read(query, connection.dialect)
    note_reads(tables)
    changed = None
    if before is not None and before.holds(state, tables):
        changed = _changed_blocks(connection, query.record, tables, before, state.now)
    if before is None or changed is None:
        return blocks_of(state, tables, read_all(connection, query, values))
    is_due = abs(state.now - before.checked) >= MAX_AGE
    if is_due:
        changed |= set(islice(before.values, 1 + len(before.values) // CHECKED))
    read: dict[int, Any] = {}
    for block in changed:
        read |= _read(connection, query, values, block * BLOCK + 1, (block + 1) * BLOCK)
    if is_due:
        newest = max([*before.values, *changed], default=-1)
        read |= _read(connection, query, values, (newest + 1) * BLOCK + 1, _LAST_ID)
    others = {block: one for block, one in before.values.items() if block not in changed}
    checked = state.now if is_due else before.checked
    return replace(blocks_of(state, tables, others | read), checked=checked)


def blocks_of(state: DatabaseState, tables: Iterable[str], values: dict[int, Any]) -> Blocks:
    """Return blocks that were all read now; `state` has a position in the feed."""
    assert state.feed is not None
    any_row = _version_of_any_row(state, tables)
    return Blocks(values, any_row, state.feed, state.now, state.until, state.now)


def read_all(connection: Connection, query: BlockQuery, values: dict[str, Any]) -> dict[int, Any]:
    """Return what is cached of all blocks that are not empty."""
    return _by_block(query, connection.execute(query.every, values).all())


def _read(
    connection: Connection, query: BlockQuery, values: dict[str, Any], first_id: int, last_id: int
) -> dict[int, Any]:
    """Return what is cached of the blocks of these ids that are not empty."""
    ids = {"first_id": first_id, "last_id": last_id}
    return _by_block(query, connection.execute(query.part, values | ids).all())


def _by_block(query: BlockQuery, rows: Iterable[Any]) -> dict[int, Any]:
    by_block: dict[int, list[Any]] = {}
    for block, *row in rows:
        by_block.setdefault(int(block), []).append(row)
    return {block: query.value(rows) for block, rows in by_block.items()}


def _version_of_any_row(state: DatabaseState, tables: Iterable[str]) -> Any:
    """Return the version for changes whose rows no event names, as in JSON."""
    return [[*state.versions.get(table + ANY_ROW, ())] for table in sorted(tables)]


@cache
def _parents(record: Record) -> dict[str, Any]:
    """Return the tables whose rows determine who sees a record, with the columns that refer to them."""
    references = (one.reference for one in record.access.read.walk() if one.reference)
    return {table: column for column, table, _ in references}


def _changed_blocks(
    connection: Connection,
    record: Record,
    tables: Iterable[str],
    before: Blocks,
    moment: datetime,
) -> set[int] | None:
    """Return the blocks of rows that have changed, or whose parents have; None if they are many."""
    changed = set(_find_changed(connection, record, before, moment, True))
    for table, column in _parents(record).items():
        if table not in tables:
            continue
        ids = changed_ids(connection, record_of(table), before, moment)
        if ids is None:
            return None
        children = select(block_column(record)).where(column.in_(ids)).distinct()
        with ignore_reads():
            found = connection.execute(children.limit(MAX_BLOCKS + 1)) if ids else ()
            changed |= {int(block) for (block,) in found}
    return None if len(changed) > MAX_BLOCKS else changed


def changed_ids(
    connection: Connection, record: Record, before: Blocks, moment: datetime
) -> list[int] | None:
    """Return the ids of rows changed since, by requests or by the clock; None if there are too many."""
    ids = _find_changed(connection, record, before, moment, False)
    return None if len(ids) > MAX_CHANGES else ids


def _find_changed(
    connection: Connection, record: Record, before: Blocks, moment: datetime, by_block: bool
) -> list[int]:
    """Return the ids of changed rows, or their blocks; one more than allowed if there are too many."""
    values = {
        "type": record.path,
        "last": before.feed.last,
        "earlier": min(before.moment, moment),
        "later": max(before.moment, moment),
        "limit": (MAX_BLOCKS if by_block else MAX_CHANGES) + 1,
    }
    with ignore_reads():
        rows = _changed_rows(record, connection.dialect.name, by_block)(connection, values)
    return [int(one) for (one,) in rows]


@lru_cache(100)
def _changed_rows(record: Record, dialect: str, by_block: bool) -> Prepared | Unprepared:
    place, last = position_column(dialect), bindparam("last", type_=BigInteger())
    # events without a position come after all that have one
    is_behind = place > last if dialect == "sqlite" else or_(place > last, place.is_(None))
    events = select(_outbox.c.record_id.label("id"))
    events = events.where(is_behind, _outbox.c.type == bindparam("type"))
    earlier, later = (bindparam(name, type_=UTCDateTime()) for name in ("earlier", "later"))
    by_clock = (
        select(record.table.c.id).where(one > earlier, one <= later)
        for one in record.schedule_columns
    )
    id = union(events, *by_clock).subquery("changed").c.id
    number = (id - 1) // BLOCK if by_block else id
    return prepare(select(number).distinct().limit(bindparam("limit", type_=BigInteger())))

"""Totals of large lists, kept in blocks of ids: after a change only the blocks of the changed rows are counted.

The outbox names the rows that a change has touched. What touches rows in other ways raises a version of
its own (`version_names.ANY_ROW`), after which all blocks are counted.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache, lru_cache
from time import perf_counter
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import BigInteger, Connection, Engine, Select, bindparam, func, or_, select

from quire.declare.record import Record, record_of
from quire.store.cache import MAX_AGE, count_now
from quire.store.data_versions import collect_reads, ignore_reads, note_reads
from quire.store.database_state import DatabaseState
from quire.store.events.feed_position import FeedPosition, position_column
from quire.store.events.outbox import OutboxEvent
from quire.store.lists.index_hints import hint_by_id
from quire.store.lists.plan import Plan
from quire.store.lists.statements import MAX_PLANS
from quire.store.version_names import ANY_ROW

BLOCK = 5000
"""Ids in one block."""
MIN_ROWS = 20_000
"""Lists of fewer rows are counted as a whole,"""
SLOW = 0.05
"""unless that takes so many seconds, since no index tells which rows of a large table are listed."""
MOST_CHANGES = 200
"""So many changed rows are looked up; after more, all blocks are counted."""
MAX_LISTS = 100
"""Lists of one process whose blocks are kept."""
_outbox = OutboxEvent.__table__


@dataclass(frozen=True, slots=True)
class Blocks:
    """The rows of a list in each block, as of a place in the feed; they hold until the clock changes them."""

    numbers: dict[int, int]
    any_row: Any
    feed: FeedPosition
    since: datetime
    until: datetime

    def holds(self, state: DatabaseState, any_row: Any) -> bool:
        """Whether they are right but for the changes behind their place."""
        is_present = self.since <= state.now < self.until and self.any_row == any_row
        return is_present and state.feed is not None and state.feed.epoch == self.feed.epoch


@dataclass(frozen=True, slots=True)
class LargeList:
    """A large list: the tables that it reads, and its blocks, None where all are counted."""

    tables: frozenset[str]
    blocks: Blocks | None = None


_lists: WeakKeyDictionary[Engine, dict[Any, LargeList]] = WeakKeyDictionary()
"""The large lists by their keys."""


def is_of_one_table(engine: Engine, key: Any) -> bool:
    """Whether the list that `key` stands for is counted in blocks, and reads its own table alone."""
    counted = _lists.get(engine, {}).get(key)
    return counted is not None and len(counted.tables) == 1


def version_of_any_row(state: DatabaseState, tables: Iterable[str]) -> Any:
    """What changes with what no event names rows for."""
    return [state.versions.get(table + ANY_ROW, ()) for table in sorted(tables)]


def blocks_of(state: DatabaseState, tables: Iterable[str], numbers: dict[int, int]) -> Blocks:
    """Blocks that were all counted now; `state` has a place in the feed."""
    assert state.feed is not None
    until = min(state.until, state.now + MAX_AGE)
    return Blocks(numbers, version_of_any_row(state, tables), state.feed, state.now, until)


def count(
    connection: Connection, state: DatabaseState, key: Any, plan: Plan, values: dict[str, Any]
) -> int:
    """How many rows a list has; `key` stands for the list and its values but the time."""
    lists = _lists.setdefault(connection.engine, {})
    if state.feed is None or key not in lists:
        return _count_whole(connection, lists, key, plan, values)
    tables, before = lists[key].tables, lists[key].blocks
    ids = None
    if before is not None and before.holds(state, version_of_any_row(state, tables)):
        ids = _affected_ids(connection, plan.record, tables, before.feed.last)
    if before is None or ids is None:
        blocks = blocks_of(state, tables, _count_all(connection, plan, values))
    else:
        changed = {id // BLOCK for id in ids}
        parts = {block: _count_block(connection, plan, values, block) for block in changed}
        blocks = replace(before, numbers=before.numbers | parts, feed=state.feed)
    note_reads(tables)
    lists[key] = LargeList(tables, blocks)
    return sum(blocks.numbers.values())


def _count_whole(
    connection: Connection,
    lists: dict[Any, LargeList],
    key: Any,
    plan: Plan,
    values: dict[str, Any],
) -> int:
    begun = perf_counter()
    with collect_reads() as names:
        number = count_now(connection, plan.count, values)[0]
    is_large = number >= MIN_ROWS or perf_counter() - begun > SLOW
    if is_large and names <= {plan.record.table.name, *_parents(plan.record)}:
        if len(lists) >= MAX_LISTS:
            lists.clear()
        lists[key] = LargeList(frozenset(names))
    return number


@cache
def _parents(record: Record) -> dict[str, Any]:
    """The tables on whose rows it depends who sees a record, with the columns that refer to them."""
    references = (one.reference for one in record.access.read.walk() if one.reference)
    return {table: column for column, table, _ in references}


def _affected_ids(
    connection: Connection, record: Record, tables: Iterable[str], last: int
) -> list[int] | None:
    """The ids of rows that have changed behind `last`, or whose parents have; None where these are many."""
    affected = changed_ids(connection, record.path, last)
    if affected is None:
        return None
    for table, column in _parents(record).items():
        changed = changed_ids(connection, record_of(table).path, last) if table in tables else []
        if changed is None:
            return None
        if changed:
            children = select(record.table.c.id).where(column.in_(changed))
            with ignore_reads():
                affected += connection.execute(children.limit(MOST_CHANGES + 1)).scalars()
    return None if len(affected) > MOST_CHANGES else affected


def changed_ids(connection: Connection, path: str, last: int) -> list[int] | None:
    """The ids of rows with events behind `last`; None where there are too many."""
    statement = _changed_ids(connection.dialect.name)
    with ignore_reads():
        ids = list(connection.execute(statement, {"type": path, "last": last}).scalars())
    return None if len(ids) > MOST_CHANGES else ids


@lru_cache(2)
def _changed_ids(dialect: str) -> Select[Any]:
    place, last = position_column(dialect), bindparam("last", type_=BigInteger())
    # an event without a place is behind all that have one
    is_behind = place > last if dialect == "sqlite" else or_(place > last, place.is_(None))
    found = select(_outbox.c.record_id).distinct().where(is_behind)
    return found.where(_outbox.c.type == bindparam("type")).limit(MOST_CHANGES + 1)


def _count_all(connection: Connection, plan: Plan, values: dict[str, Any]) -> dict[int, int]:
    rows = connection.execute(_statements(plan)[0], values)
    return {int(block): int(number) for block, number in rows}


def _count_block(connection: Connection, plan: Plan, values: dict[str, Any], block: int) -> int:
    ids = {"first_id": block * BLOCK, "last_id": (block + 1) * BLOCK - 1}
    return int(connection.execute(_statements(plan)[1], values | ids).scalar_one())


@lru_cache(MAX_PLANS)
def _statements(plan: Plan) -> tuple[Select[Any], Select[Any]]:
    """What counts the rows of all blocks, and those of one."""
    table = plan.record.table
    id, block = table.c.id, (table.c.id // BLOCK).label("block")
    ids = id.between(
        bindparam("first_id", type_=BigInteger), bindparam("last_id", type_=BigInteger)
    )
    counting = plan.count.with_hint(table, hint_by_id(table), "sqlite")
    whole = plan.count if plan.counts_by_parent else counting
    every = whole.with_only_columns(block, func.count(), maintain_column_froms=True)
    return every.group_by(block), counting.where(ids)

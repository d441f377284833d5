"""Totals of large lists, kept in blocks of ids: after a change only the blocks of the changed rows are counted.

The outbox names the rows that a change has touched. What touches rows in other ways raises a version of
its own (`data_versions.ANY_ROW`), after which all blocks are counted.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import BigInteger, Connection, Engine, Select, bindparam, func, or_, select

from quire.store.cache import MAX_AGE, DatabaseState, count_now
from quire.store.data_versions import ANY_ROW, collect_reads, ignore_reads, note_reads
from quire.store.feed_position import FeedPosition, position_column
from quire.store.outbox import OutboxEvent
from quire.store.select_statements import MAX_PLANS, Plan, hint_by_id

BLOCK = 5000
"""Ids in one block."""
MIN_ROWS = 20_000
"""Lists of fewer rows are counted as a whole."""
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


_lists: WeakKeyDictionary[Engine, dict[Any, Blocks | None]] = WeakKeyDictionary()
"""The blocks of large lists by their keys, None where they are counted at the next change."""


def count(
    connection: Connection, state: DatabaseState, key: Any, plan: Plan, values: dict[str, Any]
) -> int:
    """How many rows a list has; `key` stands for the list and its values but the time."""
    lists = _lists.setdefault(connection.engine, {})
    if state.feed is None or key not in lists:
        return _count_whole(connection, lists, key, plan, values)
    table = plan.record.table.name
    any_row = state.versions.get(table + ANY_ROW, ())
    before = lists[key]
    changed = None
    if before is not None and before.holds(state, any_row):
        changed = _changed_blocks(connection, plan.record.path, before.feed.last)
    if before is None or changed is None:
        numbers, since = _count_all(connection, plan, values), state.now
    else:
        parts = {block: _count_block(connection, plan, values, block) for block in changed}
        numbers, since = before.numbers | parts, before.since
    until = min(state.until, since + MAX_AGE)
    note_reads((table,))
    lists[key] = Blocks(numbers, any_row, state.feed, since, until)
    return sum(numbers.values())


def _count_whole(
    connection: Connection, lists: dict[Any, Any], key: Any, plan: Plan, values: dict[str, Any]
) -> int:
    with collect_reads() as names:
        number = count_now(connection, plan.count, values)[0]
    if number >= MIN_ROWS and names == {plan.record.table.name}:
        if len(lists) >= MAX_LISTS:
            lists.clear()
        lists[key] = None
    return number


def _changed_blocks(connection: Connection, path: str, last: int) -> set[int] | None:
    """The blocks of rows with events behind `last`; None where there are too many."""
    statement = _changed_ids(connection.dialect.name)
    with ignore_reads():
        ids = connection.execute(statement, {"type": path, "last": last}).scalars().all()
    return None if len(ids) > MOST_CHANGES else {id // BLOCK for id in ids}


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
    every = counting.with_only_columns(block, func.count(), maintain_column_froms=True)
    return every.group_by(block), counting.where(ids)

"""Where pages of large lists start: the sort keys at every two thousandth row, so that no page skips more.

The rows after each key are counted as a block. After a change, the blocks that now contain the changed rows are
counted again. A row that has left another block is still counted there, and no count is too low: they are right
exactly if their sum is the total of the list.
"""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import BigInteger, Connection, Engine, Select, bindparam, func, select, tuple_

from quire.store.database_state import DatabaseState
from quire.store.lists import block_counts, cursor
from quire.store.lists.block_cache import MAX_ENTRIES
from quire.store.lists.id_blocks import Blocks, blocks_of, changed_ids
from quire.store.lists.plan import Plan, in_order
from quire.store.lists.statements import MAX_PLANS

BLOCK = 2000
"""The number of rows in a new block."""
MIN_OFFSET = 5000
"""Pages before this row are reached by skipping rows."""
PAUSE = timedelta(seconds=10)
"""How long to skip rows after the blocks have become outdated, until they are counted again."""
LIFETIME = timedelta(hours=1)
"""The time after which they are counted again, since rows may have been changed without Quire."""
Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Starts:
    """The sort keys after which the blocks of a list start, except the first, and their numbers of rows.

    `version` is that of the table when they were counted.
    """

    keys: list[Key]
    blocks: Blocks
    version: Any


_lists: WeakKeyDictionary[Engine, dict[Any, Starts]] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class List:
    """A list as a connection sees it: the `key` that identifies its rows, their order, its statements and their
    values.
    """

    connection: Connection
    state: DatabaseState
    key: Any
    sort: tuple[str, ...]
    plan: Plan
    values: dict[str, Any]


def find(rows: List, total: int, offset: int) -> tuple[Key, int] | None:
    """Return the sort key of a row before the row at `offset`, and how many rows to skip after it.

    None if rows are skipped from the start: with filters, or sorted by something without an index.
    """
    if not _is_large(rows) or not _is_ordered(rows.plan):
        return None
    starts = _current_starts(rows, total)
    before, numbers = 0, starts.blocks.values if starts is not None else {}
    for block in range(len(numbers)):
        if before + numbers[block] > offset:
            return (starts.keys[block - 1], offset - before) if starts and block else None
        before += numbers[block]
    return None


def _is_large(rows: List) -> bool:
    is_large = block_counts.is_of_one_table(rows.connection, rows.key, rows.plan)
    return rows.state.feed is not None and is_large


def _is_ordered(plan: Plan) -> bool:
    """Whether it is a whole list whose order an index covers."""
    directions = {descending for _, descending, _, _ in plan.keys}
    can_be_null = any(nullable for _, _, nullable, _ in plan.keys)
    return plan.is_wide and len(directions) == 1 and not can_be_null


def _current_starts(rows: List, total: int) -> Starts | None:
    """Return the current starts; None if they have just become outdated."""
    lists = _lists.setdefault(rows.connection.engine, {})
    before = lists.get((rows.key, rows.sort))
    starts = None if before is None else _recount_changed_blocks(rows, before)
    if starts is None or sum(starts.blocks.values.values()) != total:
        if before is not None and rows.state.now - before.blocks.checked < PAUSE:
            return None
        starts = _make_starts(rows, total)
    if len(lists) >= MAX_ENTRIES:
        lists.clear()
    lists[rows.key, rows.sort] = starts
    return starts


def _recount_changed_blocks(rows: List, before: Starts) -> Starts | None:
    """Return the starts with the blocks of changed rows counted again; None after too many changes."""
    blocks, state = before.blocks, rows.state
    is_old = abs(state.now - blocks.checked) > LIFETIME
    if is_old or not blocks.holds(state, [rows.plan.record.table.name]):
        return None
    version = _version(rows)
    if before.version == version and blocks.moment <= state.now < blocks.until:
        return before
    ids = changed_ids(rows.connection, rows.plan.record, blocks, state.now)
    if ids is None:
        return None
    changed = {_block_of(before.keys, key, rows.plan) for key in _keys_of(rows, ids)}
    numbers = {block: _count_block(rows, before.keys, block) for block in changed}
    current = blocks_of(state, [rows.plan.record.table.name], blocks.values | numbers)
    return Starts(before.keys, replace(current, checked=blocks.checked), version)


def _make_starts(rows: List, total: int) -> Starts:
    keys: list[Key] = []
    while len(keys) < (total - 1) // BLOCK:
        statement = _next_key(rows.plan, bool(keys))
        place = _key_params("after", keys[-1]) if keys else {}
        key = rows.connection.execute(statement, rows.values | place).first()
        if key is None:
            break
        keys.append(tuple(key))
    numbers = dict.fromkeys(range(len(keys)), BLOCK)
    numbers[len(keys)] = total - len(keys) * BLOCK
    blocks = blocks_of(rows.state, [rows.plan.record.table.name], numbers)
    return Starts(keys, blocks, _version(rows))


def _version(rows: List) -> Any:
    return rows.state.versions.get(rows.plan.record.table.name, ())


def _keys_of(rows: List, ids: list[int]) -> list[Key]:
    if not ids:
        return []
    statement = _keys_of_rows(rows.plan)
    return [tuple(one) for one in rows.connection.execute(statement, {"ids": ids})]


def _block_of(keys: list[Key], key: Key, plan: Plan) -> int:
    """Return the block of a row with this sort key: the number of keys before it."""
    if plan.keys[0][1]:
        return len(keys) - bisect_right(keys[::-1], key)
    return bisect_left(keys, key)


def _count_block(rows: List, keys: list[Key], block: int) -> int:
    after, until = block > 0, block < len(keys)
    limits = _key_params("after", keys[block - 1]) if after else {}
    limits |= _key_params("until", keys[block]) if until else {}
    statement = _count_between(rows.plan, after, until)
    return int(rows.connection.execute(statement, rows.values | limits).scalar_one())


def _key_params(name: str, key: Key) -> dict[str, Any]:
    return {f"{name}_{i}": value for i, value in enumerate(key)}


@lru_cache(MAX_PLANS)
def _keys_of_rows(plan: Plan) -> Select[Any]:
    ids = plan.record.table.c.id.in_(bindparam("ids", expanding=True, type_=BigInteger))
    return select(*(key[0] for key in plan.keys)).where(ids)


@lru_cache(MAX_PLANS)
def _next_key(plan: Plan, after: bool) -> Select[Any]:
    """Return the sort key of the last row of a block that starts after `after`, or at the start of the list."""
    ids = plan.ids.where(cursor.rows_after(plan.keys, False, [])) if after else plan.ids
    keys = ids.with_only_columns(*(key[0] for key in plan.keys), maintain_column_froms=True)
    return in_order(plan, keys).limit(1).offset(BLOCK - 1)


@lru_cache(MAX_PLANS)
def _count_between(plan: Plan, after: bool, until: bool) -> Select[Any]:
    ids = plan.ids.where(cursor.rows_after(plan.keys, False, [])) if after else plan.ids
    if until:
        own = tuple_(*(key[0] for key in plan.keys))
        last = tuple_(
            *(bindparam(f"until_{i}", type_=key[0].type) for i, key in enumerate(plan.keys))
        )
        ids = ids.where(own >= last if plan.keys[0][1] else own <= last)
    return select(func.count()).select_from(ids.subquery())

"""Totals of large lists, counted in blocks of ids (id_blocks.py), so that a change only requires recounting some."""

from functools import lru_cache
from time import perf_counter
from typing import Any

from sqlalchemy import Connection, Select, func

from quire.store.cache import count_now
from quire.store.database_state import DatabaseState
from quire.store.lists import block_cache
from quire.store.lists.id_blocks import BlockQuery, block_column, can_be_kept, in_part, tables_read
from quire.store.lists.index_hints import hint_by_id
from quire.store.lists.plan import Plan
from quire.store.lists.statements import MAX_PLANS

MIN_ROWS = 20_000
"""Lists with fewer rows are counted as a whole,"""
SLOW = 0.05
"""unless that takes this many seconds, since no index tells which rows of a large table are in the list."""


def is_of_one_table(connection: Connection, key: Any, plan: Plan) -> bool:
    """Whether the list identified by `key` is counted in blocks, and reads only its own table."""
    is_large = block_cache.is_kept(connection.engine, key)
    return is_large and len(tables_read(_query(plan), connection.dialect)) == 1


def count(
    connection: Connection, state: DatabaseState, key: Any, plan: Plan, values: dict[str, Any]
) -> int:
    """Return the number of rows in a list; `key` identifies the list and its values except the time."""
    numbers = block_cache.read(connection, state, key, _query(plan), values)
    if numbers is not None:
        return sum(numbers.values())
    begun = perf_counter()
    number = count_now(connection, plan.count, values)[0]
    if number >= MIN_ROWS or perf_counter() - begun > SLOW:
        block_cache.keep(connection, key, _query(plan), values)
    return number


def count_ahead(connection: Connection, key: Any, plan: Plan, values: dict[str, Any]) -> None:
    """Count the rows of a list in blocks before anyone asks, if the blocks can be cached."""
    query = _query(plan)
    if can_be_kept(query, connection.dialect):
        block_cache.read_or_keep(connection, key, query, values)


@lru_cache(MAX_PLANS)
def _query(plan: Plan) -> BlockQuery:
    """Return the query that counts the rows of all blocks, or of some."""
    record, block = plan.record, block_column(plan.record)
    hint = hint_by_id(record.table)

    def in_blocks(counting: Select[Any]) -> Select[Any]:
        columns: tuple[Any, ...] = block, func.count()
        return counting.with_only_columns(*columns, maintain_column_froms=True).group_by(block)

    by_id = plan.count.with_hint(record.table, hint, "sqlite")
    every = in_blocks(plan.count if plan.counts_by_parent else by_id)
    part = in_blocks(in_part(plan.count, record, hint))
    return BlockQuery(record, every, part, lambda rows: int(rows[0][0]))

"""How far a search in a list goes: what is ranked, what is looked through, where counting stops."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from quire.declare.query import Query
from quire.declare.record import Record
from quire.store import cursor, search_index
from quire.store.cache import DatabaseState, total, totals

MIN_RANKED = 1000
"""Where fewer of the newest hits are in the list, its rows are looked through one by one."""

ROOM = 3
"""A page is looked for in so many times the rows that hold it where hits are spread evenly."""


@dataclass(frozen=True)
class Extent:
    """`stops`: there are more hits than are found and counted.

    `walks`: the rows of the list are looked through in its own order. Hits are many then, so that
    a page is soon full, unless filters leave few rows to look at.
    `ahead`: so many rows at the head of the list are looked through before the hits are, since
    they probably fill the page.
    """

    stops: bool = False
    walks: bool = False
    ahead: int = 0

    def totals(self, counted: int | None, query: Query, rows: int, more: bool) -> dict[str, Any]:
        """`total` and `total_is_minimum` of a page with so many rows; `more`: others follow."""
        if counted is None or not self.stops:
            return {"total": counted, "total_is_minimum": False}
        if not self.walks or query.page is None:
            return {"total": counted, "total_is_minimum": True}
        position = (query.page - 1) * query.per_page + rows
        if not more and (rows or query.page == 1):
            return {"total": position, "total_is_minimum": False}
        return {
            "total": min(max(counted, position + more), search_index.MAX_HITS),
            "total_is_minimum": True,
        }


def extent_of(
    connection: Connection,
    state: DatabaseState,
    record: Record,
    query: Query,
    values: dict[str, Any],
    count: Callable[[], int],
    keys: int,
) -> Extent:
    """How far `query` goes; `count()` counts the rows of the list among the newest hits.

    `state` is what the connection sees. What is known of the hits is added to `values`. `keys`
    is the number of sort values that a cursor has where hits are ranked.
    """
    if query.search is None:
        return Extent()
    counting = search_index.count_hits(record, connection.dialect.name)
    hits, unranked = totals(
        connection, state, ("hits", record.path, values["search"]), counting, values
    )
    values |= search_index.hit_values(record, hits, unranked)
    stops = hits > search_index.MAX_HITS
    if query.sort and not stops:
        return Extent(ahead=_rows_ahead(connection, state, record, query, values, count, hits))
    if query.cursor:
        return Extent(
            stops, walks=cursor.size(query.cursor) != keys or (stops and bool(query.sort))
        )
    # whoever begins with a cursor wants all there is
    all_wanted = bool(query.sort) or query.page is None
    return Extent(stops, walks=stops and (all_wanted or count() < MIN_RANKED))


def _rows_ahead(
    connection: Connection,
    state: DatabaseState,
    record: Record,
    query: Query,
    values: dict[str, Any],
    count: Callable[[], int],
    hits: int,
) -> int:
    """How many rows of a sorted list to look through first: none where hits are rare among them.

    A row that is looked through costs twice as much as a hit, at most.
    """
    if query.conditions and not query.count:
        return 0
    counting = select(func.coalesce(func.max(record.table.c.id), 0))
    newest = total(connection, state, ("newest", record.path), counting, values)
    in_list = count() if query.count else hits
    rows_wanted = (query.page or 1) * query.per_page + 1
    if rows_wanted * newest * 4 >= hits * in_list:
        return 0
    return min(hits // 2, rows_wanted * newest * ROOM // in_list + 1)

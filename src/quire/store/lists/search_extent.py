"""How far a search in a list goes: what is ranked, what is scanned, where counting stops."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from quire.actor import Actor
from quire.declare.query import Query
from quire.declare.record import Record
from quire.store.cache import last_value, total, totals
from quire.store.database_state import DatabaseState
from quire.store.lists import cursor
from quire.store.lists.index_hints import has_links, hint_at_condition, hint_at_order
from quire.store.lists.plan import Plan, Walk
from quire.store.search import search_index

MIN_RANKED = 1000
"""With fewer of the newest matches in the list, its rows are scanned one by one."""

ROOM = 3
"""A page is looked for in this many times the rows that would contain it if matches were spread evenly."""

HITS_PER_DOCUMENT = {"sqlite": 20, "postgresql": 4}
"""The ids of this many matches are collected in the time it takes to look into a row's document."""

MIN_LINKED, LINKED_PER_ROW = 1000, 1
"""Up to this many rows with a tag, or of another filter, are all collected and sorted, or this many in the time it
takes to look at one row.
"""


@dataclass(frozen=True)
class Extent:
    """How far a search goes.

    `stops`: there are more matches than are found and counted. `walk`: how the rows of the list are scanned in its
    own order; matches are many then, so that a page is soon full, unless filters leave few rows to look at.
    `ahead`: only so many rows at the start of the list are scanned before the matches are, since they probably fill
    the page; 0: all.
    """

    stops: bool = False
    walk: Walk = Walk.NONE
    ahead: int = 0

    @property
    def walks(self) -> bool:
        """Whether the rows of the list are scanned to the end."""
        return self.walk is not Walk.NONE and not self.ahead

    def totals(self, counted: int | None, query: Query, rows: int, more: bool) -> dict[str, Any]:
        """Return `total` and `total_is_minimum` of a page with so many rows; `more`: others follow."""
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


@dataclass(frozen=True)
class ListRequest:
    """A request for a list: `state` is what the connection sees, `plan` finds its rows, `count()` counts them.

    For a search, `count()` counts those among the newest matches.
    """

    connection: Connection
    state: DatabaseState
    plan: Plan
    actor: Actor
    query: Query
    count: Callable[[], int]

    @property
    def record(self) -> Record:
        """The type of its rows."""
        return self.plan.record

    @property
    def dialect(self) -> str:
        """The name of the database."""
        return self.connection.dialect.name

    @property
    def is_of_own(self) -> bool:
        """Whether it contains only what its reader may see in the panel, such as their own posts."""
        return self.query.panel and self.record.allows(self.actor, "panel") is not True

    @property
    def is_page_of_all(self) -> bool:
        """Whether it is a numbered page with a total, outside the trash and without a single parent."""
        query = self.query
        return query.count and query.page is not None and not (query.trashed or query.nested)

    @property
    def rows_wanted(self) -> int:
        """The rows up to the end of the page, and one that tells whether more follow."""
        return (self.query.page or 1) * self.query.per_page + 1

    def newest_id(self) -> int:
        """The newest id of the table, which is about its number of rows."""
        counting = newest_id(self.record)
        return total(self.connection, self.state, ("newest", self.record.path), counting, {})

    def count_hits(self, values: dict[str, Any]) -> tuple[int, int, int | None]:
        """Return the number of matches, as far as they are counted, and the id below which none is ranked."""
        counting = search_index.count_hits(self.record, self.dialect)
        key = self._hits_key(values)
        hits, unranked = totals(self.connection, self.state, key, counting, values)
        return hits, unranked, None

    def count_hits_and_rows(self, values: dict[str, Any]) -> tuple[int, int, int | None]:
        """Do the same together with `newest_id`, in one statement."""
        hits = search_index.count_hits(self.record, self.dialect).subquery("hits")
        counting = select(*hits.c, newest_id(self.record).scalar_subquery())
        key = self._hits_key(values)
        numbers = totals(self.connection, self.state, key, counting, values)
        return numbers[0], numbers[1], numbers[2]

    def last_hits(self, values: dict[str, Any]) -> int:
        """Return the number of matches when they were last counted; 0 if they never were."""
        numbers = last_value(self.connection.engine, self._hits_key(values))
        return 0 if numbers is None else int(numbers[0])

    def _hits_key(self, values: dict[str, Any]) -> tuple[str, str, str]:
        counted = "hits and newest" if self.query.sort else "hits"
        return counted, self.record.path, values["search"]

    def estimate_hits(self, values: dict[str, Any], unranked: int, newest: int) -> int:
        """Estimate the number of matches, if they exceed what is counted, from the density of the newest."""
        if self.dialect == "sqlite":
            return search_index.MAX_RANKED * newest // max(newest - unranked, 1)
        # PostgreSQL counts those that it reads first, in no particular order
        counting = search_index.count_newest_hits(self.record)
        key = "newest hits", self.record.path, values["search"]
        hits = total(self.connection, self.state, key, counting, values)
        return hits * newest // search_index.SAMPLE


def newest_id(record: Record) -> Any:
    """Return the statement for the newest id of a type, 0 if there is none."""
    return select(func.coalesce(func.max(record.table.c.id), 0))


def extent_of(wanted: ListRequest, values: dict[str, Any]) -> Extent:
    """Decide the extent of a query. What is known about the matches is added to `values`."""
    query = wanted.query
    if query.search is None:
        return _of_conditions(wanted)
    count = wanted.count_hits_and_rows if query.sort else wanted.count_hits
    search_index.prefer_whole_words(
        values, query.search, wanted.dialect, lambda one: count(one)[0], wanted.last_hits
    )
    hits, unranked, newest = count(values)
    values |= search_index.hit_values(wanted.record, hits, unranked)
    stops = hits > search_index.MAX_HITS
    if newest is not None and not stops:
        return _extent_ahead(wanted, hits, unranked, newest)
    # clients that start with a cursor want all matches
    all_wanted = bool(query.sort) or query.page is None
    if query.cursor:
        # it has as many sort values as there are keys if matches are ranked
        walks = cursor.size(query.cursor) != len(wanted.plan.keys) or (stops and bool(query.sort))
    else:
        walks = stops and (all_wanted or wanted.count() < MIN_RANKED)
    walk = (
        _walk(wanted, values, (hits, unranked, newest or wanted.newest_id()))
        if walks
        else Walk.NONE
    )
    return Extent(stops, walk)


def _of_conditions(wanted: ListRequest) -> Extent:
    """Whether the rows of a filter are scanned in list order rather than read from an index and sorted.

    The more there are, the sooner a page is full. PostgreSQL decides this itself.
    """
    query = wanted.query
    if wanted.dialect != "sqlite" or wanted.plan.is_linked or not wanted.is_page_of_all:
        return Extent()
    if has_links(wanted.record, query.shape.conditions):
        return Extent(walk=_walk_with_links(wanted))
    return Extent(walk=_walk_with_conditions(wanted))


def _walk_with_links(wanted: ListRequest) -> Walk:
    return Walk.BY_LINKS if _is_soon_full(wanted) else Walk.NONE


def _walk_with_conditions(wanted: ListRequest) -> Walk:
    query = wanted.query
    by_index = bool(hint_at_condition(wanted.record, query.shape.conditions))
    if not by_index and not (query.sort and wanted.is_of_own):
        return Walk.NONE
    if wanted.count() < MIN_LINKED:
        return Walk.BY_CONDITION if by_index else Walk.NONE
    return Walk.IN_ORDER if query.sort and _is_soon_full(wanted) else Walk.NONE


def _is_soon_full(wanted: ListRequest) -> bool:
    """Whether to look for rows with a tag, or of an author, in list order, if an index has it."""
    sort = wanted.query.sort
    if sort and not hint_at_order(wanted.record, sort):
        return False
    listed = wanted.count()
    if listed < MIN_LINKED:
        return False
    rows = wanted.rows_wanted * wanted.newest_id() // listed
    return rows * LINKED_PER_ROW < listed


def _walk(wanted: ListRequest, values: dict[str, Any], counted: tuple[int, int, int]) -> Walk:
    """Decide how to scan the rows of a list that has more matches than are counted."""
    hits, unranked, newest = counted
    if hits > search_index.MAX_HITS:
        hits = wanted.estimate_hits(values, unranked, newest)
    rows = wanted.rows_wanted * newest // max(hits, 1)
    return Walk.BY_HITS if hits < rows * HITS_PER_DOCUMENT[wanted.dialect] else Walk.BY_TERMS


def _extent_ahead(wanted: ListRequest, hits: int, unranked: int, newest: int) -> Extent:
    """Return how many rows of a sorted list to scan first: none if matches are rare among them.

    Looking up and sorting a match takes several times as long as passing a row that is none.
    """
    query = wanted.query
    if query.conditions and not query.count:
        return Extent()
    in_list = wanted.count() if query.count else hits
    gap = _largest_gap(newest, hits, unranked)
    rows = int(wanted.rows_wanted * gap * hits / max(in_list, 1)) + 1
    if rows * HITS_PER_DOCUMENT[wanted.dialect] < hits:
        return Extent(walk=Walk.BY_TERMS, ahead=rows * ROOM)
    if rows < 2 * hits:
        return Extent(walk=Walk.BY_HITS, ahead=min(rows * ROOM, 2 * hits))
    return Extent()


def _largest_gap(newest: int, hits: int, unranked: int) -> float:
    """Return how many rows there are per match, among the newer or the older matches, whichever is more."""
    ranked = search_index.MAX_RANKED
    if hits <= ranked:
        return newest / max(hits, 1)
    return max((newest - unranked) / ranked, unranked / (hits - ranked))

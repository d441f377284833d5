"""Reads the rows of one page of a list: from its start or end, from a known position, or after a cursor."""

from typing import Any

from quire.declare.query import Query
from quire.declare.value_kinds import INT64
from quire.store.connections.prepared_statements import Prepared, Unprepared
from quire.store.lists import cursor, page_starts
from quire.store.lists.plan import SEARCHING, Plan
from quire.store.lists.search_extent import Extent
from quire.store.search import search_index
from quire.store.size_limit import SizeLimit

ROWS_AHEAD, ROWS_PER_HIT = 5000, 20
"""How many rows of a list are tested first if matches are many, since sorting few is cheaper: at least the first
number, and the second for each match up to the end of the page.
"""

Rows = tuple[list[Any], bool, bool]
"""The rows of a page, whether more follow, whether any come before."""


def rows(
    connection: Any,
    plan: Plan,
    query: Query,
    values: dict[str, Any],
    counted: int | None,
    limit: SizeLimit,
) -> Rows:
    """Return the rows of a page by its number or after a cursor."""
    if query.page is not None:
        offset = (query.page - 1) * query.per_page
        if query.search is not None and offset >= search_index.MAX_HITS:
            return [], False, True
        if counted is not None and counted // 2 < offset < counted:
            return _from_the_end(connection, plan, values, counted, offset, query.per_page, limit)
        limits = {"limit": query.per_page + 1, "offset": offset}
        among_ranked = offset < search_index.MAX_RANKED
        reaches = _reaches(plan, values | limits, among_ranked, among_ranked)
        found = _fetch(connection, plan, plan.rows, values | limits, limit, reaches)
        return found[: query.per_page], len(found) > query.per_page, query.page > 1
    backwards, statement, place = _from_cursor(plan, query)
    limits = {"limit": query.per_page + 1, "offset": 0}
    among_ranked = plan.ranks and place.get("after_0", -1) < 0
    reaches = _reaches(plan, values | limits, among_ranked, among_ranked or backwards)
    found = _fetch(connection, plan, statement, values | place | limits, limit, reaches)
    return _trim_to_page(query, found, backwards)


def rows_from_start(
    listed: page_starts.List, query: Query, counted: int | None, limit: SizeLimit
) -> Rows | None:
    """Return what `rows` does for a page deep in a large list; None if rows have to be skipped."""
    offset = ((query.page or 1) - 1) * query.per_page
    if offset < page_starts.MIN_OFFSET or query.search is not None or counted is None:
        return None
    start = page_starts.find(listed, counted, offset)
    if start is None:
        return None
    key, skipped = start
    place = {f"after_{i}": value for i, value in enumerate(key)}
    limits = {"limit": query.per_page + 1, "offset": skipped}
    values = listed.values | place | limits
    found = _fetch(listed.connection, listed.plan, listed.plan.rows_behind, values, limit, [{}])
    return found[: query.per_page], len(found) > query.per_page, True


def _trim_to_page(query: Query, found: list[Any], backwards: bool) -> Rows:
    """Return a page of cursor mode, for which one more row was read."""
    over, page = len(found) > query.per_page, found[: query.per_page]
    return (page[::-1], True, over) if backwards else (page, over, bool(query.cursor))


def rows_ahead(
    connection: Any,
    plan: Plan,
    query: Query,
    values: dict[str, Any],
    extent: Extent,
    limit: SizeLimit,
) -> Rows | None:
    """Return what `rows` does, from so many rows ahead in the list; None if these do not fill a page."""
    if not extent.ahead or not plan.is_indexed:
        return None
    size = limit.size
    backwards, statement, place = _from_cursor(plan, query)
    offset = ((query.page or 1) - 1) * query.per_page
    limits = {"limit": query.per_page + 1, "offset": offset, "ahead": extent.ahead}
    found = _fetch(connection, plan, statement, values | place | limits, limit, [{}])
    if len(found) <= query.per_page:
        limit.size = size  # they are read again
        return None
    if query.page is None:
        return _trim_to_page(query, found, backwards)
    return found[:-1], True, query.page > 1


def _reaches(
    plan: Plan, values: dict[str, Any], among_ranked: bool, ranking: bool
) -> list[dict[str, Any]]:
    """Return the limits for a plan's statements, to be tried in turn until the page is full."""
    if plan.walk in SEARCHING:
        first = max(ROWS_AHEAD, ROWS_PER_HIT * (values["offset"] + values["limit"]))
        return [{"ahead": first}, {"ahead": INT64}]
    if not plan.ranks:
        return [{"ahead": INT64}]
    return search_index.reaches(among_ranked, ranking, _hits(plan, values))


def _hits(plan: Plan, values: dict[str, Any]) -> int:
    return int(values.get(search_index.hits_name(plan.record), 0))


def _fetch(
    connection: Any,
    plan: Plan,
    statement: Prepared | Unprepared,
    values: dict[str, Any],
    limit: SizeLimit,
    reaches: list[dict[str, Any]],
) -> list[Any]:
    """Return the rows, using the first of `reaches` that yields enough."""
    size, hits = limit.size, _hits(plan, values)
    for reach in reaches:
        limit.size = size
        found = statement(connection, values | reach, limit.fetch(plan.projection.long))
        if len(found) == values["limit"] or hits <= reach.get("depth", 0):
            break
    return found


def _from_the_end(
    connection: Any,
    plan: Plan,
    values: dict[str, Any],
    counted: int,
    offset: int,
    per_page: int,
    limit: SizeLimit,
) -> Rows:
    """Return rows of a page in the second half: an offset costs what it skips, so skip the shorter part."""
    remaining = counted - offset
    limits = {"limit": min(per_page, remaining), "offset": max(remaining - per_page, 0)}
    # ranks matter unless this page is after all ranked matches
    reach = _reaches(plan, values | limits, False, offset < search_index.MAX_RANKED)
    found = _fetch(connection, plan, plan.rows_back, values | limits, limit, reach)
    return found[::-1], remaining > per_page, True


def _from_cursor(plan: Plan, query: Query) -> tuple[bool, Prepared | Unprepared, dict[str, Any]]:
    if not query.cursor:
        return False, plan.rows, {}
    mark = cursor.fingerprint(plan.record.path, query)
    backwards, values = cursor.decode(query.cursor, mark, plan.keys)
    ids = plan.ids.where(cursor.rows_after(plan.keys, backwards, values))
    place = {f"after_{i}": value for i, value in enumerate(values) if value is not None}
    return backwards, Unprepared(plan.select(ids, backwards)), place

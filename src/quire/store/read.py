"""Find and page: visibility is applied in SQL, never after."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, select, true

from quire.actor import Actor
from quire.declare.clock import now
from quire.declare.kinds import INT64
from quire.declare.query import Query
from quire.declare.query_conditions import comparisons
from quire.declare.record import Record
from quire.declare.rules import row_conditions
from quire.declare.unicode_text import normalize
from quire.errors import NotFound
from quire.store import block_counts, cursor, search_index
from quire.store.cache import DatabaseState, cached, database_state
from quire.store.db import db, read_connection
from quire.store.feed_position import FeedPosition
from quire.store.includes import include, prune
from quire.store.search_extent import Extent, extent_of
from quire.store.select_statements import Plan, Walk, list_plan, record_plan
from quire.store.size_limit import UNLIMITED, SizeLimit

ROWS_AHEAD, ROWS_PER_HIT = 5000, 20
"""So many rows of a list are matched at first where hits are many, since to sort few is cheaper: at
least the first number, and the second for each hit up to the end of the page."""


@dataclass(frozen=True)
class Page:
    """A part of a list: rows as JSON objects, and where it stands in the whole.

    `total` is None when it was not asked for, `page` and `pages` are None in cursor mode;
    `total_is_minimum` where a search has stopped counting. `feed` is where the feed of changes stood
    before the rows were read.
    """

    rows: list[dict[str, Any]]
    total: int | None
    page: int | None
    per_page: int
    has_next: bool
    has_prev: bool
    next_cursor: str | None
    prev_cursor: str | None
    total_is_minimum: bool = False
    feed: FeedPosition | None = None

    @property
    def pages(self) -> int | None:
        """How many pages there are, when that is known."""
        if self.total is None or self.page is None:
            return None
        return -(-self.total // self.per_page)


def rule_params(actor: Actor) -> dict[str, Any]:
    """The values of the names that rules use."""
    return {"actor_id": actor.user_id, "session_id": actor.session_id, "now": now()}


def get_record(
    record: Record,
    actor: Actor,
    id: int,
    query: Query | None = None,
    limit: SizeLimit = UNLIMITED,
) -> dict[str, Any]:
    """The record with this id as `actor` sees it.

    Raises NotFound, also when it is hidden, and TooCostly.
    """
    query = query or Query()
    with read_connection() as connection:
        shape = query.fields, query.panel, connection.dialect.name
        projection, statement = record_plan(record, record.cache_key_actor(actor), *shape)
        result = connection.execute(statement, {"id": id, **rule_params(actor)})
        row = next(limit.limited(result, projection.long), None)
        if row is None:
            raise NotFound(f"There is no such {record.noun}.")
        rows = [projection.shape(row)]
        include(connection, record, actor, rows, query.include, query.fields, limit)
    return prune(rows, query.fields)[0]


def visible(record: Record, actor: Actor) -> ColumnElement[bool]:
    """The condition that holds for rows which `actor` may see."""
    return and_(true(), *row_conditions(record.allows(actor, "read")))


def find_id(record: Record, actor: Actor, **values: Any) -> int | None:
    """The id of the visible record whose columns hold `values`."""
    table, values = record.table, normalize(values)
    statement = select(table.c.id).where(*(table.c[name] == v for name, v in values.items()))
    statement = statement.where(*row_conditions(record.allows(actor, "read")))
    with read_connection() as connection:
        id = connection.execute(statement, rule_params(actor)).scalar()
    return None if id is None else int(id)


def list_records(record: Record, actor: Actor, query: Query, limit: SizeLimit = UNLIMITED) -> Page:
    """The rows that `query` asks for and `actor` may see.

    Raises BadRequest for a foreign cursor, and TooCostly.
    """
    values = query_params(actor, query)
    with read_connection() as connection:
        state = database_state(connection, values["now"])
        plan = _list_plan(connection, record, actor, query)
        count = partial(_total, connection, state, plan, actor, query, values)
        extent = extent_of(connection, state, record, query, values, count, len(plan.keys))
        if extent.walks:
            plan = _list_plan(connection, record, actor, query, extent.walk)
        counted = count() if query.count else None
        known = None if extent.stops else counted
        ahead = extent.ahead and _rows_ahead(
            connection, record, actor, query, values, extent, limit
        )
        rows, more, before = ahead or _rows(connection, record, plan, query, values, known, limit)
        states = [plan.projection.shape(row) for row in rows]
        include(connection, record, actor, states, query.include, query.fields, limit)
    mark = cursor.fingerprint(record.path, query) if before or more else ""
    return Page(
        rows=prune(states, query.fields),
        page=query.page,
        per_page=query.per_page,
        has_next=more,
        has_prev=before,
        next_cursor=_cursor(mark, False, plan, rows[-1]) if more and rows else None,
        prev_cursor=_cursor(mark, True, plan, rows[0]) if before and rows else None,
        feed=state.feed,
        **extent.totals(counted, query, len(rows), more),
    )


def count_rows(
    connection: Connection, record: Record, actor: Actor, query: Query, values: dict[str, Any]
) -> int:
    """How many rows `query` asks for, of those that `actor` may see; `values` are its parameters."""
    state = database_state(connection, values["now"])
    plan = _list_plan(connection, record, actor, query)
    return _total(connection, state, plan, actor, query, values)


def _total(
    connection: Connection,
    state: DatabaseState,
    plan: Plan,
    actor: Actor,
    query: Query,
    values: dict[str, Any],
) -> int:
    parameters = (value for name, value in values.items() if name != "now")
    key = (plan.record.path, plan.record.cache_key_actor(actor), query.shape, *parameters)
    count = partial(block_counts.count, connection, state, key, plan, values)
    return cached(connection.engine, state, key, count)


def _list_plan(
    connection: Connection, record: Record, actor: Actor, query: Query, walk: Walk = Walk.NONE
) -> Plan:
    dialect = connection.dialect.name
    return list_plan(record, record.cache_key_actor(actor), query.shape, walk, dialect)


def query_params(actor: Actor, query: Query) -> dict[str, Any]:
    """The values of the names in the statements for `query`."""
    values = rule_params(actor)
    for number, condition in enumerate(comparisons(query.conditions)):
        for i, value in enumerate(condition.values):
            values[f"f{number}_{i}"] = normalize(value)
    if query.search is not None:
        values["search"] = search_index.expression(query.search, db.engine.dialect.name)
    if query.nested is not None:
        values["nested"] = query.nested[1]
    return values


def _rows(
    connection: Any,
    record: Record,
    plan: Plan,
    query: Query,
    values: dict[str, Any],
    counted: int | None,
    limit: SizeLimit,
) -> tuple[list[Any], bool, bool]:
    """The rows, whether more follow, whether any come before."""
    if query.page is not None:
        offset = (query.page - 1) * query.per_page
        if query.search is not None and offset >= search_index.MAX_HITS:
            return [], False, True
        if counted is not None and counted // 2 < offset < counted:
            return _from_the_end(connection, plan, values, counted, offset, query.per_page, limit)
        limits = {"limit": query.per_page + 1, "offset": offset}
        among_ranked = offset < search_index.MAX_RANKED
        reaches = _reaches(plan, limits, among_ranked, among_ranked)
        rows = _fetched(connection, plan, plan.rows, values | limits, limit, reaches)
        return rows[: query.per_page], len(rows) > query.per_page, query.page > 1
    backwards, statement, place = _from_cursor(record, plan, query)
    limits = {"limit": query.per_page + 1, "offset": 0}
    among_ranked = plan.ranks and place.get("after_0", -1) < 0
    reaches = _reaches(plan, limits, among_ranked, among_ranked or backwards)
    rows = _fetched(connection, plan, statement, values | place | limits, limit, reaches)
    return _cut(query, rows, backwards)


def _cut(query: Query, found: list[Any], backwards: bool) -> tuple[list[Any], bool, bool]:
    """A page of cursor mode that was looked for with one row more."""
    over, rows = len(found) > query.per_page, found[: query.per_page]
    return (rows[::-1], True, over) if backwards else (rows, over, bool(query.cursor))


def _rows_ahead(
    connection: Any,
    record: Record,
    actor: Actor,
    query: Query,
    values: dict[str, Any],
    extent: Extent,
    limit: SizeLimit,
) -> tuple[list[Any], bool, bool] | None:
    """What `_rows` finds, among so many rows ahead in the list; None where these do not fill a page."""
    plan = _list_plan(connection, record, actor, query, extent.walk)
    if not plan.is_indexed:
        return None
    size = limit.size
    backwards, statement, place = _from_cursor(record, plan, query)
    offset = ((query.page or 1) - 1) * query.per_page
    limits = {"limit": query.per_page + 1, "offset": offset, "ahead": extent.ahead}
    found = _fetched(connection, plan, statement, values | place | limits, limit, [{}])
    if len(found) <= query.per_page:
        limit.size = size  # they are read again
        return None
    if query.page is None:
        return _cut(query, found, backwards)
    return found[:-1], True, query.page > 1


def _reaches(plan: Plan, limits: Any, among_ranked: bool, ranking: bool) -> list[dict[str, Any]]:
    """What to tell the statements of a plan, one after the other until the page is full."""
    if plan.walk is not Walk.NONE:
        first = max(ROWS_AHEAD, ROWS_PER_HIT * (limits["offset"] + limits["limit"]))
        return [{"ahead": first}, {"ahead": INT64}]
    return search_index.reaches(among_ranked, ranking) if plan.ranks else [{"ahead": INT64}]


def _fetched(
    connection: Any,
    plan: Plan,
    statement: Any,
    values: dict[str, Any],
    limit: SizeLimit,
    reaches: list[dict[str, Any]],
) -> list[Any]:
    """The rows, looked for as far as the first of `reaches` that brings enough."""
    size, hits = limit.size, values.get(search_index.hits_name(plan.record), 0)
    for reach in reaches:
        limit.size = size
        result = connection.execute(statement, values | reach)
        rows = list(limit.limited(result, plan.projection.long))
        if len(rows) == values["limit"] or hits <= reach.get("most", 0):
            break
    return rows


def _from_the_end(
    connection: Any,
    plan: Plan,
    values: dict[str, Any],
    counted: int,
    offset: int,
    per_page: int,
    limit: SizeLimit,
) -> tuple[list[Any], bool, bool]:
    """Rows of a page in the second half: an offset costs what it skips, so skip the shorter way."""
    remaining = counted - offset
    limits = {"limit": min(per_page, remaining), "offset": max(remaining - per_page, 0)}
    # ranks matter unless this page begins behind all that have one
    reach = _reaches(plan, limits, False, offset < search_index.MAX_RANKED)
    rows = _fetched(connection, plan, plan.rows_back, values | limits, limit, reach)
    return rows[::-1], remaining > per_page, True


def _from_cursor(record: Record, plan: Plan, query: Query) -> tuple[bool, Any, dict[str, Any]]:
    if not query.cursor:
        return False, plan.rows, {}
    mark = cursor.fingerprint(record.path, query)
    backwards, values = cursor.decode(query.cursor, mark, plan.keys)
    ids = plan.ids.where(cursor.rows_after(plan.keys, backwards, values))
    place = {f"after_{i}": value for i, value in enumerate(values) if value is not None}
    return backwards, plan.select(ids, backwards), place


def _cursor(mark: str, backwards: bool, plan: Plan, row: Any) -> str:
    """A cursor behind (or, backwards, before) a row, whose last columns are its sort values."""
    return cursor.encode(mark, backwards, plan.keys, row[-len(plan.keys) :])

"""Reads single records and pages of lists; visibility is applied in SQL, never afterwards."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, select, true

from quire.actor import Actor
from quire.declare.query import Query
from quire.declare.query_conditions import comparisons
from quire.declare.record import Record
from quire.declare.rules import row_conditions, rule_params
from quire.declare.unicode_text import normalize
from quire.errors import no_such
from quire.store.cache import cached_for_state, count_now
from quire.store.database_state import DatabaseState, database_state
from quire.store.db import db, read_connection
from quire.store.events.feed_position import FeedPosition
from quire.store.includes import include, prune
from quire.store.lists import block_counts, cursor, page_rows, page_starts
from quire.store.lists.plan import Plan, Walk
from quire.store.lists.search_extent import Extent, ListRequest, extent_of, newest_id
from quire.store.lists.statements import list_plan, record_plan
from quire.store.search import search_index
from quire.store.size_limit import UNLIMITED, SizeLimit


@dataclass(frozen=True)
class Page:
    """A part of a list: rows as JSON objects, and the position in the list.

    `total` is None if it was not requested, `page` and `pages` are None in cursor mode;
    `total_is_minimum` is true if a search stopped counting. `feed` is the position of the change feed
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
        """The number of pages, None if it is unknown."""
        if self.total is None or self.page is None:
            return None
        return -(-self.total // self.per_page)


def get_record(
    record: Record, actor: Actor, id: int, query: Query | None = None, limit: SizeLimit = UNLIMITED
) -> dict[str, Any]:
    """The record with this id as `actor` sees it.

    Raises NotFound, even if the record exists but is hidden, and TooCostly.
    """
    query = query or Query()
    with read_connection() as connection:
        shape = query.fields, query.panel, connection.dialect.name
        projection, find = record_plan(record, record.cache_key_actor(actor), *shape)
        values = {"id": id, **rule_params(actor)}
        found = find(connection, values, limit.fetch(projection.long))
        if not found:
            raise no_such(record.noun)
        rows = [projection.shape(found[0])]
        include(connection, record, actor, rows, query.include, query.fields, limit)
    return prune(rows, query.fields)[0]


def visible(record: Record, actor: Actor) -> ColumnElement[bool]:
    """The condition for rows that `actor` may see."""
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
    """The rows that `query` selects and `actor` may see.

    Raises BadRequest for a foreign cursor, and TooCostly.
    """
    values = query_params(actor, query)
    with read_connection() as connection:
        state = database_state(connection, values["now"])
        plan = _list_plan(connection, record, actor, query)
        count = partial(_total, connection, state, plan, actor, query, values)
        extent = extent_of(ListRequest(connection, state, plan, actor, query, count), values)
        walking = plan
        if extent.walk is not Walk.NONE:
            walking = _list_plan(connection, record, actor, query, extent.walk)
        plan = walking if extent.walks else plan
        total = count() if query.count else None
        key = _list_key(plan, actor, query, values)
        listed = page_starts.List(connection, state, key, query.sort, plan, values)
        found = _find_rows(listed, walking, query, extent, total, limit)
        states = [plan.projection.shape(row) for row in found[0]]
        include(connection, record, actor, states, query.include, query.fields, limit)
    totals = extent.totals(total, query, len(states), found[1])
    return _page(plan, query, prune(states, query.fields), found, feed=state.feed, **totals)


def _find_rows(
    listed: page_starts.List,
    walking: Plan,
    query: Query,
    extent: Extent,
    total: int | None,
    limit: SizeLimit,
) -> page_rows.Rows:
    """The rows of a page; `walking` is the plan that scans the head of the list first."""
    connection, plan, values = listed.connection, listed.plan, listed.values
    known = None if extent.stops else total
    return (
        page_rows.rows_ahead(connection, walking, query, values, extent, limit)
        or page_rows.rows_from_start(listed, query, known, limit)
        or page_rows.rows(connection, plan, query, values, known, limit)
    )


def _page(
    plan: Plan, query: Query, states: list[dict[str, Any]], found: page_rows.Rows, **more: Any
) -> Page:
    """The page of `states`, the JSON of the rows that were found, with the cursors to its neighbours."""
    rows, has_next, has_prev = found
    mark = cursor.fingerprint(plan.record.path, query) if has_prev or has_next else ""
    return Page(
        rows=states,
        page=query.page,
        per_page=query.per_page,
        has_next=has_next,
        has_prev=has_prev,
        next_cursor=_cursor(mark, False, plan, rows[-1]) if has_next and rows else None,
        prev_cursor=_cursor(mark, True, plan, rows[0]) if has_prev and rows else None,
        **more,
    )


def count_rows(
    connection: Connection, record: Record, actor: Actor, query: Query, values: dict[str, Any]
) -> int:
    """The number of rows that `query` selects and `actor` may see; `values` are its parameters."""
    state = database_state(connection, values["now"])
    plan = _list_plan(connection, record, actor, query)
    return _total(connection, state, plan, actor, query, values)


def count_ahead(record: Record, actor: Actor) -> None:
    """Count the list of all records that `actor` sees before it is requested, if it is large."""
    query = Query()
    values = query_params(actor, query)
    with read_connection() as connection:
        if count_now(connection, newest_id(record), {})[0] < block_counts.MIN_ROWS:
            return
        plan = _list_plan(connection, record, actor, query)
        key = _list_key(plan, actor, query, values)
        block_counts.count_ahead(connection, key, plan, values)


def _total(
    connection: Connection,
    state: DatabaseState,
    plan: Plan,
    actor: Actor,
    query: Query,
    values: dict[str, Any],
) -> int:
    key = _list_key(plan, actor, query, values)
    count = partial(block_counts.count, connection, state, key, plan, values)
    return cached_for_state(connection.engine, state, key, count)


def _list_key(plan: Plan, actor: Actor, query: Query, values: dict[str, Any]) -> tuple[Any, ...]:
    """The cache key for the number of rows in a list; actors who see the same rows share it."""
    parameters = (value for name, value in values.items() if name in plan.parameters)
    shape = query.shape._replace(sort=(), fields=None)
    return (plan.record.path, plan.record.cache_key_actor(actor), shape, *parameters)


def _list_plan(
    connection: Connection, record: Record, actor: Actor, query: Query, walk: Walk = Walk.NONE
) -> Plan:
    dialect = connection.dialect.name
    return list_plan(record, record.cache_key_actor(actor), query.shape, walk, dialect)


def query_params(actor: Actor, query: Query) -> dict[str, Any]:
    """The parameters of the statements for `query`."""
    values = rule_params(actor)
    for number, condition in enumerate(comparisons(query.conditions)):
        for i, value in enumerate(condition.values):
            values[f"f{number}_{i}"] = normalize(value)
    if query.search is not None:
        values["search"] = search_index.expression(query.search, db.engine.dialect.name)
    if query.nested is not None:
        values["nested"] = query.nested[1]
    return values


def _cursor(mark: str, backwards: bool, plan: Plan, row: Any) -> str:
    """A cursor after (or, backwards, before) a row, whose last columns are its sort values."""
    return cursor.encode(mark, backwards, plan.keys, row[-len(plan.keys) :])

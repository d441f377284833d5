"""Find and page: visibility is applied in SQL, never after."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, select, true
from sqlalchemy.types import BigInteger

from quire.actor import Actor
from quire.declare.clock import now
from quire.declare.query import Query
from quire.declare.record import Record
from quire.declare.rules import required
from quire.declare.values import ID, RANK
from quire.errors import Missing
from quire.store import cursor, search
from quire.store.conditions import condition_sql, expression
from quire.store.db import db, reading
from quire.store.includes import include, prune
from quire.store.project import Projection
from quire.store.totals import total

PLANS = 1000


@dataclass(frozen=True)
class Page:
    """A part of a list: rows as JSON objects, and where it stands in the whole.

    `total` is None when it was not asked for, `page` and `pages` are None in cursor mode.
    """

    rows: list[dict[str, Any]]
    total: int | None
    page: int | None
    per_page: int
    has_next: bool
    has_prev: bool
    next_cursor: str | None
    prev_cursor: str | None

    @property
    def pages(self) -> int | None:
        """How many pages there are, when that is known."""
        if self.total is None or self.page is None:
            return None
        return -(-self.total // self.per_page)


@dataclass(frozen=True)
class Plan:
    """The statements of a list for one role, built once.

    `ids` finds the rows, `rows` is the whole statement of page mode and `rows_back` the same from
    the end, `count` counts all, `keys` are the sort keys; a row's last columns are its sort values.
    """

    projection: Projection
    ids: Select[Any]
    rows: Select[Any]
    rows_back: Select[Any]
    count: Select[Any]
    keys: list[cursor.SortKey]


def bound(actor: Actor) -> dict[str, Any]:
    """The values of the names that rules use."""
    return {"actor_id": actor.user_id, "session_id": actor.session_id, "now": now()}


def one(record: Record, actor: Actor, id: int, query: Query | None = None) -> dict[str, Any]:
    """The record with this id as `actor` sees it. Raises Missing, also when it is hidden."""
    query = query or Query()
    projection, statement = _plan_one(record, actor.typical, query.fields, _dialect())
    with reading() as connection:
        row = connection.execute(statement, {"id": id, **bound(actor)}).first()
        if row is None:
            raise Missing(f"There is no such {record.one.lower()}.")
        rows = [projection.shape(row)]
        include(connection, record, actor, rows, query.include, query.fields)
    return prune(rows, query.fields)[0]


def visible(record: Record, actor: Actor) -> ColumnElement[bool]:
    """The condition that holds for rows which `actor` may see."""
    return and_(true(), *required(record.allows(actor, "read")))


def find_id(record: Record, actor: Actor, **values: Any) -> int | None:
    """The id of the visible record whose columns hold `values`."""
    table = record.table
    statement = select(table.c.id).where(*(table.c[name] == v for name, v in values.items()))
    statement = statement.where(*required(record.allows(actor, "read")))
    with reading() as connection:
        found = connection.execute(statement, bound(actor)).scalar()
    return None if found is None else int(found)


def page(record: Record, actor: Actor, query: Query) -> Page:
    """The rows that `query` asks for and `actor` may see. Raises Malformed for a foreign cursor."""
    plan = _plan(record, actor.typical, query.shape, _dialect())
    values = {**bound(actor), **_values(query)}
    with reading() as connection:
        counted = None
        if query.count:
            known = {name: value for name, value in values.items() if name != "now"}
            key = (record.path, actor.role, query.shape, *known.values())
            counted = total(connection, key, plan.count, values)
        rows, more, before = _rows(connection, record, plan, query, values, counted)
        shown = [plan.projection.shape(row) for row in rows]
        include(connection, record, actor, shown, query.include, query.fields)
    cursors = _cursors(record, plan, query, rows)
    return Page(
        rows=prune(shown, query.fields),
        total=counted,
        page=query.page,
        per_page=query.per_page,
        has_next=more,
        has_prev=before,
        next_cursor=cursors[1] if more else None,
        prev_cursor=cursors[0] if before else None,
    )


def _dialect() -> str:
    return db.engine.dialect.name


def _values(query: Query) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for number, condition in enumerate(query.conditions):
        for i, value in enumerate(condition.values):
            values[f"f{number}_{i}"] = value
    if query.search is not None:
        values["search"] = search.expression(query.search, _dialect())
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
) -> tuple[list[Any], bool, bool]:
    """The rows, whether more follow, whether any come before."""
    if query.page is not None:
        offset = (query.page - 1) * query.per_page
        if counted is not None and counted // 2 < offset < counted:
            return _from_the_end(connection, plan, values, counted - offset, query.per_page)
        limits = {"limit": query.per_page + 1, "offset": offset}
        found = connection.execute(plan.rows, values | limits).all()
        return found[: query.per_page], len(found) > query.per_page, query.page > 1
    backwards, statement, place = _from_cursor(record, plan, query)
    limits = {"limit": query.per_page + 1, "offset": 0}
    found = connection.execute(statement, values | place | limits).all()
    over, rows = len(found) > query.per_page, found[: query.per_page]
    return (rows[::-1], True, over) if backwards else (rows, over, bool(query.cursor))


def _from_the_end(
    connection: Any, plan: Plan, values: dict[str, Any], left: int, per_page: int
) -> tuple[list[Any], bool, bool]:
    """Rows of a page in the second half: an offset costs what it skips, so skip the shorter way."""
    limits = {"limit": min(per_page, left), "offset": max(left - per_page, 0)}
    found = connection.execute(plan.rows_back, values | limits).all()
    return found[::-1], left > per_page, True


def _from_cursor(record: Record, plan: Plan, query: Query) -> tuple[bool, Any, dict[str, Any]]:
    if not query.cursor:
        return False, plan.rows, {}
    mark = cursor.fingerprint(record.path, query)
    backwards, values = cursor.read(query.cursor, mark, plan.keys)
    ids = plan.ids.where(cursor.beyond(plan.keys, backwards, values))
    place = {f"after_{i}": value for i, value in enumerate(values) if value is not None}
    return backwards, _whole(record, plan.projection, ids, plan.keys, backwards), place


def _cursors(record: Record, plan: Plan, query: Query, rows: list[Any]) -> tuple[Any, Any]:
    """Cursors before the first and behind the last row."""
    if not rows:
        return None, None
    mark = cursor.fingerprint(record.path, query)
    count = len(plan.keys)
    first, last = (rows[i][-count:] for i in (0, -1))
    return cursor.make(mark, True, plan.keys, first), cursor.make(mark, False, plan.keys, last)


@lru_cache(PLANS)
def _plan(record: Record, actor: Actor, shape: Any, dialect: str) -> Plan:
    conditions, sort, searching, fields, trashed, nested, panel = shape
    table = record.table
    ranked = searching and not sort
    keys = sort_keys(record, sort or record.order)
    projection = Projection(record, actor, top(fields))
    ids = select(table.c.id)
    if searching:
        found = search.matches(record.path, dialect)
        ids = ids.join(found, found.c.record_id == table.c.id)
        keys = [(found.c.rank, False, False, RANK), *keys] if ranked else keys
    for condition in _where(record, actor, conditions, trashed, nested, panel):
        ids = ids.where(condition)
    count = ids.with_only_columns(func.count(), maintain_column_froms=True)
    rows, rows_back = (_whole(record, projection, ids, keys, back) for back in (False, True))
    return Plan(projection, ids, rows, rows_back, count, keys)


def _where(
    record: Record, actor: Actor, conditions: Any, trashed: bool, nested: str | None, panel: bool
) -> list[Any]:
    found = required(record.allows(actor, "panel" if panel else "read"))
    if record.trashes:
        deleted = record.table.c.deleted_at
        found.insert(0, deleted.is_not(None) if trashed else deleted.is_(None))
    if nested is not None:
        found.append(record.field(nested).column == bindparam("nested", type_=BigInteger))
    found += [
        condition_sql(record, path, operator, form, f"f{number}")
        for number, (path, operator, form) in enumerate(conditions)
    ]
    return found


def sort_keys(record: Record, names: tuple[str, ...]) -> list[cursor.SortKey]:
    """What to sort by, the id last, so that no two rows are alike."""
    keys = []
    for name in names:
        field = record.field(name.removeprefix("-"))
        nullable = field.nullable or not field.is_stored
        keys.append((expression(field), name.startswith("-"), nullable, field.kind))
    if not any(name.removeprefix("-") == "id" for name in names):
        keys.append((record.table.c.id, bool(keys) and keys[-1][1], False, ID))
    return keys


def _whole(
    record: Record, projection: Projection, ids: Select[Any], keys: Any, backwards: bool
) -> Select[Any]:
    """First the ids of the page, in an index if there is one, then only those rows."""
    table = record.table
    inner = ids.add_columns(*(key[0].label(f"key_{i}") for i, key in enumerate(keys)))
    inner = inner.order_by(*(_ordered(key[0], key, backwards) for key in keys))
    limits = bindparam("limit", type_=BigInteger), bindparam("offset", type_=BigInteger)
    found = inner.limit(limits[0]).offset(limits[1]).subquery("found")
    columns = [found.c[f"key_{i}"] for i in range(len(keys))]
    values = [key[3].column_out(column) for key, column in zip(keys, columns, strict=True)]
    rows = projection.select_from(found.join(table, table.c.id == found.c.id))
    ordered = (_ordered(column, key, backwards) for column, key in zip(columns, keys, strict=True))
    return rows.add_columns(*values).order_by(*ordered)


def _ordered(column: Any, key: cursor.SortKey, backwards: bool) -> Any:
    _, descending, nullable, _ = key
    ordered = column.desc() if descending != backwards else column.asc()
    if not nullable:
        return ordered
    return ordered.nulls_first() if backwards else ordered.nulls_last()


def top(fields: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """The first parts of paths such as `author.username`."""
    return None if fields is None else tuple(dict.fromkeys(f.partition(".")[0] for f in fields))


@lru_cache(PLANS)
def _plan_one(
    record: Record, actor: Actor, fields: Any, dialect: str
) -> tuple[Projection, Select[Any]]:
    projection = Projection(record, actor, top(fields))
    table = record.table
    statement = projection.select_from(table).where(table.c.id == bindparam("id", type_=BigInteger))
    return projection, statement.where(*required(record.allows(actor, "read")))

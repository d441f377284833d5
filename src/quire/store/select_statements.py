"""The statements of lists and of single records, built once for each role and shape of query."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from typing import Any

from sqlalchemy import Select, String, bindparam, func, select, type_coerce
from sqlalchemy.types import BigInteger

from quire.actor import Actor
from quire.declare.kinds import ID, RANK, SORT_KEY
from quire.declare.record import Record
from quire.declare.reference_rules import index_by_id
from quire.declare.rules import row_conditions
from quire.store import cursor, search_index
from quire.store.conditions import conditions_sql, expression
from quire.store.includes import heads
from quire.store.projection import Projection

MAX_PLANS = 100
"""Of each kind: anybody can ask for a new one by other filters, and one takes about 100 KB."""


@dataclass(frozen=True, eq=False)
class Plan:
    """The statements of a list for one role, built once.

    `ids` finds the rows, `count` counts all, `keys` are the sort keys; a row's last columns are its
    sort values. `ranks`: the best matches of a search come first, and `rows` is told from how many,
    as `most`. `is_indexed`: an index has the rows in the order of the list. `match`: whether a
    search finds a row, asked of the first `:ahead` of the list.
    """

    record: Record
    projection: Projection
    ids: Select[Any]
    count: Select[Any]
    keys: list[cursor.SortKey]
    ranks: bool = False
    is_indexed: bool = False
    match: Callable[[Any], Any] | None = None

    def select(self, ids: Select[Any], backwards: bool = False) -> Select[Any]:
        """The whole statement of page mode for those of `ids` that are wanted."""
        return two_step_select(self.record, self.projection, ids, self.keys, backwards, self.match)

    @cached_property
    def rows(self) -> Select[Any]:
        """The whole statement of page mode."""
        return self.select(self.ids)

    @cached_property
    def rows_back(self) -> Select[Any]:
        """The same from the end; made when the second half of a list is read: few lists are."""
        return self.select(self.ids, backwards=True)


@lru_cache(MAX_PLANS)
def list_plan(record: Record, actor: Actor, shape: Any, walking: bool, dialect: str) -> Plan:
    """The statements of a list for queries of this shape.

    A search takes the newest matches and ranks them; `walking`, it looks through the rows of the
    list in their own order and takes those that match.
    """
    conditions, sort, searching, fields, trashed, nested, panel = shape
    table = record.table
    keys = sort_keys(record, sort or record.order)
    projection = Projection(record, actor, None if fields is None else heads(fields))
    visible = visible_rows(record, actor, shape)
    ids = uncounted = select(table.c.id)
    if searching and not walking:
        hits = search_index.matches(record, dialect, ranked=not sort)
        ids = from_matches(ids, record, hits)
        uncounted = from_matches(
            uncounted, record, search_index.matches(record, dialect, ranked=False)
        )
        keys = keys if sort else [(hits.c.rank, False, False, RANK), *keys]
    ids = ids.where(*visible)
    count = uncounted.where(*visible)
    count = count.with_only_columns(func.count(), maintain_column_froms=True)
    few = trashed or nested is not None or (panel and record.allows(actor, "panel") is not True)
    order = sort or record.order if walking else sort
    hint = "" if few else _hint_at_order(record, order, conditions)
    if hint and (walking or not searching):
        ids = ids.with_hint(table, hint, "sqlite")
    ranks = searching and not walking and not sort
    match = partial(search_index.is_match, record, dialect=dialect) if walking else None
    return Plan(record, projection, ids, count, keys, ranks, bool(hint), match)


def from_matches(ids: Select[Any], record: Record, matches: Any) -> Select[Any]:
    """`ids` of `record`, joined to the subquery of its matches.

    The matches come first, each row by its id: any other way would be longer.
    """
    table = record.table
    joined = ids.select_from(matches).join(table, matches.c.record_id == table.c.id)
    return joined.with_hint(table, hint_by_id(table), "sqlite")


def _hint_at_order(record: Record, sort: tuple[str, ...], conditions: Any) -> str:
    """The hint at an index in the order of `sort`, where filters leave many rows.

    SQLite takes `deleted_at IS NULL` for a condition that few rows meet, and sorts the others.
    """
    if len(sort) != 1 or has_narrow(record, conditions):
        return ""
    column, table = record.field(sort[0].removeprefix("-")).order_column, record.table
    if column is table.c.id:
        return hint_by_id(table)
    if column is None:
        return ""
    # SQLite ends each index with the id, named or not
    fitting = ([column.name], [column.name, "id"])
    index = next((one.name for one in table.indexes if [*one.columns.keys()] in fitting), None)
    return f"INDEXED BY {index}" if index else ""


def hint_by_id(table: Any) -> str:
    """The hint that makes SQLite look up rows by id."""
    name = index_by_id(table)
    return f"INDEXED BY {name}" if name else "NOT INDEXED"


def has_narrow(record: Record, conditions: Any) -> bool:
    """Whether conditions, by their shapes, leave so few rows that an index of theirs is best."""
    return any(_is_narrow(record, one) for one in conditions)


def _is_narrow(record: Record, shape: Any) -> bool:
    """Whether a comparison, which has three parts, leaves few rows; groups may leave all."""
    if len(shape) != 3:
        return False
    field = record.field(shape[0].partition(".")[0])
    return field.target is not None or field.is_unique or field.name == "id"


def visible_rows(record: Record, actor: Actor, shape: Any) -> list[Any]:
    """The conditions of the rows that a query of this shape asks for and `actor` may see."""
    conditions, _, _, _, trashed, nested, panel = shape
    clauses = row_conditions(record.allows(actor, "panel" if panel else "read"))
    if record.has_trash:
        deleted = record.table.c.deleted_at
        clauses.insert(0, deleted.is_not(None) if trashed else deleted.is_(None))
    if nested is not None:
        clauses.append(record.field(nested).column == bindparam("nested", type_=BigInteger))
    return clauses + conditions_sql(record, conditions)


def sort_keys(record: Record, names: tuple[str, ...]) -> list[cursor.SortKey]:
    """What to sort by, the id last, so that no two rows are alike."""
    keys = []
    for name in names:
        field = record.field(name.removeprefix("-"))
        nullable = field.nullable or not field.is_stored
        # a key that was read is compared as it is, not made into the key of a key
        by_key = field.sort_key_column is not None
        sorted_by = type_coerce(field.sort_key_column, String()) if by_key else expression(field)
        kind = SORT_KEY if by_key else field.kind
        keys.append((sorted_by, name.startswith("-"), nullable, kind))
    if not any(name.removeprefix("-") == "id" for name in names):
        keys.append((record.table.c.id, bool(keys) and keys[-1][1], False, ID))
    return keys


def two_step_select(
    record: Record,
    projection: Projection,
    ids: Select[Any],
    keys: Any,
    backwards: bool,
    match: Callable[[Any], Any] | None,
) -> Select[Any]:
    """First the ids of the page, in an index if there is one, then only those rows.

    `match` is asked of the first `:ahead` ids in their order, until the page is full.
    """
    table = record.table
    inner = ids.add_columns(*(key[0].label(f"key_{i}") for i, key in enumerate(keys)))
    inner = inner.order_by(*(_ordered(key[0], key, backwards) for key in keys))
    if match is not None:
        # the limit keeps the database from asking before it sorts, and from sorting all rows
        in_order = inner.limit(bindparam("ahead", type_=BigInteger)).subquery("in_order")
        inner = select(in_order).where(match(in_order.c.id))
    limits = bindparam("limit", type_=BigInteger), bindparam("offset", type_=BigInteger)
    page_ids = inner.limit(limits[0]).offset(limits[1]).subquery("found")
    columns = [page_ids.c[f"key_{i}"] for i in range(len(keys))]
    values = [key[3].column_out(column) for key, column in zip(keys, columns, strict=True)]
    rows = projection.select_from(page_ids.join(table, table.c.id == page_ids.c.id))
    ordered = (_ordered(column, key, backwards) for column, key in zip(columns, keys, strict=True))
    return rows.add_columns(*values).order_by(*ordered)


def ordered_ids(plan: Plan) -> Select[Any]:
    """The ids of a list in its order, as many as the value bound as `most`."""
    ids = plan.ids if plan.match is None else plan.ids.where(plan.match(plan.record.table.c.id))
    ordered = (_ordered(key[0], key, False) for key in plan.keys)
    return ids.order_by(*ordered).limit(bindparam("most", type_=BigInteger))


def _ordered(column: Any, key: cursor.SortKey, backwards: bool) -> Any:
    _, descending, nullable, _ = key
    ordered = column.desc() if descending != backwards else column.asc()
    if not nullable:
        return ordered
    return ordered.nulls_first() if backwards else ordered.nulls_last()


@lru_cache(MAX_PLANS)
def record_plan(
    record: Record, actor: Actor, fields: Any, panel: bool, dialect: str
) -> tuple[Projection, Select[Any]]:
    """What shows a record to `actor`, and the statement that finds it by `id`."""
    projection = Projection(record, actor, None if fields is None else heads(fields))
    table = record.table
    statement = projection.select_from(table).where(table.c.id == bindparam("id", type_=BigInteger))
    return projection, statement.where(
        *row_conditions(record.allows(actor, "panel" if panel else "read"))
    )

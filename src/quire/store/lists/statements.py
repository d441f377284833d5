"""The statements of lists and of single records, built once for each role and shape of query."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from functools import cached_property, lru_cache, partial
from typing import Any

from sqlalchemy import Select, String, and_, bindparam, func, select, true, type_coerce
from sqlalchemy.types import BigInteger

from quire.actor import Actor
from quire.declare.record import Record
from quire.declare.rules import row_conditions
from quire.declare.value_kinds import ID, RANK, SORT_KEY
from quire.store.connections.prepared_statements import Prepared, Unprepared, prepare
from quire.store.includes import heads
from quire.store.lists import cursor
from quire.store.lists.conditions import conditions_sql, expression
from quire.store.lists.index_hints import (
    has_links,
    has_narrow,
    hint_at_condition,
    hint_at_keys,
    hint_at_order,
    hint_at_parent,
    hint_by_id,
    lacks_in_order,
    null_before_order,
)
from quire.store.lists.link_lists import link_list
from quire.store.projection import Projection
from quire.store.search import search_index

MAX_PLANS = 100
"""Of each kind: anybody can ask for a new one by other filters, and one takes about 100 KB."""


class Walk(Enum):
    """Whether the rows of a list are looked through in their own order, and how those wanted are told.

    BY_HITS: hits of a search by the ids of all, gathered first; BY_TERMS: by the document of each row;
    BY_LINKS: rows with a tag, or the like, by the tags of each row; BY_CONDITION: not in their own order,
    since an index of a condition brings all of them, which are few; IN_ORDER: in an index of the order that
    is asked for, since a condition that may leave few rows leaves many.
    """

    NONE = auto()
    BY_HITS = auto()
    BY_TERMS = auto()
    BY_LINKS = auto()
    BY_CONDITION = auto()
    IN_ORDER = auto()


SEARCHING = (Walk.BY_HITS, Walk.BY_TERMS)


@dataclass(frozen=True, eq=False)
class Plan:
    """The statements of a list for one role, built once.

    `ids` finds the rows, `count` counts all, `keys` are the sort keys; a row's last columns are its
    sort values. `ranks`: the best matches of a search come first, and `rows` is told from how many,
    as `most`. `is_indexed`: an index has the rows in the order of the list. `is_wide`:
    it is a whole list in its own order. `match`: whether a row
    belongs to the list, asked of the first `:ahead` of `ids` in their order. `counts_by_parent`:
    `count` names an index, of which the rows that are counted together are neighbours. `is_linked`:
    an index of links to one record has them in their order, however many there are. `lead`: a column that is
    null in all rows, and stands in front of the order in its index.
    """

    record: Record
    projection: Projection
    ids: Select[Any]
    count: Select[Any]
    keys: list[cursor.SortKey]
    ranks: bool = False
    is_indexed: bool = False
    is_wide: bool = False
    walk: Walk = Walk.NONE
    match: Callable[[Any], Any] | None = None
    counts_by_parent: bool = False
    is_linked: bool = False
    lead: Any = None

    def select(self, ids: Select[Any], backwards: bool = False) -> Select[Any]:
        """The whole statement of page mode for those of `ids` that are wanted."""
        return two_step_select(self, ids, backwards)

    @cached_property
    def rows(self) -> Prepared | Unprepared:
        """The whole statement of page mode."""
        return prepare(self.select(self.ids))

    @cached_property
    def rows_back(self) -> Prepared | Unprepared:
        """The same from the end; made when the second half of a list is read: few lists are."""
        return prepare(self.select(self.ids, backwards=True))

    @cached_property
    def rows_behind(self) -> Prepared | Unprepared:
        """The same behind the sort key bound as `after_0` ..., where none of the keys can be null."""
        return prepare(self.select(self.ids.where(cursor.rows_after(self.keys, False, []))))


@lru_cache(MAX_PLANS)
def list_plan(record: Record, actor: Actor, shape: Any, walk: Walk, dialect: str) -> Plan:
    """The statements of a list for queries of this shape.

    A search takes the newest matches, and ranks or sorts them, unless it is to `walk`.
    """
    return _linked_plan(record, actor, shape) or _plan(record, actor, shape, walk, dialect)


def _plan(record: Record, actor: Actor, shape: Any, walk: Walk, dialect: str) -> Plan:
    conditions, sort, searching, fields, trashed, nested, panel = shape
    walks, from_hits = walk in SEARCHING, searching and walk is Walk.NONE
    keys = sort_keys(record, sort or record.order)
    projection = Projection(record, actor, None if fields is None else heads(fields))
    visible = visible_rows(record, actor, shape, walk is Walk.BY_LINKS)
    few = trashed or nested is not None or (panel and record.allows(actor, "panel") is not True)
    by_condition = hint_at_condition(record, conditions) if walk is Walk.BY_CONDITION else ""
    hint = "" if few else hint_at_order(record, sort or record.order * walks, conditions)
    hint = by_condition or _hint_in_order(record, sort, walk) or hint
    ids, match = select(record.table.c.id), None
    if from_hits:
        hits = search_index.matches(record, dialect, ranked=not sort)
        is_late = bool(sort) and dialect == "sqlite" and not few and not conditions
        ids = from_matches(ids, record, hits, hint_at_keys(record, sort) if is_late else "")
        keys = keys if sort else [(hits.c.rank, False, False, RANK), *keys]
        match = partial(_is_visible, record, visible) if is_late else None
    elif hint:
        ids = ids.with_hint(record.table, hint, "sqlite")
    if walk is Walk.BY_HITS and hint:
        match = partial(_is_visible_hit, record, visible, dialect)
    elif walks:
        match, ids = partial(search_index.is_match, record, dialect=dialect), ids.where(*visible)
    elif match is None:
        ids = ids.where(*visible)
    by_parent = "" if searching else hint_at_parent(record, visible)
    count = _count(record, visible, searching, dialect)
    if not (by_parent or searching or trashed) and lacks_in_order(record, conditions):
        count = count.with_hint(record.table, hint_at_condition(record, conditions), "sqlite")
    if by_parent:
        count = count.with_hint(record.table, by_parent, "sqlite")
    if has_links(record, conditions) and not searching:
        # SQLite would walk the whole index of the list, be there a million rows or one with that tag
        count = count.with_hint(record.table, hint_by_id(record.table), "sqlite")
        if walk is Walk.NONE:
            ids = ids.with_hint(record.table, hint_by_id(record.table), "sqlite")
    ranks = from_hits and not sort
    is_wide = not (few or searching or by_condition or has_narrow(record, conditions))
    is_wide = is_wide and (
        not sort or (bool(hint) and not record.field(sort[0].removeprefix("-")).counter)
    )
    more = bool(hint) and not by_condition, is_wide, walk, match, bool(by_parent)
    lead = None if trashed else null_before_order(record, keys)
    return Plan(record, projection, ids, count, keys, ranks, *more, lead=lead)


def _linked_plan(record: Record, actor: Actor, shape: Any) -> Plan | None:
    """The statements of a list of all that refer to one record; None where their links do not tell enough."""
    conditions, sort, searching, fields, _, nested, _ = shape
    if len(conditions) != 1 or len(conditions[0]) != 3 or sort or searching or nested is not None:
        return None
    visible = visible_rows(record, actor, ((), *shape[1:]))
    listed = link_list(record, conditions[0], visible, sort_keys(record, record.order))
    if listed is None:
        return None
    projection = Projection(record, actor, None if fields is None else heads(fields))
    return Plan(record, projection, listed.ids, listed.count, listed.keys, is_linked=True)


def _hint_in_order(record: Record, sort: tuple[str, ...], walk: Walk) -> str:
    """The hint at the order that is asked for where `walk` says that conditions leave many rows."""
    return hint_at_order(record, sort) if walk in (Walk.IN_ORDER, Walk.BY_LINKS) else ""


def _count(record: Record, visible: list[Any], searching: bool, dialect: str) -> Select[Any]:
    ids = select(record.table.c.id)
    if searching:
        ids = from_matches(ids, record, search_index.matches(record, dialect, ranked=False))
    return ids.where(*visible).with_only_columns(func.count(), maintain_column_froms=True)


def _is_visible(record: Record, visible: list[Any], id: Any) -> Any:
    """Whether the row of this id meets all conditions of a list."""
    table = record.table
    # no EXISTS, which PostgreSQL would join in an order of its own
    statement = select(true()).select_from(table).where(table.c.id == id, *visible)
    hinted = statement.with_hint(table, hint_by_id(table), "sqlite")
    return hinted.correlate_except(table).scalar_subquery()


def _is_visible_hit(record: Record, visible: list[Any], dialect: str, id: Any) -> Any:
    return and_(search_index.is_hit(record, id, dialect), _is_visible(record, visible, id))


def from_matches(ids: Select[Any], record: Record, matches: Any, hint: str = "") -> Select[Any]:
    """`ids` of `record`, joined to the subquery of its matches.

    The matches come first, each row by its id: any other way would be longer.
    """
    table = record.table
    joined = ids.select_from(matches).join(table, matches.c.record_id == table.c.id)
    return joined.with_hint(table, hint or hint_by_id(table), "sqlite")


def visible_rows(record: Record, actor: Actor, shape: Any, row_by_row: bool = False) -> list[Any]:
    """The conditions of the rows that a query of this shape asks for and `actor` may see."""
    conditions, _, _, _, trashed, nested, panel = shape
    clauses = row_conditions(record.allows(actor, "panel" if panel else "read"))
    if record.has_trash:
        deleted = record.table.c.deleted_at
        clauses.insert(0, deleted.is_not(None) if trashed else deleted.is_(None))
    if nested is not None:
        clauses.append(record.field(nested).column == bindparam("nested", type_=BigInteger))
    return clauses + conditions_sql(record, conditions, row_by_row)


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


def two_step_select(plan: Plan, ids: Select[Any], backwards: bool) -> Select[Any]:
    """First the ids of the page, in an index if there is one, then only those rows.

    `plan.match` is asked of the first `:ahead` ids in their order, until the page is full.
    """
    table, keys = plan.record.table, plan.keys
    inner = ids.add_columns(*(key[0].label(f"key_{i}") for i, key in enumerate(keys)))
    inner = in_order(plan, inner, backwards)
    if plan.match is not None:
        # the limit keeps the database from asking before it sorts, and from sorting all rows
        ahead = inner.limit(bindparam("ahead", type_=BigInteger)).subquery("in_order")
        inner = select(ahead).where(plan.match(ahead.c.id))
    limits = bindparam("limit", type_=BigInteger), bindparam("offset", type_=BigInteger)
    page_ids = inner.limit(limits[0]).offset(limits[1]).subquery("found")
    columns = [page_ids.c[f"key_{i}"] for i in range(len(keys))]
    values = [key[3].column_out(column) for key, column in zip(keys, columns, strict=True)]
    rows = plan.projection.select_from(page_ids.join(table, table.c.id == page_ids.c.id))
    ordered = (_ordering(column, key, backwards) for column, key in zip(columns, keys, strict=True))
    return rows.add_columns(*values).order_by(*ordered)


def ordered_ids(plan: Plan) -> Select[Any]:
    """The ids of a list in its order, as many as the value bound as `most`."""
    ids = plan.ids if plan.match is None else plan.ids.where(plan.match(plan.record.table.c.id))
    return in_order(plan, ids).limit(bindparam("most", type_=BigInteger))


def in_order(plan: Plan, ids: Select[Any], backwards: bool = False) -> Select[Any]:
    """`ids` in the order of a list, or from its end."""
    if plan.lead is not None:
        ids = ids.order_by(_ordering(plan.lead, plan.keys[0], backwards))
    return ids.order_by(*(_ordering(key[0], key, backwards) for key in plan.keys))


def _ordering(column: Any, key: cursor.SortKey, backwards: bool) -> Any:
    _, descending, nullable, _ = key
    ordered = column.desc() if descending != backwards else column.asc()
    if not nullable:
        return ordered
    return ordered.nulls_first() if backwards else ordered.nulls_last()


@lru_cache(MAX_PLANS)
def record_plan(
    record: Record, actor: Actor, fields: Any, panel: bool, dialect: str
) -> tuple[Projection, Prepared | Unprepared]:
    """What shows a record to `actor`, and the statement that finds it by `id`."""
    projection = Projection(record, actor, None if fields is None else heads(fields))
    table = record.table
    statement = projection.select_from(table).where(table.c.id == bindparam("id", type_=BigInteger))
    visible = row_conditions(record.allows(actor, "panel" if panel else "read"))
    return projection, prepare(statement.where(*visible))

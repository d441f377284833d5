"""The statements for lists and single records, built once for each role and shape of query."""

from collections.abc import Callable
from functools import cached_property, lru_cache, partial
from typing import Any

from sqlalchemy import Select, String, and_, bindparam, func, select, true, type_coerce
from sqlalchemy.types import BigInteger

from quire.actor import Actor
from quire.declare.query import QueryShape
from quire.declare.query_conditions import ConditionShape
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
    hint_at_reference,
    hint_by_id,
    lacks_in_order,
    null_before_order,
)
from quire.store.lists.link_lists import link_list
from quire.store.lists.plan import SEARCHING, Plan, Walk
from quire.store.projection import Projection
from quire.store.search import search_index

MAX_PLANS = 100
"""The limit for each kind: anyone can request a new one with other filters, and one takes about 100 KB."""


@lru_cache(MAX_PLANS)
def list_plan(record: Record, actor: Actor, shape: QueryShape, walk: Walk, dialect: str) -> Plan:
    """Return the statements of a list for queries of this shape.

    A search takes the newest matches and ranks or sorts them, unless it is a `walk`.
    """
    linked = _linked_plan(record, actor, shape)
    return linked or _PlanBuilder(record, actor, shape, walk, dialect).build()


class _PlanBuilder:
    """Builds the plan of a list for one role: what yields its rows, what counts them, and the index for each."""

    def __init__(self, record: Record, actor: Actor, shape: QueryShape, walk: Walk, dialect: str):
        self.record, self.table, self.actor = record, record.table, actor
        self.shape, self.walk, self.dialect = shape, walk, dialect
        self.visible = visible_rows(record, actor, shape, walk is Walk.BY_LINKS)
        self.from_hits = shape.searching and walk is Walk.NONE
        """Whether the matches of a search come first, and their rows are looked up."""
        self.by_condition = (
            hint_at_condition(record, shape.conditions) if walk is Walk.BY_CONDITION else ""
        )
        self.has_links = not shape.searching and has_links(record, shape.conditions)
        self.order_hint = self._order_hint()

    def build(self) -> Plan:
        """Return the plan."""
        by_parent = self._parent_hint()
        keys = sort_keys(self.record, self.shape.sort or self.record.order)
        ranks = self.from_hits and not self.shape.sort
        return Plan(
            self.record,
            projection_of(self.record, self.actor, self.shape.fields),
            self._ids(),
            self._count(by_parent),
            [(self._hits.c.rank, False, False, RANK), *keys] if ranks else keys,
            ranks=ranks,
            is_indexed=bool(self.order_hint) and not self.by_condition,
            is_wide=self._is_wide(),
            walk=self.walk,
            match=self._match(),
            counts_by_parent=bool(by_parent),
            lead=None if self.shape.trashed else null_before_order(self.record, keys),
        )

    @cached_property
    def is_part(self) -> bool:
        """Whether it is a small part of all rows: the trash, one parent's records, one's own records in the panel."""
        shape = self.shape
        is_own = shape.panel and self.record.allows(self.actor, "panel") is not True
        return shape.trashed or shape.nested is not None or is_own

    @cached_property
    def is_late(self) -> bool:
        """Whether visibility is tested after sorting the matches, since most are visible."""
        is_plain = bool(self.shape.sort) and not self.is_part and not self.shape.conditions
        return self.from_hits and is_plain and self.dialect == "sqlite"

    @cached_property
    def _hits(self) -> Any:
        return search_index.matches(self.record, self.dialect, ranked=not self.shape.sort)

    def _order_hint(self) -> str:
        """Return a hint at the index in whose order the rows are scanned, or at that of a condition."""
        record, sort, conditions = self.record, self.shape.sort, self.shape.conditions
        if self.by_condition:
            return self.by_condition
        if self.walk in (Walk.IN_ORDER, Walk.BY_LINKS) and (hint := hint_at_order(record, sort)):
            return hint
        if self.is_part:
            return ""
        own_order = record.order if self.walk in SEARCHING else ()
        return hint_at_order(record, sort or own_order, conditions)

    def _ids(self) -> Select[Any]:
        ids = select(self.table.c.id)
        if self.from_hits:
            hint = hint_at_keys(self.record, self.shape.sort) if self.is_late else ""
            ids = from_matches(ids, self.record, self._hits, hint)
        else:
            by_id = self.has_links and self.walk is Walk.NONE
            ids = _add_hint(ids, self.table, hint_by_id(self.table) if by_id else self.order_hint)
        return ids if self._is_visible_by_match else ids.where(*self.visible)

    @property
    def _is_visible_by_match(self) -> bool:
        return self.is_late or (self.walk is Walk.BY_HITS and bool(self.order_hint))

    def _match(self) -> Callable[[Any], Any] | None:
        if self.is_late:
            return partial(_is_visible, self.record, self.visible)
        if self._is_visible_by_match:
            return partial(_is_visible_hit, self.record, self.visible, self.dialect)
        if self.walk in SEARCHING:
            return partial(search_index.is_match, self.record, dialect=self.dialect)
        return None

    def _parent_hint(self) -> str:
        return "" if self.shape.searching else hint_at_parent(self.record, self.visible)

    def _count(self, by_parent: str) -> Select[Any]:
        ids = select(self.table.c.id)
        if self.shape.searching:
            hits = search_index.matches(self.record, self.dialect, ranked=False)
            ids = from_matches(ids, self.record, hits)
        else:
            ids = _add_hint(ids, self.table, self._count_hint(by_parent))
        return ids.where(*self.visible).with_only_columns(func.count(), maintain_column_froms=True)

    def _count_hint(self, by_parent: str) -> str:
        if self.has_links:
            # SQLite would otherwise scan the list's whole index, whether a million rows or one have that tag
            return hint_by_id(self.table)
        conditions = self.shape.conditions
        if by_parent or self.shape.trashed:
            return by_parent
        if hint := hint_at_reference(self.record, conditions, self.visible):
            return hint
        lacks = lacks_in_order(self.record, conditions)
        return hint_at_condition(self.record, conditions) if lacks else ""

    def _is_wide(self) -> bool:
        shape = self.shape
        if self.is_part or shape.searching or self.by_condition:
            return False
        if has_narrow(self.record, shape.conditions):
            return False
        if not shape.sort:
            return True
        return (
            bool(self.order_hint) and not self.record.field(shape.sort[0].removeprefix("-")).counter
        )


def _add_hint(statement: Select[Any], table: Any, hint: str) -> Select[Any]:
    return statement.with_hint(table, hint, "sqlite") if hint else statement


def projection_of(record: Record, actor: Actor, fields: tuple[str, ...] | None) -> Projection:
    """Return what shows the requested fields, or all, to `actor`."""
    return Projection(record, actor, None if fields is None else heads(fields))


def _linked_plan(record: Record, actor: Actor, shape: QueryShape) -> Plan | None:
    """Return the statements for a list of all that refer to one record; None if their links lack columns."""
    if len(shape.conditions) != 1 or shape.sort or shape.searching or shape.nested is not None:
        return None
    (condition,) = shape.conditions
    if not isinstance(condition, ConditionShape):
        return None
    visible = visible_rows(record, actor, shape._replace(conditions=()))
    listed = link_list(record, condition, visible, sort_keys(record, record.order))
    if listed is None:
        return None
    projection = projection_of(record, actor, shape.fields)
    return Plan(record, projection, listed.ids, listed.count, listed.keys, is_linked=True)


def _is_visible(record: Record, visible: list[Any], id: Any) -> Any:
    """Return whether the row with this id meets all conditions of a list."""
    table = record.table
    # not EXISTS, which PostgreSQL would join in an order of its own
    statement = select(true()).select_from(table).where(table.c.id == id, *visible)
    hinted = statement.with_hint(table, hint_by_id(table), "sqlite")
    return hinted.correlate_except(table).scalar_subquery()


def _is_visible_hit(record: Record, visible: list[Any], dialect: str, id: Any) -> Any:
    return and_(search_index.is_hit(record, id, dialect), _is_visible(record, visible, id))


def from_matches(ids: Select[Any], record: Record, matches: Any, hint: str = "") -> Select[Any]:
    """Return `ids` of `record`, joined to the subquery of its matches.

    The matches come first, and each row is looked up by id: any other order would take longer.
    """
    table = record.table
    joined = ids.select_from(matches).join(table, matches.c.record_id == table.c.id)
    return joined.with_hint(table, hint or hint_by_id(table), "sqlite")


def visible_rows(
    record: Record, actor: Actor, shape: QueryShape, row_by_row: bool = False
) -> list[Any]:
    """Return the conditions for rows that a query of this shape requests and `actor` may see."""
    clauses = row_conditions(record.allows(actor, "panel" if shape.panel else "read"))
    if record.has_trash:
        deleted = record.table.c.deleted_at
        clauses.insert(0, deleted.is_not(None) if shape.trashed else deleted.is_(None))
    if shape.nested is not None:
        parent = bindparam("nested", type_=BigInteger)
        clauses.append(record.field(shape.nested).column == parent)
    return clauses + conditions_sql(record, shape.conditions, row_by_row)


def sort_keys(record: Record, names: tuple[str, ...]) -> list[cursor.SortKey]:
    """Return the sort keys, ending with the id, so that no two rows are equal."""
    keys = []
    for name in names:
        field = record.field(name.removeprefix("-"))
        nullable = field.nullable or not field.is_stored
        # a key from a row is compared as it is, not converted to a key again
        by_key = field.sort_key_column is not None
        sorted_by = type_coerce(field.sort_key_column, String()) if by_key else expression(field)
        kind = SORT_KEY if by_key else field.kind
        keys.append((sorted_by, name.startswith("-"), nullable, kind))
    if not any(name.removeprefix("-") == "id" for name in names):
        keys.append((record.table.c.id, bool(keys) and keys[-1][1], False, ID))
    return keys


@lru_cache(MAX_PLANS)
def record_plan(
    record: Record, actor: Actor, fields: Any, panel: bool, dialect: str
) -> tuple[Projection, Prepared | Unprepared]:
    """Return what shows a record to `actor`, and the statement that finds it by `id`."""
    projection = projection_of(record, actor, fields)
    table = record.table
    statement = projection.select_from(table).where(table.c.id == bindparam("id", type_=BigInteger))
    visible = row_conditions(record.allows(actor, "panel" if panel else "read"))
    return projection, prepare(statement.where(*visible))

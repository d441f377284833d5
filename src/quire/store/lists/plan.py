"""The plan of a list: the statements that find the rows of a page in their order, and count all."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from functools import cached_property
from itertools import chain
from typing import Any

from sqlalchemy import BindParameter, Select, bindparam, select
from sqlalchemy.sql import visitors
from sqlalchemy.types import BigInteger

from quire.declare.record import Record
from quire.store.connections.prepared_statements import Prepared, Unprepared, prepare
from quire.store.lists import cursor
from quire.store.projection import Projection


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
    as `limit`. `is_indexed`: an index has the rows in the order of the list. `is_wide`:
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

    @cached_property
    def parameters(self) -> frozenset[str]:
        """The names of the values, but for the time, on which its rows depend: of most lists no person's id is one."""
        nodes = chain(visitors.iterate(self.ids), visitors.iterate(self.count))
        return frozenset(one.key for one in nodes if isinstance(one, BindParameter)) - {"now"}

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
    """The ids of a list in its order, as many as the value bound as `limit`."""
    ids = plan.ids if plan.match is None else plan.ids.where(plan.match(plan.record.table.c.id))
    return in_order(plan, ids).limit(bindparam("limit", type_=BigInteger))


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

"""The plan of a list: the statements that yield the rows of a page in order, and count them all."""

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
    """Whether a list's rows are scanned in its own order, and how the wanted ones are recognized.

    BY_HITS: matches of a search by the ids of all, collected first; BY_TERMS: by the document of each row;
    BY_LINKS: rows with a tag or the like, by the tags of each row; BY_CONDITION: not in list order, since the index
    of a condition yields all of them, which are few; IN_ORDER: in an index of the requested order, since a
    condition that might leave few rows leaves many.
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

    `ids` yields the rows, `count` counts them all, `keys` are the sort keys; a row's last columns are its sort
    values. `ranks`: the best matches of a search come first, and `rows` needs to know their number, as `limit`.
    `is_indexed`: an index yields the rows in list order. `is_wide`: it is a whole list in its own order. `match`:
    whether a row belongs to the list, tested on the first `:ahead` of `ids` in order. `counts_by_parent`: `count`
    names an index in which rows counted together are adjacent. `is_linked`: an index of links to one record yields
    them in order, however many there are. `lead`: a column that is null in all rows and precedes the order in its
    index.
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
        """The names of the values, except the time, that its rows depend on; for most lists, nobody's id is among
        them.
        """
        nodes = chain(visitors.iterate(self.ids), visitors.iterate(self.count))
        return frozenset(one.key for one in nodes if isinstance(one, BindParameter)) - {"now"}

    def select(self, ids: Select[Any], backwards: bool = False) -> Select[Any]:
        """Return the whole statement of page mode for the wanted part of `ids`."""
        return two_step_select(self, ids, backwards)

    @cached_property
    def rows(self) -> Prepared | Unprepared:
        """The whole statement of page mode."""
        return prepare(self.select(self.ids))

    @cached_property
    def rows_back(self) -> Prepared | Unprepared:
        """The same from the end, built when the second half of a list is read, which is rare."""
        return prepare(self.select(self.ids, backwards=True))

    @cached_property
    def rows_behind(self) -> Prepared | Unprepared:
        """The same after the sort key bound as `after_0` ..., if none of the keys can be null."""
        return prepare(self.select(self.ids.where(cursor.rows_after(self.keys, False, []))))


def two_step_select(plan: Plan, ids: Select[Any], backwards: bool) -> Select[Any]:
    """Select the ids of the page first, from an index if there is one, then only those rows.

    `plan.match` is tested on the first `:ahead` ids in order, until the page is full.
    """
    table, keys = plan.record.table, plan.keys
    inner = ids.add_columns(*(key[0].label(f"key_{i}") for i, key in enumerate(keys)))
    inner = in_order(plan, inner, backwards)
    if plan.match is not None:
        # the limit keeps the database from testing before sorting, and from sorting all rows
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
    """Return the ids of a list in order, as many as the value bound as `limit`."""
    ids = plan.ids if plan.match is None else plan.ids.where(plan.match(plan.record.table.c.id))
    return in_order(plan, ids).limit(bindparam("limit", type_=BigInteger))


def in_order(plan: Plan, ids: Select[Any], backwards: bool = False) -> Select[Any]:
    """Return `ids` in list order, or from the end."""
    if plan.lead is not None:
        ids = ids.order_by(_ordering(plan.lead, plan.keys[0], backwards))
    return ids.order_by(*(_ordering(key[0], key, backwards) for key in plan.keys))


def _ordering(column: Any, key: cursor.SortKey, backwards: bool) -> Any:
    _, descending, nullable, _ = key
    ordered = column.desc() if descending != backwards else column.asc()
    if not nullable:
        return ordered
    return ordered.nulls_first() if backwards else ordered.nulls_last()

"""Lists of the records that refer to one record, such as the posts with a tag, read from an index of the links."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, Select, Table, func, select
from sqlalchemy.sql import visitors
from sqlalchemy.sql.selectable import SelectBase

from quire.declare.query_conditions import ConditionShape
from quire.declare.record import Record
from quire.declare.references import Many
from quire.store.lists.conditions import is_link_to
from quire.store.lists.cursor import SortKey


@dataclass(frozen=True)
class LinkList:
    """What yields the rows of such a list: their `ids`, their `count`, and their sort keys."""

    ids: Select[Any]
    count: Select[Any]
    keys: list[SortKey]


def link_list(
    record: Record, comparison: ConditionShape, visible: Sequence[Any], keys: Sequence[SortKey]
) -> LinkList | None:
    """Return what yields the rows that meet a comparison and the conditions `visible`.

    None if it is not about one record that they refer to, or if the links lack columns of the conditions and the
    sort keys.
    """
    is_linked = is_link_to(record, comparison, "f0")
    many = record.field(comparison.field).many
    if is_linked is None or many is None:
        return None
    clauses = [_of_links(record.table, many, one) for one in visible]
    ordered = [_of_links(record.table, many, key[0]) for key in keys]
    if any(one is None for one in (*clauses, *ordered)):
        return None
    link = many.table
    ids = select(link.c.source_id.label("id")).where(is_linked, *clauses)
    ids = ids.with_hint(link, f"INDEXED BY {many.index_name}", "sqlite")
    count = ids.with_only_columns(func.count(), maintain_column_froms=True)
    return LinkList(ids, count, [(own, *key[1:]) for own, key in zip(ordered, keys, strict=True)])


def _of_links(table: Table, many: Many, clause: Any) -> Any:
    """Rewrite a clause about rows of a table for their links; None if these lack one of its columns."""
    copies = {name: many.table.c[name] for name in many.copied} | {"id": many.table.c.source_id}
    parts = list(visitors.iterate(clause))
    own = {one.name for one in parts if isinstance(one, Column) and one.table is table}
    if any(isinstance(one, SelectBase) for one in parts) or not own <= copies.keys():
        return None

    def copy_of(element: Any, **_: Any) -> ColumnElement[Any] | None:
        is_own = isinstance(element, Column) and element.table is table
        return copies[element.name] if is_own else None

    return visitors.replacement_traverse(clause, {}, copy_of)

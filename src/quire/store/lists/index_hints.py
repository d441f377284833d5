"""Tells SQLite which index to use: it has no statistics, and does not know how many rows a condition leaves."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column, Index
from sqlalchemy.sql import visitors

from quire.declare.query_conditions import ConditionShape, Shape
from quire.declare.record import Record
from quire.declare.reference_rules import index_by_id

_BY_INDEX = ("eq", "in", "lt", "lte", "gt", "gte")
"""Comparisons for which an index of the column yields the rows."""


def _indexes(table: Any) -> list[Index]:
    """Return the indexes of all rows: with a hint at a partial one, SQLite fails unless its condition is in the
    query.
    """
    whole = (one for one in table.indexes if "where" not in one.info)
    return sorted(whole, key=lambda one: str(one.name))


def hint_at_parent(record: Record, visible: list[Any]) -> str:
    """Return a hint at an index that covers the list's conditions, in the order of the parents that decide
    visibility.

    In any other order, each row would read another page of the parents' index.
    """
    references = (rule.reference for rule in record.access.read.walk() if rule.reference)
    return _hint_at_all(record, {column.key for column, _, _ in references}, visible)


def hint_at_reference(record: Record, conditions: Sequence[Shape], visible: list[Any]) -> str:
    """Return a hint at an index that covers the rows which refer to the record in a condition."""
    compared = (one for one in _comparisons(conditions) if one.operator in _BY_INDEX)
    fields = (record.field(one.field) for one in compared)
    return _hint_at_all(
        record, {one.column.key for one in fields if one.target and one.is_stored}, visible
    )


def _hint_at_all(record: Record, first: set[str], visible: list[Any]) -> str:
    """Return a hint at an index that begins with one of the columns and covers the conditions `visible`."""
    nodes = (node for condition in visible for node in visitors.iterate(condition))
    columns = {
        node.name for node in nodes if isinstance(node, Column) and node.table is record.table
    }
    for index in _indexes(record.table):
        names = [*index.columns.keys()]
        if names[0] in first & columns and columns - {"id"} <= {*names}:
            return f"INDEXED BY {index.name}"
    return ""


def hint_at_order(record: Record, sort: tuple[str, ...], conditions: Sequence[Shape] = ()) -> str:
    """Return a hint at an index in the order of `sort`, if filters leave many rows, as indicated by `conditions`.

    SQLite assumes that few rows meet `deleted_at IS NULL`, and would sort the others.
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
    index = next((one.name for one in _indexes(table) if one.columns.keys()[:2] in fitting), None)
    return f"INDEXED BY {index}" if index else ""


def null_before_order(record: Record, keys: Sequence[Any]) -> Any:
    """Return the trash column if it precedes the first sort key in an index.

    PostgreSQL only reads such an index in order if all its columns are named, even if the column is null in all
    rows.
    """
    deleted, key = record.table.c.get("deleted_at"), keys[0][0]
    pairs = ([*index.columns][:2] for index in _indexes(record.table))
    is_first = any(len(pair) == 2 and pair[0] is deleted and pair[1] is key for pair in pairs)
    return deleted if is_first else None


def hint_at_keys(record: Record, sort: tuple[str, ...]) -> str:
    """Return a hint at what contains the sort keys of a row with a known id: an index, or the row itself."""
    table = record.table
    keys = {record.field(one.removeprefix("-")).order_column for one in sort}
    covering = any(
        one.name == index_by_id(table) and keys <= {*one.columns} for one in _indexes(table)
    )
    return hint_by_id(table) if covering else "NOT INDEXED"


def hint_by_id(table: Any) -> str:
    """Return a hint that makes SQLite look up rows by id."""
    name = index_by_id(table)
    return f"INDEXED BY {name}" if name else "NOT INDEXED"


def has_narrow(record: Record, conditions: Sequence[Shape]) -> bool:
    """Whether conditions leave so few rows that their own index is best; groups may leave all."""
    fields = (record.field(one.field) for one in _comparisons(conditions))
    names_few = any(
        field.target is not None or field.is_unique or field.name == "id" for field in fields
    )
    return names_few or _names_a_record(record, conditions)


def _names_a_record(record: Record, conditions: Sequence[Shape]) -> bool:
    """Whether equations cover the start of an index, as `type` and `record_id` do: one column may leave many."""
    equal = (record.field(one.path) for one in _comparisons(conditions) if one.operator == "eq")
    columns = {field.column.key for field in equal if field.is_stored}
    return any(
        {*index.columns.keys()[:2]} <= columns
        for index in _indexes(record.table)
        if len(index.columns) > 1
    )


def hint_at_condition(record: Record, conditions: Sequence[Shape]) -> str:
    """Return a hint at the index for one of the conditions, which leaves few rows."""
    for one in (one for one in _comparisons(conditions) if one.operator in _BY_INDEX):
        field = record.field(one.field)
        key = field.column.key if field.is_stored else None
        fitting = [one for one in _indexes(record.table) if one.columns.keys()[0] == key]
        # the one with most columns may avoid reading the row
        index = max(fitting, key=lambda one: len(one.columns), default=None)
        if index is not None and field.sort_key_column is None:
            return f"INDEXED BY {index.name}"
    return ""


def lacks_in_order(record: Record, conditions: Sequence[Shape]) -> bool:
    """Whether no index with the trash column has all columns of the conditions, so that each row is read."""
    fields = (record.field(one.field) for one in _comparisons(conditions))
    columns = {field.column.key for field in fields if field.is_stored} | {"deleted_at"}
    return record.has_trash and not any(
        columns <= {*index.columns.keys()} for index in _indexes(record.table)
    )


def has_links(record: Record, conditions: Sequence[Shape]) -> bool:
    """Whether the conditions test single values as well as the contents of a list, such as tags."""
    compared = _comparisons(conditions)
    is_positive = len(compared) == len(conditions) and all(
        one.operator in ("eq", "in") for one in compared
    )
    return is_positive and any(record.field(one.field).many is not None for one in compared)


def _comparisons(conditions: Sequence[Shape]) -> list[ConditionShape]:
    """Return the conditions that are not groups."""
    return [one for one in conditions if isinstance(one, ConditionShape)]

"""Converts the conditions of a query to SQL, with a bound parameter for each value."""

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

from sqlalchemy import (
    BigInteger,
    Integer,
    Select,
    and_,
    bindparam,
    exists,
    false,
    func,
    not_,
    or_,
    select,
)
from sqlalchemy.sql.elements import ColumnElement

from quire.declare.fields import Computed, Field
from quire.declare.query_conditions import ConditionShape, Shape
from quire.declare.record import Record, record_of
from quire.declare.sql_functions import fold, position

Condition = ColumnElement[bool]


def conditions_sql(
    record: Record, shapes: Sequence[Shape], row_by_row: bool = False
) -> list[Condition]:
    """Return the SQL of conditions by their shapes, all of which must match.

    With `row_by_row`, the contents of lists are tested for each row, which is best for few rows; otherwise all rows
    whose lists contain the value are collected first. The values of the nth comparison from the left are bound as
    `f<n>_0`, `f<n>_1` ...
    """
    numbers = count()
    return [_shape_sql(record, shape, numbers, row_by_row) for shape in shapes]


def _shape_sql(record: Record, shape: Shape, numbers: Iterator[int], row_by_row: bool) -> Condition:
    if isinstance(shape, ConditionShape):
        return _comparison_sql(record, shape, f"f{next(numbers)}", row_by_row)
    conditions = [_shape_sql(record, part, numbers, row_by_row) for part in shape.parts]
    if shape.kind == "not":
        # comparing with NULL yields NULL in SQL, and "not" would then omit the row as well
        return not_(func.coalesce(and_(*conditions), false()))
    return or_(*conditions) if shape.kind == "any" else and_(*conditions)


def _comparison_sql(
    record: Record, shape: ConditionShape, name: str, row_by_row: bool
) -> Condition:
    """Return the SQL of one condition; its values are bound as `<name>_0`, `<name>_1` ..."""
    path, operator, form = shape
    head, _, sub = path.partition(".")
    field = record.field(head)
    if field.many is not None:
        return _many_condition(record, field, sub or "id", operator, form, name, row_by_row)
    if sub and sub != "id":
        return _reference_condition(field, sub, operator, form, name)
    return compare(_operand(field, operator), operator, form, name)


def expression(field: Field) -> Any:
    """Return the expression by which a field is compared and sorted."""
    return field.sql() if isinstance(field, Computed) else field.column


def _operand(field: Field, operator: str) -> Any:
    """Return the expression by which a field is compared: case-insensitive names only if compared as a whole."""
    is_whole = operator in ("eq", "ne", "in", "nin")
    return (
        field.comparison_column
        if is_whole and field.folded_column is not None
        else expression(field)
    )


def _many_condition(
    record: Record,
    field: Field,
    sub: str,
    operator: str,
    form: Any,
    name: str,
    row_by_row: bool,
) -> Condition:
    """Test whether a list contains a value; negative operators test for lists without it."""
    assert field.many is not None
    target, link = record_of(field.many.target), field.many.table
    positive = {"ne": "eq", "nin": "in"}.get(operator, operator)
    link_ids = select(link.c.source_id)
    if operator == "isnull":
        inside = _is_among(record, link, link_ids, row_by_row)
        return not_(inside) if form else inside
    if sub == "id":
        link_ids = link_ids.where(compare(link.c.target_id, positive, form, name))
    else:
        other = _operand(target.field(sub), operator)
        link_ids = link_ids.join(target.table, target.table.c.id == link.c.target_id)
        link_ids = link_ids.where(compare(other, positive, form, name))
    inside = _is_among(record, link, link_ids, row_by_row)
    return not_(inside) if positive != operator else inside


def is_link_to(record: Record, shape: ConditionShape, name: str) -> Condition | None:
    """Return whether a link leads to the one record that a comparison identifies by its id or a unique field.

    None for other comparisons. `name` is as in `conditions_sql`.
    """
    path, operator, form = shape
    head, _, sub = path.partition(".")
    many = record.field(head).many
    if many is None or operator != "eq":
        return None
    if sub in ("", "id"):
        return compare(many.table.c.target_id, operator, form, name)
    field, target = record_of(many.target).field(sub), record_of(many.target).table
    if not _names_one(field):
        return None
    named = select(target.c.id).where(compare(_operand(field, operator), operator, form, name))
    return many.table.c.target_id == named.scalar_subquery()


def _names_one(field: Field) -> bool:
    """Whether no two records have the same value."""
    return field.is_unique or field.folded_column is not None


def _is_among(record: Record, link: Any, link_ids: Select[Any], row_by_row: bool) -> Condition:
    id = record.table.c.id
    if not row_by_row:
        return id.in_(link_ids)
    return exists(link_ids.where(link.c.source_id == id).correlate(record.table))


def _reference_condition(field: Field, sub: str, operator: str, form: Any, name: str) -> Condition:
    target = record_of(field.target or "")
    positive = {"ne": "eq", "nin": "in"}.get(operator, operator)
    named = target.field(sub)
    ids = select(target.table.c.id).where(compare(_operand(named, operator), positive, form, name))
    if operator == "eq" and _names_one(named):
        # with an equation, an index can yield the rows in list order
        return field.column == ids.scalar_subquery()
    inside = field.column.in_(ids)
    return inside if positive == operator else or_(not_(inside), field.column.is_(None))


def compare(column: Any, operator: str, form: Any, name: str) -> Condition:
    """Compare `column` with bound values, treating null as a value that differs from all others."""
    if operator == "isnull":
        return column.is_(None) if form else column.is_not(None)
    # an id or number may exceed the column's range: then nothing matches, and nothing overflows
    wide = BigInteger() if isinstance(column.type, Integer) else column.type
    values = [bindparam(f"{name}_{i}", type_=wide) for i in range(form)]
    if operator in ("in", "nin"):
        return column.in_(values) if operator == "in" else _unlike(column, values)
    return _COMPARISONS[operator](column, values[0])


def _unlike(column: Any, values: list[Any]) -> Condition:
    return or_(column.not_in(values), column.is_(None))


def _ends(column: Any, value: Any) -> Condition:
    tail = func.substr(column, func.length(column) - func.length(value) + 1)
    return and_(func.length(column) >= func.length(value), tail == value)


_COMPARISONS: dict[str, Any] = {
    "eq": lambda column, value: column == value,
    "ne": lambda column, value: column.is_distinct_from(value),
    "lt": lambda column, value: column < value,
    "lte": lambda column, value: column <= value,
    "gt": lambda column, value: column > value,
    "gte": lambda column, value: column >= value,
    # LIKE ignores case on SQLite but not on PostgreSQL; these behave alike on both
    "contains": lambda column, value: position(column, value) > 0,
    "icontains": lambda column, value: position(fold(column), fold(value)) > 0,
    "startswith": lambda column, value: func.substr(column, 1, func.length(value)) == value,
    "endswith": _ends,
}

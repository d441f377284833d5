"""Projections: what an actor sees of a record, as columns of one SELECT and a conversion to JSON.

Rows, not entities: a list of 20 costs a fifth of what loading objects would cost.
"""

from collections.abc import Callable, Sequence
from functools import cache
from operator import itemgetter
from typing import Any

import orjson
from sqlalchemy import Select, literal_column, select
from sqlalchemy.sql.elements import ColumnElement

from quire.actor import Actor
from quire.declare.collation import sort_key
from quire.declare.fields import Computed, Field
from quire.declare.record import Record, record_of
from quire.declare.sql_functions import json_list, json_object

RowConverter = Callable[[Sequence[Any]], Any]
LONG_WIDGETS = frozenset({"markdown", "html", "json", "lines"})
"""The widgets of values that may be long."""


class Projection:
    """The columns and joins that show the fields `names` of `record` to `actor`; None means the defaults.

    `shape(row)` is the JSON object of a row whose first columns are `columns`.
    """

    def __init__(self, record: Record, actor: Actor, names: Sequence[str] | None = None):
        self.record = record
        visible_fields = record.visible_fields(actor)
        field_names = record.default_fields(visible_fields) if names is None else names
        self.keys = [name for name in visible_fields if name in field_names]
        self.long = [
            place
            for place, name in enumerate(self.keys)
            if record.field(name).kind.widget in LONG_WIDGETS
        ]
        """The positions in a row of values that may be long."""
        self.columns: list[ColumnElement[Any]] = []
        self._extra: list[ColumnElement[Any]] = []
        self._joins: list[tuple[Any, Any, bool]] = []
        self._makers: list[tuple[str, RowConverter]] = []
        self._flags: list[tuple[str, int]] = []
        for name in self.keys:
            self.columns.append(self._column(record.field(name)))
        for name in self.keys:
            if visible_fields[name] is not True:
                self._flags.append((name, self._add(visible_fields[name])))  # type: ignore[arg-type]
        self.columns += self._extra

    def _add(self, column: ColumnElement[Any]) -> int:
        self._extra.append(column)
        return len(self.keys) + len(self._extra) - 1

    def _column(self, field: Field) -> ColumnElement[Any]:
        if isinstance(field, Computed):
            return field.sql().label(field.name)
        if field.many is not None:
            return self._list(field)
        if field.target is not None:
            self._reference(field)
        elif field.kind.name == "decimal":
            self._makers.append((field.name, _converter(len(self.columns), field.kind.value_out)))
        return field.kind.column_out(field.column).label(field.name)

    def _reference(self, field: Field) -> None:
        target = record_of(field.target or "")
        other = _target_table(target, f"{field.name}_target")
        self._joins.append((other, other.c.id == field.column, field.nullable))
        places = [self._add(other.c[name]) for name in target.reference_fields if name != "id"]
        makers = small_maker(target.reference_fields, len(self.columns), places)
        self._makers.append((field.name, makers))

    def _list(self, field: Field) -> ColumnElement[Any]:
        assert field.many is not None
        target = record_of(field.many.target)
        pairs = [
            part
            for name in target.reference_fields
            for part in (_literal(name), target.table.c[name])
        ]
        link = field.many.table
        statement = (
            select(json_list(json_object(*pairs)))
            .select_from(link.join(target.table, target.table.c.id == link.c.target_id))
            .where(link.c.source_id == self.record.table.c.id)
            .correlate(self.record.table)
        )
        self._makers.append((field.name, _json_converter(len(self.columns), target.title_field)))
        return statement.scalar_subquery().label(field.name)

    def select_from(self, source: Any) -> Select[Any]:
        """A SELECT of the columns from `source` (the table, or something joined to it)."""
        for other, condition, optional in self._joins:
            source = source.join(other, condition, isouter=optional)
        return select(*self.columns).select_from(source)

    def shape(self, row: Sequence[Any]) -> dict[str, Any]:
        """The JSON object of a row."""
        row = tuple(row)  # access to the values of a SQLAlchemy Row is slower
        values = dict(zip(self.keys, row, strict=False))
        for name, make in self._makers:
            values[name] = make(row)
        for name, flag in self._flags:
            if not row[flag]:
                del values[name]
        return values


@cache
def _target_table(target: Record, name: str) -> Any:
    """The alias of the table that a field refers to, shared by all projections, since an alias takes 60 KB."""
    return target.table.alias(name)


def _literal(name: str) -> Any:
    return literal_column(f"'{name}'")  # names of declared fields, never input


def _converter(place: int, convert: Callable[[Any], Any]) -> RowConverter:
    return lambda row: None if row[place] is None else convert(row[place])


def _json_converter(place: int, order: str) -> RowConverter:
    def by_title(one: dict[str, Any]) -> tuple[str, int]:
        return sort_key(str(one[order])), one["id"]

    def make(row: Sequence[Any]) -> list[dict[str, Any]]:
        objects: list[dict[str, Any]] = orjson.loads(row[place])
        if len(objects) > 1:
            objects.sort(key=by_title)
        return objects

    return make


def small_maker(names: Sequence[str], own: int, places: Sequence[int]) -> RowConverter:
    """A function from a row to the small object of a reference, None if there is no reference."""
    if not places:
        return lambda row: None if row[own] is None else {names[0]: row[own]}
    values = itemgetter(own, *places)
    return lambda row: None if row[own] is None else dict(zip(names, values(row), strict=True))

"""Prepared statements: compiled once, for the few statements that nearly every change runs.

SQLAlchemy takes 95 µs to look up a compiled statement, to fill it and to run it, and the driver 30.
Results are the driver's own values: only statements that need no conversion belong here.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Dialect, Executable, Insert

Row = dict[str, Any]
_Value = tuple[str, Callable[[Any], Any], Callable[[Any], Any] | None]
"""A parameter's name, its default, and the conversion of a value for the driver."""


class _Context:
    """The context that SQLAlchemy passes to defaults that depend on other columns."""

    def __init__(self, values: Row):
        self._values = values

    def get_current_parameters(self) -> Row:
        """The values of the row so far."""
        return self._values


class Prepared:
    """A statement with named parameters, none of which is a list.

    An INSERT takes whole rows: columns left out take their defaults, or NULL; ids only `with_id`.
    """

    def __init__(self, statement: Executable, with_id: bool = False):
        self.statement, self.with_id = statement, with_id

    def __call__(self, connection: Connection, values: Row | Sequence[Row]) -> Any:
        """Run it with `values`, or once with each of several."""
        sql, parameters = _compiled(self.statement, connection.dialect, self.with_id)
        if isinstance(values, dict):
            return connection.exec_driver_sql(sql, _fill_parameters(values, parameters))
        return connection.exec_driver_sql(
            sql, [_fill_parameters(one, parameters) for one in values]
        )


@lru_cache(200)
def _compiled(statement: Any, dialect: Dialect, with_id: bool) -> tuple[str, list[_Value]]:
    columns = _columns(statement, with_id)
    kind: Any = type(dialect)
    by_name = kind(paramstyle="named" if dialect.name == "sqlite" else dialect.paramstyle)
    compiled = statement.compile(dialect=by_name, column_keys=list(columns) or None)
    parameters = [
        (name, _default(bind, columns.get(name)), _processor(bind.type, dialect))
        for bind, name in compiled.bind_names.items()
    ]
    return str(compiled), parameters


def _columns(statement: Any, with_id: bool) -> dict[str, Any]:
    if not isinstance(statement, Insert):
        return {}
    columns = statement.table.columns
    is_written = (not one.computed and (with_id or not one.primary_key) for one in columns)
    return {one.name: one for one, written in zip(columns, is_written, strict=True) if written}


def _default(bind: Any, column: Any) -> Callable[[Any], Any]:
    if column is None:
        return lambda context: bind.value
    default = column.default
    if default is None:
        return lambda context: None
    return default.arg if default.is_callable else lambda context: default.arg


def _processor(type: Any, dialect: Dialect) -> Callable[[Any], Any] | None:
    process: Callable[[Any], Any] | None = type.dialect_impl(dialect).bind_processor(dialect)
    return process


def _fill_parameters(row: Row, parameters: list[_Value]) -> Row:
    values = dict(row)
    context, parameter_values = _Context(values), {}
    for name, default, process in parameters:
        if name not in values:
            values[name] = default(context)
        value = values[name]
        parameter_values[name] = process(value) if process is not None else value
    return parameter_values

"""Statements that are compiled once, for the few that nearly every change runs.

SQLAlchemy takes 95 µs to find a compiled statement again, to fill it and to run it, and the driver
30. What comes back are the driver's values: only statements whose results need no more belong here.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Dialect, Executable, Insert

Row = dict[str, Any]
_Value = tuple[str, Callable[[Any], Any], Callable[[Any], Any] | None]
"""A parameter's name, its default, and what makes of a value what the driver takes."""


class _Context:
    """What defaults look at that follow from other columns, as SQLAlchemy gives it to them."""

    def __init__(self, values: Row):
        self._values = values

    def get_current_parameters(self) -> Row:
        """The values of the row so far."""
        return self._values


class Prepared:
    """A statement with named parameters, none of which is a list.

    An INSERT takes whole rows: columns left out take their defaults, or NULL.
    """

    def __init__(self, statement: Executable):
        self.statement = statement

    def __call__(self, connection: Connection, values: Row | Sequence[Row]) -> Any:
        """Run it with `values`, or once with each of several."""
        sql, parameters = _compiled(self.statement, connection.dialect)
        if isinstance(values, dict):
            return connection.exec_driver_sql(sql, _filled(values, parameters))
        return connection.exec_driver_sql(sql, [_filled(one, parameters) for one in values])


@lru_cache(200)
def _compiled(statement: Any, dialect: Dialect) -> tuple[str, list[_Value]]:
    columns = _columns(statement)
    kind: Any = type(dialect)
    by_name = kind(paramstyle="named" if dialect.name == "sqlite" else dialect.paramstyle)
    compiled = statement.compile(dialect=by_name, column_keys=list(columns) or None)
    parameters = [
        (name, _default(bind, columns.get(name)), _processor(bind.type, dialect))
        for bind, name in compiled.bind_names.items()
    ]
    return str(compiled), parameters


def _columns(statement: Any) -> dict[str, Any]:
    if not isinstance(statement, Insert):
        return {}
    filled = (one for one in statement.table.columns if not (one.primary_key or one.computed))
    return {one.name: one for one in filled}


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


def _filled(given: Row, parameters: list[_Value]) -> Row:
    values = dict(given)
    context, filled = _Context(values), {}
    for name, default, process in parameters:
        if name not in values:
            values[name] = default(context)
        value = values[name]
        filled[name] = process(value) if process is not None else value
    return filled

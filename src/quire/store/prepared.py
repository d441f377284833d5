"""INSERTs that are compiled once: every change adds some rows that nobody reads back.

SQLAlchemy takes 95 µs to find a compiled statement again, fill it and run it, and the driver 30.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Dialect, Insert

Row = dict[str, Any]
_Value = tuple[str, Callable[[], Any], Callable[[Any], Any] | None]
"""A column's name, its default, and what makes of a value what the driver takes."""


class Prepared:
    """An INSERT of whole rows into one table; columns left out take their defaults, or NULL."""

    def __init__(self, statement: Insert):
        self.statement = statement

    def __call__(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Add `rows` in the open transaction."""
        sql, values = _compiled(self.statement, connection.dialect)
        connection.exec_driver_sql(sql, [_filled(row, values) for row in rows])


@lru_cache(100)
def _compiled(statement: Insert, dialect: Dialect) -> tuple[str, list[_Value]]:
    columns = [one for one in statement.table.columns if not one.primary_key]
    style = "named" if dialect.name == "sqlite" else dialect.paramstyle
    by_name = type(dialect)(paramstyle=style)
    names = [one.name for one in columns]
    sql = str(statement.compile(dialect=by_name, column_keys=names))
    return sql, [(one.name, _default(one), _processor(one, dialect)) for one in columns]


def _default(column: Any) -> Callable[[], Any]:
    default = column.default
    if default is None:
        return lambda: None
    return (lambda: default.arg(None)) if default.is_callable else lambda: default.arg


def _processor(column: Any, dialect: Dialect) -> Callable[[Any], Any] | None:
    process: Callable[[Any], Any] | None = column.type.dialect_impl(dialect).bind_processor(dialect)
    return process


def _filled(row: Row, values: list[_Value]) -> Row:
    filled = {}
    for name, default, process in values:
        value = row[name] if name in row else default()
        filled[name] = process(value) if process is not None else value
    return filled

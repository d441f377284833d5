"""Statements that are compiled once, with the conversion of values for the driver."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache, partial
from inspect import unwrap
from typing import Any

from sqlalchemy import Connection, Dialect, Insert, Select

from quire.declare.clock import now
from quire.store.connections.driver_statements import Fetch, Rows, fetch_all, run

Row = dict[str, Any]
Call = Callable[[Any], Any]
Names = frozenset[str] | None
"""The columns to which an INSERT gives values; None for other statements."""
MAX_COMPILED = 1000
"""The number of compiled statements, of 4 KB each, that are cached."""
NUMERIC = 1700
"""PostgreSQL's name for its decimal type: SQLAlchemy needs it for decimals, and for no other type."""


@dataclass(frozen=True)
class Compiled:
    """A statement for one database, and what completes the values of a row.

    `defaults` are the values of omitted parameters, `times` those that get the current time, the same for all rows
    of a call, `make` those computed for each row, possibly from its other values. `convert` converts values for the
    driver, `results` the values of a returned row, by position, to what SQLAlchemy would return; `order` is that of
    unnamed parameters.
    """

    sql: str
    defaults: Row
    times: list[str]
    make: dict[str, Call]
    convert: dict[str, Call]
    order: tuple[str, ...] | None
    results: list[tuple[int, Call]]

    def run(self, connection: Connection, parameters: Any, fetch: Fetch = fetch_all) -> Rows:
        """Run it and return the rows."""
        return self.convert_rows(run(connection, self.sql, parameters, fetch=fetch))

    def convert_rows(self, rows: Rows) -> Rows:
        """Convert values of the driver to what SQLAlchemy would return."""
        return [self._convert(row) for row in rows] if self.results else rows

    def _convert(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        values = list(row)
        for place, call in self.results:
            values[place] = call(values[place])
        return tuple(values)

    def parameters(self, row: Row) -> Any:
        """Return the values of a row for the driver; unnamed parameters take two thirds of the time."""
        is_complete = not (self.times or self.make)
        values = self.defaults | row if is_complete else self.complete(row, self.common())
        for name, call in self.convert.items():
            values[name] = call(values[name])
        return values if self.order is None else tuple(map(values.__getitem__, self.order))

    def complete(self, row: Row, common: Row) -> Row:
        """Return all values of a row; `common` are those that it may omit."""
        values = common | row
        for name, make in self.make.items():
            if name not in row:
                values[name] = make(Context(values))
        return values

    def common(self) -> Row:
        """Return the values of omitted parameters."""
        return (
            {**self.defaults, **dict.fromkeys(self.times, now())} if self.times else self.defaults
        )


class Context:
    """The context that SQLAlchemy passes to defaults which depend on other columns."""

    def __init__(self, values: Row):
        self._values = values

    def get_current_parameters(self) -> Row:
        """Return the values of the row so far."""
        return self._values


@lru_cache(MAX_COMPILED)
def compile_once(
    dialect: Dialect,
    statement: Any,
    with_id: bool = False,
    on_conflict: str = "",
    names: Names = None,
) -> Compiled:
    """Compile a statement for one database; see `Prepared`. `names` are the columns of rows to insert."""
    columns = columns_filled(statement, with_id, names)
    if isinstance(statement, Insert) and not statement.exported_columns:
        statement = statement.inline()  # or it would return the id, which nobody reads
    compiled = statement.compile(dialect=dialect, column_keys=list(columns) or None)
    defaults: Row = {}
    times: list[str] = []
    make: dict[str, Call] = {}
    convert: dict[str, Call] = {}
    # keys of JSON have no class of SQLAlchemy's; several parameters may share a name, and so a value
    binds = {str(key): bind for bind, key in compiled.bind_names.items()}
    for name, bind in binds.items():
        default = columns[name].default if name in columns else None
        defaults[name] = bind.value if name not in columns else None
        if default is not None and default.is_callable:
            if unwrap(default.arg) is now:
                times.append(name)
            else:
                make[name] = default.arg
        elif default is not None:
            defaults[name] = default.arg
        process = _processor(bind.type, dialect)
        if process is not None:
            convert[name] = partial(_convert_each, process) if bind.expanding else process
    order = tuple(compiled.positiontup) if compiled.positional else None
    sql, results = f"{compiled} {on_conflict}", _result_processors(statement, dialect)
    return Compiled(sql, defaults, times, make, convert, order, results)


@lru_cache(MAX_COMPILED)
def compile_with_id(
    dialect: Dialect, statement: Any, with_id: bool, on_conflict: str, names: Names
) -> Compiled:
    """Compile an INSERT that returns the id of its row; the driver of SQLite reports that anyway."""
    if dialect.name != "sqlite":
        statement = statement.returning(statement.table.c.id)
    return compile_once(dialect, statement, with_id, on_conflict, names)


def columns_filled(statement: Any, with_id: bool, names: Names) -> dict[str, Any]:
    """Return the columns that an INSERT fills: those with `names`, and those with a default."""
    if names is None:
        return {}
    table: Any = statement.table
    left_out = None if with_id else table.autoincrement_column
    return {
        one.name: one
        for one in table.columns
        if (one.name in names or one.default is not None)
        and not one.computed
        and one is not left_out
    }


def _result_processors(statement: Any, dialect: Dialect) -> list[tuple[int, Call]]:
    columns = statement.selected_columns if isinstance(statement, Select) else ()
    types = [one.type.dialect_impl(dialect) for one in columns]
    processors = [one.result_processor(dialect, NUMERIC) for one in types]
    return [(place, one) for place, one in enumerate(processors) if one is not None]


def _processor(type: Any, dialect: Dialect) -> Call | None:
    process: Call | None = type.dialect_impl(dialect).bind_processor(dialect)
    return process


def _convert_each(process: Call, values: Iterable[Any]) -> list[Any]:
    """Return the values of a list for the driver."""
    return list(map(process, values))

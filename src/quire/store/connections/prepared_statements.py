"""Prepared statements: compiled once, for what nearly every change runs, and what reads lists and records.

SQLAlchemy takes 95 µs to look up a compiled statement, to fill it and to run it, and the driver 30.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from inspect import unwrap
from typing import Any

import orjson
from sqlalchemy import JSON, BindParameter, Connection, Dialect, Executable, Insert, Select
from sqlalchemy.sql import visitors

from quire.declare.clock import now
from quire.store.connections.deferred_statements import defer
from quire.store.connections.driver_statements import Fetch, Rows, fetch_all, insert_row, run

Row = dict[str, Any]
_Call = Callable[[Any], Any]
Names = frozenset[str] | None
"""The columns that rows of an INSERT give a value; None for other statements."""
MAX_COMPILED = 1000
"""Statements, 4 KB each, that are kept compiled."""
NUMERIC = 1700
"""What PostgreSQL calls its type of decimals: SQLAlchemy wants to know it of them, and of no other type."""


@dataclass(frozen=True)
class _Compiled:
    """A statement for one database, and what completes the values of a row.

    `defaults` are what parameters have that are left out, `times` those that have the time then, the
    same for all rows of a call, `make` those that are made for each row, of its other values perhaps.
    `convert` turns values into those of the driver, `results` the values of a row that it returns, by
    their places, into what SQLAlchemy makes of them; `order` is that of parameters without names.
    """

    sql: str
    defaults: Row
    times: list[str]
    make: dict[str, _Call]
    convert: dict[str, _Call]
    order: tuple[str, ...] | None
    results: list[tuple[int, _Call]]

    def run(self, connection: Connection, values: Row, fetch: Fetch = fetch_all) -> Rows:
        """The rows that it returns."""
        rows = run(connection, self.sql, self.parameters(values), fetch=fetch)
        return [self._convert(row) for row in rows] if self.results else rows

    def _convert(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        values = list(row)
        for place, call in self.results:
            values[place] = call(values[place])
        return tuple(values)

    def parameters(self, row: Row) -> Any:
        """The values of a row as the driver takes them: those without names take it two thirds of the time."""
        values = {**self._common(), **row}
        for name in self.make.keys() - row:
            values[name] = self.make[name](_Context(values))
        for name, call in self.convert.items():
            values[name] = call(values[name])
        return values if self.order is None else tuple(map(values.__getitem__, self.order))

    def parameters_of_many(self, rows: Sequence[Row]) -> list[Any]:
        """The same for several rows, column by column: that takes half the time."""
        common, given = self._common(), set[str]().union(*rows)
        columns = {name: self._column(name, rows, common, given) for name in common}
        order = columns if self.order is None else self.order
        filled = zip(*map(columns.__getitem__, order), strict=True)
        return (
            list(filled) if self.order else [dict(zip(order, one, strict=True)) for one in filled]
        )

    def _column(self, name: str, rows: Sequence[Row], common: Row, given: set[str]) -> list[Any]:
        make, convert, default = self.make.get(name), self.convert.get(name), common[name]
        if make is not None:
            values = [row[name] if name in row else make(_Context(common | row)) for row in rows]
        elif name in given:
            values = [row.get(name, default) for row in rows]
        else:
            return [default if convert is None else convert(default)] * len(rows)
        return values if convert is None else list(map(convert, values))

    def _common(self) -> Row:
        """The values of parameters that a row is not given."""
        return (
            {**self.defaults, **dict.fromkeys(self.times, now())} if self.times else self.defaults
        )


class _Context:
    """The context that SQLAlchemy passes to defaults that depend on other columns."""

    def __init__(self, values: Row):
        self._values = values

    def get_current_parameters(self) -> Row:
        """The values of the row so far."""
        return self._values


class Prepared:
    """A statement with named parameters, none of which is a list.

    An INSERT takes whole rows: columns left out take their defaults, or NULL; ids only `with_id`. It is
    compiled for each choice of columns: the driver of SQLite takes longer to bind NULL than any value.
    `on_conflict` is what it says behind its values; SQLAlchemy has a class for that of each database.
    With `deferred` it may run with the next one of its transaction, or with the commit, which then has
    its errors: for what nobody waits for (deferred_statements.py).
    """

    def __init__(
        self,
        statement: Executable,
        with_id: bool = False,
        on_conflict: str = "",
        deferred: bool = False,
    ):
        self._parts = statement, with_id, on_conflict
        self._inserts, self._deferred = isinstance(statement, Insert), deferred

    def __call__(
        self, connection: Connection, values: Row | Sequence[Row], fetch: Fetch = fetch_all
    ) -> Rows:
        """What it returns with `values`, read by `fetch`; it runs once with each of several. Nothing where it
        is deferred."""
        rows = [values] if isinstance(values, dict) else values
        names = frozenset[str]().union(*rows) if self._inserts else None
        compiled = _compile(connection.dialect, *self._parts, names)
        if len(rows) == 1:  # the drivers take longer for one of many
            if self._deferred and defer(connection, compiled.sql, compiled.parameters(rows[0])):
                return []
            return compiled.run(connection, rows[0], fetch)
        if (together := _together(connection.dialect, *self._parts, names)) is not None:
            json = _json(together.parameters_of_many(rows))
            if json is not None:
                return run(connection, together.sql, {"rows": json})
        return run(connection, compiled.sql, compiled.parameters_of_many(rows), many=True)

    def insert_one(self, connection: Connection, values: Row) -> int:
        """The id of a row that it inserts."""
        compiled = _compile_with_id(connection.dialect, *self._parts, frozenset(values))
        if connection.dialect.name == "sqlite":
            return insert_row(connection, compiled.sql, compiled.parameters(values))
        [(id,)] = compiled.run(connection, values)
        return int(id)


class Unprepared:
    """A SELECT that SQLAlchemy runs, since its text differs with the values of its parameters, or is seldom the
    same."""

    def __init__(self, statement: Select[Any]):
        self._statement = statement

    def __call__(self, connection: Connection, values: Row, fetch: Fetch = fetch_all) -> Rows:
        """What it returns with `values`, read by `fetch`."""
        return list(map(tuple, fetch(connection.execute(self._statement, values))))


def prepare(statement: Select[Any]) -> Prepared | Unprepared:
    """What runs a SELECT: prepared, unless its text differs with the values of its parameters."""
    is_in_text = any(_is_in_text(one) for one in visitors.iterate(statement))
    return Unprepared(statement) if is_in_text else Prepared(statement)


def _is_in_text(element: Any) -> bool:
    return isinstance(element, BindParameter) and (element.expanding or element.literal_execute)


@lru_cache(MAX_COMPILED)
def _compile(
    dialect: Dialect, statement: Any, with_id: bool, on_conflict: str, names: Names
) -> _Compiled:
    columns = _columns(statement, with_id, names)
    if isinstance(statement, Insert) and not statement.exported_columns:
        statement = statement.inline()  # or it would return the id, which nobody reads
    compiled = statement.compile(dialect=dialect, column_keys=list(columns) or None)
    defaults: Row = {}
    times: list[str] = []
    make: dict[str, _Call] = {}
    convert: dict[str, _Call] = {}
    # keys of JSON are of no class of SQLAlchemy's; several parameters may have one name, and so one value
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
            convert[name] = process
    order = tuple(compiled.positiontup) if compiled.positional else None
    sql, results = f"{compiled} {on_conflict}", _result_processors(statement, dialect)
    return _Compiled(sql, defaults, times, make, convert, order, results)


@lru_cache(MAX_COMPILED)
def _compile_with_id(
    dialect: Dialect, statement: Any, with_id: bool, on_conflict: str, names: Names
) -> _Compiled:
    """An INSERT that tells the id of its row; the driver of SQLite does so anyway."""
    if dialect.name != "sqlite":
        statement = statement.returning(statement.table.c.id)
    return _compile(dialect, statement, with_id, on_conflict, names)


@lru_cache(MAX_COMPILED)
def _together(
    dialect: Dialect, statement: Any, with_id: bool, on_conflict: str, names: Names
) -> _Compiled | None:
    """The INSERT of all rows at once, as JSON in one parameter; None where that saves no time.

    psycopg sends, and PostgreSQL runs, many single ones: five times as slow.
    """
    if dialect.name != "postgresql" or not isinstance(statement, Insert):
        return None
    assert not statement.exported_columns, "what many rows return is in no order"
    columns = _columns(statement, with_id, names)
    is_json = {name for name, one in columns.items() if isinstance(one.type, JSON)}
    if any(columns[name].nullable and not columns[name].type.none_as_null for name in is_json):
        return None  # of null in JSON and NULL, the function knows one
    single = _compile(dialect, statement, with_id, on_conflict, names)
    convert = {name: call for name, call in single.convert.items() if name not in is_json}
    quote = dialect.identifier_preparer.quote
    listed, table = ", ".join(map(quote, columns)), quote(statement.table.name)
    rows = f"json_populate_recordset(NULL::{table}, %(rows)s::json)"
    sql = f"INSERT INTO {table} ({listed}) SELECT {listed} FROM {rows} {on_conflict}"  # noqa: S608 - names of ours
    return replace(single, sql=sql, convert=convert)


def _json(rows: list[Row]) -> str | None:
    """Rows as JSON; None where there is something in them that JSON has no form for."""
    try:
        return orjson.dumps(rows, default=_decimal_text).decode()
    except orjson.JSONEncodeError:
        return None


def _decimal_text(value: Any) -> str:
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError


def _columns(statement: Any, with_id: bool, names: Names) -> dict[str, Any]:
    """The columns that an INSERT fills: those with `names`, and those that have a default."""
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


def _result_processors(statement: Any, dialect: Dialect) -> list[tuple[int, _Call]]:
    columns = statement.selected_columns if isinstance(statement, Select) else ()
    types = [one.type.dialect_impl(dialect) for one in columns]
    processors = [one.result_processor(dialect, NUMERIC) for one in types]
    return [(place, one) for place, one in enumerate(processors) if one is not None]


def _processor(type: Any, dialect: Dialect) -> _Call | None:
    process: _Call | None = type.dialect_impl(dialect).bind_processor(dialect)
    return process

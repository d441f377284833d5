"""Prepared statements: compiled once, for what nearly every change runs, and for reading lists and records.

SQLAlchemy takes 95 µs to look up a compiled statement, fill it in and run it; the driver takes 30.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BindParameter, CompoundSelect, Connection, Executable, Insert, Select
from sqlalchemy.sql import visitors

from quire.store.connections.compiled_statements import (
    Compiled,
    Row,
    compile_once,
    compile_with_id,
)
from quire.store.connections.deferred_statements import defer
from quire.store.connections.driver_statements import Fetch, Rows, fetch_all, insert_row, run
from quire.store.connections.many_rows import run_many


class Prepared:
    """A statement with named parameters, none of which is a list.

    An INSERT takes whole rows: omitted columns get their defaults, or NULL; ids only `with_id`. It is compiled for
    each set of columns, since the driver of SQLite takes longer to bind NULL than any value. `on_conflict` is the
    clause after its values, for which SQLAlchemy has a class per database. With `deferred` it may run with the next
    one of its transaction, or with the commit, which then gets its errors: for statements whose results nobody
    waits for (deferred_statements.py).
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
        """Return the results for `values`, read with `fetch`; nothing if these are several rows, or it is deferred."""
        rows = [values] if isinstance(values, dict) else values
        names = frozenset[str]().union(*rows) if self._inserts else None
        if len(rows) > 1:  # the drivers take longer for executemany with one row
            run_many(connection, self._parts, names, rows)
            return []
        compiled = compile_once(connection.dialect, *self._parts, names)
        parameters = compiled.parameters(rows[0])
        if self._deferred and defer(connection, compiled.sql, parameters):
            return []
        return compiled.run(connection, parameters, fetch)

    def insert_one(self, connection: Connection, values: Row) -> int:
        """Insert a row and return its id."""
        compiled = compile_with_id(connection.dialect, *self._parts, frozenset(values))
        if connection.dialect.name == "sqlite":
            return insert_row(connection, compiled.sql, compiled.parameters(values))
        [(id,)] = compiled.run(connection, compiled.parameters(values))
        return int(id)


class Unprepared:
    """A SELECT that SQLAlchemy runs, since its text depends on the values of its parameters, or it is rarely
    repeated.
    """

    def __init__(self, statement: Select[Any] | CompoundSelect[Any]):
        self._statement = statement

    def __call__(self, connection: Connection, values: Row, fetch: Fetch = fetch_all) -> Rows:
        """Return the results for `values`, read with `fetch`."""
        return list(map(tuple, fetch(connection.execute(self._statement, values))))


class WithLists(Unprepared):
    """A SELECT with lists among its values.

    SQLAlchemy takes as long to fill in 500 ids as SQLite takes to look up their rows.
    """

    def __call__(self, connection: Connection, values: Row, fetch: Fetch = fetch_all) -> Rows:
        """Return the results for `values`, read with `fetch`."""
        if connection.dialect.name != "sqlite":
            return super().__call__(connection, values, fetch)
        compiled = compile_once(connection.dialect, self._statement)
        sql, parameters = _fill_lists(compiled, values)
        return compiled.convert_rows(run(connection, sql, parameters, fetch=fetch))


def _fill_lists(compiled: Compiled, values: Row) -> tuple[str, list[Any]]:
    """Return the text of a statement with a placeholder for each value of its lists, and all values in order."""
    sql, parameters = compiled.sql, list[Any]()
    for name, value in zip(compiled.order or (), compiled.parameters(values), strict=True):
        place = f"(__[POSTCOMPILE_{name}])"  # SQLAlchemy's notation for a list
        if place in sql:
            sql = sql.replace(place, f"({', '.join('?' * len(value))})", 1)
            parameters += value
        else:
            parameters.append(value)
    return sql, parameters


def prepare(statement: Select[Any] | CompoundSelect[Any]) -> Prepared | Unprepared:
    """Return what runs a SELECT: prepared, unless its text depends on the values of its parameters."""
    binds = [one for one in visitors.iterate(statement) if isinstance(one, BindParameter)]
    if any(one.literal_execute for one in binds):
        return Unprepared(statement)
    return WithLists(statement) if any(one.expanding for one in binds) else Prepared(statement)

"""Runs statements with the driver: SQLAlchemy takes longer to run one of ours than the database does.

They are timed, recorded and logged, and fail, like those that SQLAlchemy runs.
"""

from collections.abc import Callable
from operator import methodcaller
from typing import Any

from sqlalchemy import Connection

from quire.store.connections.outages import driver_error
from quire.store.connections.statement_timer import new_cursor

Rows = list[tuple[Any, ...]]
Fetch = Callable[[Any], Rows]
"""Reads the rows of a cursor."""
fetch_all: Fetch = methodcaller("fetchall")


def run(
    connection: Connection,
    sql: str,
    parameters: Any,
    *,
    many: bool = False,
    fetch: Fetch = fetch_all,
) -> Rows:
    """Return the results of a statement in values of the driver; with `many`, run it for each set of parameters.

    Raises what SQLAlchemy would raise.
    """
    return _run(connection, sql, parameters, many, fetch)[0]


def insert_row(connection: Connection, sql: str, parameters: Any) -> int:
    """Insert one row on SQLite, which reports its id: RETURNING would take as long as everything else."""
    return int(_run(connection, sql, parameters, False, fetch_all)[1])


def _run(
    connection: Connection, sql: str, parameters: Any, many: bool, fetch: Fetch
) -> tuple[Rows, Any]:
    """Return the rows, and the id of the last inserted one if the driver reports it."""
    events = connection.engine.dispatch
    dialect: Any = connection.dialect
    if not connection.in_transaction():
        connection.begin()  # as SQLAlchemy does
    cursor = new_cursor(connection)
    try:
        for listener in events.before_cursor_execute:
            listener(connection, cursor, sql, parameters, None, many)
        (dialect.do_executemany if many else dialect.do_execute)(cursor, sql, parameters)
        for listener in events.after_cursor_execute:
            listener(connection, cursor, sql, parameters, None, many)
        rows = fetch(cursor) if cursor.description else []
        return rows, getattr(cursor, "lastrowid", None)
    except dialect.dbapi.Error as error:
        raise driver_error(connection, error, sql) from error
    finally:
        cursor.close()

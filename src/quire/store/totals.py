"""Totals of lists, counted once and kept while nothing has been written.

A count walks the whole index; at a million rows it is nearly all that a page costs. A database
connection keeps the totals it has counted until the database says that it has changed.
"""

from typing import Any

from sqlalchemy import Connection, Select, text

MAX_KEPT = 500

_written = [0]
"""How many transactions this process has committed."""


def written() -> None:
    """Note that this process has committed something: what was counted before may be wrong."""
    _written[0] += 1


def total(connection: Connection, key: Any, counting: Select[Any], values: dict[str, Any]) -> int:
    """How many rows `counting` counts; `key` stands for the statement and its values."""
    token = _token(connection)
    if token is None:
        return int(connection.execute(counting, values).scalar_one())
    kept = connection.info.setdefault("totals", {})
    if connection.info.get("totals_token") != token or len(kept) > MAX_KEPT:
        kept.clear()
        connection.info["totals_token"] = token
    if key not in kept:
        kept[key] = int(connection.execute(counting, values).scalar_one())
    return int(kept[key])


def _token(connection: Connection) -> Any:
    """A value that differs after any commit by any process; None where there is no such value."""
    if connection.get_execution_options().get("writes"):
        return None
    if connection.dialect.name != "sqlite":
        # a snapshot's text changes with every transaction that ends
        return connection.execute(text("SELECT pg_current_snapshot()::text")).scalar_one()
    raw: Any = connection.connection.driver_connection
    # counts the commits of other connections; this connection's own are counted by `written`
    return raw.execute("PRAGMA data_version").fetchone()[0], _written[0]

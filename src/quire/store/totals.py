"""Totals of lists, counted once and kept while they cannot have changed.

A count walks the whole index; at a million rows it is nearly all that a page costs. A database
connection keeps the totals it has counted until something is committed, by anyone, or the next
scheduled post comes or goes.
"""

from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, func, select, text

from quire.declare.record import REGISTRY
from quire.declare.sql import NOW

MAX_KEPT = 2000
_FAR = datetime.max.replace(tzinfo=UTC)


def total(connection: Connection, key: Any, counting: Select[Any], values: dict[str, Any]) -> int:
    """How many rows `counting` counts; `key` stands for the statement and its values but the time.

    `values` holds the present as `now`.
    """
    if connection.get_execution_options().get("writes"):
        return _count(connection, counting, values)
    kept = _kept(connection, values["now"])
    if key not in kept:
        kept[key] = _count(connection, counting, values)
    return kept[key]


def _count(connection: Connection, counting: Select[Any], values: dict[str, Any]) -> int:
    return int(connection.execute(counting, values).scalar_one())


def _kept(connection: Connection, now: datetime) -> dict[Any, int]:
    """The totals that still hold."""
    info = connection.info
    kept: dict[Any, int] = info.setdefault("totals", {})
    token = _token(connection, now)
    if info.get("totals_token") != token or now >= info["totals_until"] or len(kept) > MAX_KEPT:
        kept.clear()
        info["totals_token"] = token
        info["totals_until"] = _next_change(connection, now)
    return kept


def _token(connection: Connection, now: datetime) -> Any:
    """A value that differs after any commit by any process."""
    if connection.dialect.name != "sqlite":
        # a snapshot's text changes with every transaction that ends
        return connection.execute(text("SELECT pg_current_snapshot()::text")).scalar_one(), now
    raw: Any = connection.connection.driver_connection
    # the first counts the commits of other connections, the second this one's own changes
    return raw.execute("PRAGMA data_version").fetchone()[0], raw.total_changes


def _next_change(connection: Connection, now: datetime) -> datetime:
    """When the clock alone next changes what is live; PostgreSQL's token has the time in it."""
    if connection.dialect.name != "sqlite":
        return _FAR
    row = connection.execute(_next_moments(), {"now": now}).one()
    return min((moment for moment in row if moment is not None), default=_FAR)


@cache
def _next_moments() -> Select[Any]:
    columns = [column for record in REGISTRY.values() for column in record.schedule]
    return select(
        *(select(func.min(one)).where(one > NOW).scalar_subquery() for one in columns),
    )

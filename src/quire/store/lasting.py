"""What was read once and holds while it cannot have changed.

A database connection keeps it until something is committed, by anyone, or the next scheduled post
comes or goes.
"""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import Connection, Select, func, select

from quire.declare.clock import now
from quire.declare.record import REGISTRY
from quire.declare.sql import NOW
from quire.store.audit import AuditEvent
from quire.store.db import reading

MAX_KEPT = 2000
_FAR = datetime.max.replace(tzinfo=UTC)
_making = threading.RLock()
Made = TypeVar("Made")


def lasting(key: Any, make: Callable[[], Made]) -> Made:
    """What `make()` returns, or has returned for `key` while nothing was committed since.

    What is made must depend on `key`, the database and the present alone. Raises what it raises.
    """
    with reading() as connection:
        if connection.get_execution_options().get("writes"):
            return make()
        kept = unchanged(connection, now())
        if key in kept:
            return kept[key]
    # what is made may need a second connection: one thread at a time, or a pool of them runs dry
    with _making, reading() as connection:
        kept = unchanged(connection, now())
        if key not in kept:
            kept[key] = make()
        return kept[key]


def last_change() -> datetime:
    """When anything was changed last, or came or went by the clock."""
    moment = now()
    with reading() as connection:
        found = connection.execute(_last_moments(), {"now": moment}).one()
    return max((one for one in found if one is not None), default=moment)


def unchanged(connection: Connection, now: datetime) -> dict[Any, Any]:
    """What this connection has kept and still holds, for its caller to look into and add to."""
    info = connection.info
    kept: dict[Any, Any] = info.setdefault("kept", {})
    token = _token(connection)
    if info.get("kept_token") != token or now >= info["kept_until"] or len(kept) > MAX_KEPT:
        kept.clear()
        info["kept_token"] = token
        info["kept_until"] = _next_change(connection, now)
    return kept


def _token(connection: Connection) -> Any:
    """A value that differs after any commit by any process."""
    raw: Any = connection.connection.driver_connection
    if connection.dialect.name != "sqlite":
        # a snapshot's text changes with every transaction that ends
        return raw.execute("SELECT pg_current_snapshot()::text").fetchone()[0]
    # the first counts the commits of other connections, the second this one's own changes
    return raw.execute("PRAGMA data_version").fetchone()[0], raw.total_changes


def _next_change(connection: Connection, now: datetime) -> datetime:
    """When the clock alone next changes what is live."""
    row = connection.execute(_next_moments(), {"now": now}).one()
    return min((moment for moment in row if moment is not None), default=_FAR)


def _scheduled() -> list[Any]:
    return [column for record in REGISTRY.values() for column in record.schedule]


@cache
def _next_moments() -> Select[Any]:
    return select(
        *(select(func.min(one)).where(one > NOW).scalar_subquery() for one in _scheduled())
    )


@cache
def _last_moments() -> Select[Any]:
    event = AuditEvent.__table__
    told = select(event.c.created_at).order_by(event.c.id.desc()).limit(1)
    passed = (select(func.max(one)).where(one <= NOW) for one in _scheduled())
    return select(*(one.scalar_subquery() for one in (told, *passed)))

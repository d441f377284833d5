"""What was read once and holds while it cannot have changed, such as the totals of lists.

A database connection keeps it until something is committed, by anyone, or the next scheduled post
comes or goes.
"""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any, TypeVar

from sqlalchemy import Connection, Select, func, select

from quire.declare.clock import now
from quire.declare.record import REGISTRY
from quire.declare.sql_functions import NOW
from quire.store.audit import AuditEvent
from quire.store.db import is_writing, read_connection
from quire.store.feed_position import FeedPosition, position_columns
from quire.store.outages import driver_connection

MAX_ENTRIES = 500
"""By one connection; then it begins anew. Keys hold what readers filter by."""
_FAR = datetime.max.replace(tzinfo=UTC)
_computing = threading.RLock()
Made = TypeVar("Made")


def cached_until_commit(key: Any, make: Callable[[], Made]) -> Made:
    """What `make()` returns, or has returned for `key` while nothing was committed since.

    What is made must depend on `key`, the database and the present alone. Raises what it raises.
    """
    with read_connection() as connection:
        if is_writing(connection):
            return make()
        kept = connection_cache(connection, now())
        if key in kept:
            return kept[key]
    # what is made may need a second connection: one thread at a time, or a pool of them runs dry
    with _computing, read_connection() as connection:
        kept = connection_cache(connection, now())
        if key not in kept:
            kept[key] = make()
        return kept[key]


def total(connection: Connection, key: Any, counting: Select[Any], values: dict[str, Any]) -> int:
    """How many rows `counting` counts; `key` stands for the statement and its values but the time.

    A count walks the whole index; at a million rows it is nearly all that a page costs. `values`
    holds the present as `now`.
    """
    return totals(connection, key, counting, values)[0]


def totals(
    connection: Connection, key: Any, counting: Select[Any], values: dict[str, Any]
) -> tuple[int, ...]:
    """The numbers in the one row that `counting` finds, kept as those of `total` are."""
    if is_writing(connection):
        return _count(connection, counting, values)
    kept = connection_cache(connection, values["now"])
    if key not in kept:
        kept[key] = _count(connection, counting, values)
    numbers: tuple[int, ...] = kept[key]
    return numbers


def _count(
    connection: Connection, counting: Select[Any], values: dict[str, Any]
) -> tuple[int, ...]:
    return tuple(map(int, connection.execute(counting, values).one()))


def last_modified() -> datetime:
    """When anything was changed last, or came or went by the clock."""
    moment = now()
    with read_connection() as connection:
        found = connection.execute(_last_moments(), {"now": moment}).one()
    return max((one for one in found if one is not None), default=moment)


def connection_cache(connection: Connection, now: datetime) -> dict[Any, Any]:
    """What this connection has kept and still holds, for its caller to look into and add to."""
    info = connection.info
    kept: dict[Any, Any] = info.setdefault("kept", {})
    token = _token(connection)
    if info.get("kept_token") != token or now >= info["kept_until"] or len(kept) > MAX_ENTRIES:
        kept.clear()
        *moments, epoch, last = connection.execute(
            _state(connection.dialect.name), {"now": now}
        ).one()
        # when the clock alone next changes what is live
        info["kept_until"] = min((one for one in moments if one is not None), default=_FAR)
        info["feed"] = FeedPosition(epoch, last or 0)
        info["kept_token"] = token  # last: none of this is known when the statement fails
    return kept


def feed_position(connection: Connection, now: datetime) -> FeedPosition:
    """Where the feed of changes stands, for what is read on this connection afterwards."""
    connection_cache(connection, now)
    position: FeedPosition = connection.info["feed"]
    return position


def _token(connection: Connection) -> Any:
    """A value that differs after any commit by any process."""
    with driver_connection(connection) as raw:
        if connection.dialect.name != "sqlite":
            # a snapshot's text changes with every transaction that ends
            return raw.execute("SELECT pg_current_snapshot()::text").fetchone()[0]
        # the first counts the commits of other connections, the second this one's own changes
        return raw.execute("PRAGMA data_version").fetchone()[0], raw.total_changes


def _scheduled() -> list[Any]:
    return [column for record in REGISTRY.values() for column in record.schedule_columns]


@lru_cache(2)
def _state(dialect: str) -> Select[Any]:
    """The next moment of each scheduled column, and where the feed of changes stands."""
    next_moments = (select(func.min(one)).where(one > NOW) for one in _scheduled())
    return select(*(one.scalar_subquery() for one in next_moments), *position_columns(dialect))


@cache
def _last_moments() -> Select[Any]:
    event = AuditEvent.__table__
    told = select(event.c.created_at).order_by(event.c.id.desc()).limit(1)
    passed = (select(func.max(one)).where(one <= NOW) for one in _scheduled())
    return select(*(one.scalar_subquery() for one in (told, *passed)))

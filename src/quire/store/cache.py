"""Caches what was read, such as the totals of lists, for as long as it cannot have changed.

Each database connection has a cache, which it clears when anybody commits something, or when the
next scheduled post comes or goes.
"""

import threading
from collections.abc import Callable
from contextvars import ContextVar
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
"""Entries of one connection, after which it clears the cache: readers choose the filters in keys."""
_FEED = "feed"
_FAR = datetime.max.replace(tzinfo=UTC)
_computing = threading.RLock()
_next_change: ContextVar[datetime | None] = ContextVar("next_change", default=None)
Value = TypeVar("Value")


def cached_until_commit(key: Any, compute: Callable[[], Value]) -> Value:
    """The return value of `compute()`, or the one cached for `key` since the last commit.

    It must depend only on `key`, the database and the present. Raises what `compute` raises.
    """
    with read_connection() as connection:
        if is_writing(connection):
            return compute()
        cache = connection_cache(connection, now())
        if key in cache:
            return cache[key]
    # computing may need a second connection: one thread at a time, or the pool is exhausted
    with _computing, read_connection() as connection:
        cache = connection_cache(connection, now())
        if key not in cache:
            cache[key] = compute()
        return cache[key]


def total(
    connection: Connection,
    cache: dict[Any, Any],
    key: Any,
    counting: Select[Any],
    values: dict[str, Any],
) -> int:
    """How many rows `counting` counts; `key` stands for the statement and its values but the time.

    A count walks the whole index; at a million rows it is nearly all that a page costs. `cache` is
    that of the connection.
    """
    return totals(connection, cache, key, counting, values)[0]


def totals(
    connection: Connection,
    cache: dict[Any, Any],
    key: Any,
    counting: Select[Any],
    values: dict[str, Any],
) -> tuple[int, ...]:
    """The numbers in the one row that `counting` returns, cached like those of `total`."""
    if key not in cache:
        cache[key] = _count(connection, counting, values)
    numbers: tuple[int, ...] = cache[key]
    return numbers


def _count(
    connection: Connection, counting: Select[Any], values: dict[str, Any]
) -> tuple[int, ...]:
    return tuple(map(int, connection.execute(counting, values).one()))


def last_modified() -> datetime:
    """When anything last changed, or was last published or unpublished by its schedule."""
    moment = now()
    with read_connection() as connection:
        moments = connection.execute(_last_moments(), {"now": moment}).one()
    return max((one for one in moments if one is not None), default=moment)


def connection_cache(connection: Connection, now: datetime) -> dict[Any, Any]:
    """The cache of this connection, emptied if it is out of date; callers read and add entries.

    A new one inside a transaction that writes: others cannot see yet what it has written.
    """
    if is_writing(connection):
        return {}
    info = connection.info
    cache: dict[Any, Any] = info.setdefault("cache", {})
    token = _token(connection)
    if info.get("cache_token") != token or now >= info["cache_until"] or len(cache) > MAX_ENTRIES:
        cache.clear()
        *moments, epoch, last = connection.execute(
            _state(connection.dialect.name), {"now": now}
        ).one()
        # when a schedule next changes what is live
        info["cache_until"] = min((one for one in moments if one is not None), default=_FAR)
        cache[_FEED] = FeedPosition(epoch, last or 0)
        info["cache_token"] = token  # last: none of this is known when the statement fails
    _next_change.set(info["cache_until"])
    return cache


def next_scheduled_change() -> datetime | None:
    """When a schedule next changes what is live, as this thread has read last; None before."""
    return _next_change.get()


def feed_position(cache: dict[Any, Any]) -> FeedPosition | None:
    """Where the feed of changes stands, for what is read after its connection's cache was looked at.

    None where it writes: its own events have no place in the feed yet.
    """
    return cache.get(_FEED)


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
    last_change = select(event.c.created_at).order_by(event.c.id.desc()).limit(1)
    schedules = (select(func.max(one)).where(one <= NOW) for one in _scheduled())
    return select(*(one.scalar_subquery() for one in (last_change, *schedules)))

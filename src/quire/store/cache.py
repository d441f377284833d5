"""Caches results of reads, such as list totals, for as long as they cannot have changed.

The state of the database is read again only after a commit. A result read only from tables with versions
(data_versions.py) is cached for all connections of a process, until one of these versions or a schedule
changes it; any other result is cached for one connection until the next commit.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, Select, func, select

from quire.declare.clock import now
from quire.declare.sql_functions import NOW
from quire.monitoring.counters import CACHE_LOOKUPS, count
from quire.store.audit import AuditEvent
from quire.store.data_versions import collect_reads, ignore_reads, note_reads
from quire.store.database_state import (
    DatabaseState,
    Versions,
    database_state,
    scheduled_columns,
)
from quire.store.db import read_connection
from quire.store.version_names import USE

MAX_ENTRIES = 2000
"""The size at which a cache is cleared: keys contain filters, which clients choose."""
MAX_AGE = timedelta(seconds=60)
"""The time after which changes made in the database without Quire are visible at the latest."""
WAIT_SECONDS = 1.0
"""How long to wait for another thread that computes the same value."""
Value = TypeVar("Value")


@dataclass(slots=True)
class Entry:
    """A value, the versions it was computed from, and the period for which it holds.

    `names` are the tables it depends on; if one of them has no version, the entry belongs to one connection.
    """

    value: Any
    names: frozenset[str]
    versions: Versions
    since: datetime
    until: datetime


_entries: WeakKeyDictionary[Engine, dict[Any, Entry]] = WeakKeyDictionary()
_computing: dict[Any, threading.Lock] = {}
"""A lock for each key that is being computed; other threads wait for its value."""


def cached_until_commit(key: Any, compute: Callable[[], Value]) -> Value:
    """The result of `compute()`, cached under `key` until something it has read changes.

    It must depend only on `key`, the database and the current time. Raises what `compute` raises.
    """
    with read_connection() as connection:
        state = database_state(connection, now())
        engine = connection.engine
    # the connection has been returned to the pool: `compute` takes one of its own
    return cached_for_state(engine, state, key, compute)


def total(
    connection: Connection,
    state: DatabaseState,
    key: Any,
    counting: Select[Any],
    values: dict[str, Any],
) -> int:
    """The number of rows that `counting` counts; `key` identifies the statement and its values, except the time.

    A count walks the whole index: with a million rows it is nearly the whole cost of a page. `state` is
    what the connection sees.
    """
    return totals(connection, state, key, counting, values)[0]


def totals(
    connection: Connection,
    state: DatabaseState,
    key: Any,
    counting: Select[Any],
    values: dict[str, Any],
) -> tuple[int, ...]:
    """The numbers in the one row that `counting` returns, cached like those of `total`."""
    return cached_for_state(
        connection.engine, state, key, lambda: count_now(connection, counting, values)
    )


def count_now(
    connection: Connection, counting: Select[Any], values: dict[str, Any]
) -> tuple[int, ...]:
    """The numbers in the one row that `counting` returns."""
    return tuple(map(int, connection.execute(counting, values).one()))


def cached_for_state(
    engine: Engine, state: DatabaseState, key: Any, compute: Callable[[], Value]
) -> Value:
    """Like `cached_until_commit`, for callers that already know the state."""
    if state.feed is None:
        return compute()
    entries = _entries.setdefault(engine, {})
    entry = _valid(entries, state, key)
    if entry is not None:
        return _cached_value(entry)
    lock = _computing.setdefault((engine, key), threading.Lock())
    # after the timeout the value is computed twice rather than waited for
    is_first = lock.acquire(timeout=WAIT_SECONDS)
    try:
        entry = _valid(entries, state, key)
        return _cached_value(entry) if entry is not None else _compute(entries, state, key, compute)
    finally:
        if is_first:
            _computing.pop((engine, key), None)
            lock.release()


def last_value(engine: Engine, key: Any) -> Any:
    """What was cached for `key` last, though it may have changed since; None where nothing was."""
    entry = _entries.get(engine, {}).get(key)
    return None if entry is None else entry.value


def _cached_value(entry: Entry) -> Any:
    count(CACHE_LOOKUPS, "hit")
    note_reads(entry.names)
    return entry.value


def _valid(entries: dict[Any, Entry], state: DatabaseState, key: Any) -> Entry | None:
    entry = state.entries.get(key) or entries.get(key)
    if entry is None or not entry.since <= state.now < entry.until:
        return None
    return entry if state.has(entry.versions) else None


def _compute(
    entries: dict[Any, Entry], state: DatabaseState, key: Any, compute: Callable[[], Value]
) -> Value:
    count(CACHE_LOOKUPS, "miss")
    with collect_reads() as names:
        value = compute()
    versions = state.versions_of(names)
    is_shared = versions is not None and not any(name.startswith(USE) for name in names)
    entry = Entry(
        value,
        frozenset(names),
        versions if versions is not None and is_shared else {},
        state.now,
        min(state.until, state.now + MAX_AGE),
    )
    place = entries if is_shared else state.entries
    if len(place) >= MAX_ENTRIES:
        place.clear()
    place[key] = entry
    return value


def last_modified() -> datetime:
    """When anything last changed, or a schedule last published or withdrew something."""
    moment = now()
    # not a dependency: a response that shows this stays valid while its own content is unchanged
    with ignore_reads(), read_connection() as connection:
        moments = connection.execute(_last_moments(), {"now": moment}).one()
    return max((one for one in moments if one is not None), default=moment)


@cache
def _last_moments() -> Select[Any]:
    event = AuditEvent.__table__
    last_change = select(event.c.created_at).order_by(event.c.id.desc()).limit(1)
    schedules = (select(func.max(one)).where(one <= NOW) for one in scheduled_columns())
    return select(*(one.scalar_subquery() for one in (last_change, *schedules)))

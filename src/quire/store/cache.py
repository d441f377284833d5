"""Caches what was read, such as the totals of lists, for as long as it cannot have changed.

What a connection sees is asked for only when anything was committed at all. What was read from tables
with versions (data_versions.py) is cached for all connections of a process, until one of these versions
or the clock changes it; what depends on others too, for one connection until anybody commits.
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
"""Entries of one cache, which is cleared after them: readers choose the filters in keys."""
MAX_AGE = timedelta(seconds=60)
"""What somebody has changed in the database without Quire is seen after so long, at most."""
WAIT_SECONDS = 1.0
"""How long to wait for another thread that computes the same."""
Value = TypeVar("Value")


@dataclass(slots=True)
class Entry:
    """A value, the versions that it was computed from, and the time from and until which it holds.

    `names` are those of the versions, and of what has none: then it is of one connection alone.
    """

    value: Any
    names: frozenset[str]
    versions: Versions
    since: datetime
    until: datetime


_entries: WeakKeyDictionary[Engine, dict[Any, Entry]] = WeakKeyDictionary()
_computing: dict[Any, threading.Lock] = {}
"""A lock for each key that is being computed, so that others wait for its value."""


def cached_until_commit(key: Any, compute: Callable[[], Value]) -> Value:
    """The return value of `compute()`, or the one cached for `key` while nothing it read has changed.

    It must depend only on `key`, the database and the present. Raises what `compute` raises.
    """
    with read_connection() as connection:
        state = database_state(connection, now())
        engine = connection.engine
    # the connection is given back: computing takes one itself
    return cached_for_state(engine, state, key, compute)


def total(
    connection: Connection,
    state: DatabaseState,
    key: Any,
    counting: Select[Any],
    values: dict[str, Any],
) -> int:
    """How many rows `counting` counts; `key` stands for the statement and its values but the time.

    A count walks the whole index; at a million rows it is nearly all that a page costs. `state` is
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
    """The same as `cached_until_commit` for who knows the state already."""
    if state.feed is None:
        return compute()
    entries = _entries.setdefault(engine, {})
    entry = _valid(entries, state, key)
    if entry is not None:
        return _cached_value(entry)
    lock = _computing.setdefault((engine, key), threading.Lock())
    # who waits for longer than an answer takes computes it again
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
    """When anything last changed, or was last published or unpublished by its schedule."""
    moment = now()
    # an answer that shows it holds for longer: nothing that it shows has changed since
    with ignore_reads(), read_connection() as connection:
        moments = connection.execute(_last_moments(), {"now": moment}).one()
    return max((one for one in moments if one is not None), default=moment)


@cache
def _last_moments() -> Select[Any]:
    event = AuditEvent.__table__
    last_change = select(event.c.created_at).order_by(event.c.id.desc()).limit(1)
    schedules = (select(func.max(one)).where(one <= NOW) for one in scheduled_columns())
    return select(*(one.scalar_subquery() for one in (last_change, *schedules)))

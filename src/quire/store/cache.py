"""Caches what was read, such as the totals of lists, for as long as it cannot have changed.

What a connection sees is asked for only when anything was committed at all. What was read from tables
with versions (data_versions.py) is cached for all connections of a process, until one of these versions
or the clock changes it; what depends on others too, for one connection until anybody commits.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, Select, func, select

from quire.declare.clock import now
from quire.declare.record import REGISTRY
from quire.declare.sql_functions import NOW
from quire.errors import Unavailable
from quire.monitoring.counters import CACHE_LOOKUPS, count
from quire.store.audit import AuditEvent
from quire.store.data_versions import (
    UNKNOWN,
    USE,
    collect_reads,
    ignore_reads,
    note_reads,
    parse_versions,
    version_column,
)
from quire.store.db import is_writing, read_connection
from quire.store.feed_position import FeedPosition, position_columns
from quire.store.outages import driver_connection, translate_outages

MAX_ENTRIES = 2000
"""Entries of one cache, which is cleared after them: readers choose the filters in keys."""
MAX_AGE = timedelta(seconds=60)
"""What somebody has changed in the database without Quire is seen after so long, at most."""
WAIT_SECONDS = 1.0
"""How long to wait for another thread that computes the same."""
_REQUEST_STATE = "quire.database_state"
"""Where the environment of a request keeps what `request_state` was told."""
_FAR = datetime.max.replace(tzinfo=UTC)
_next_change: ContextVar[datetime | None] = ContextVar("next_change", default=None)
Value = TypeVar("Value")
Versions = Mapping[str, tuple[str, ...]]


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


@dataclass(slots=True)
class DatabaseState:
    """What a connection sees `now`: the versions, when the clock changes what is live, and the feed.

    `feed` is None inside a transaction that writes: its own events have no place in the feed yet, and
    nothing is cached. `entries` are those of this connection until the next commit.
    """

    now: datetime
    token: Any = None
    versions: Versions = field(default_factory=dict)
    until: datetime = _FAR
    feed: FeedPosition | None = None
    entries: dict[Any, Any] = field(default_factory=dict)

    def versions_of(self, names: Iterable[str]) -> Versions | None:
        """Those of these names, empty for what was never changed; None where one has no version.

        Counts of use are left out.
        """
        if UNKNOWN in names:
            return None
        return {name: self.versions.get(name, ()) for name in names if not name.startswith(USE)}

    def has(self, versions: Versions) -> bool:
        """Whether all of these are the present ones."""
        return all(self.versions.get(name, ()) == one for name, one in versions.items())


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
    return cached(engine, state, key, compute)


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
    return cached(connection.engine, state, key, lambda: count_now(connection, counting, values))


def count_now(
    connection: Connection, counting: Select[Any], values: dict[str, Any]
) -> tuple[int, ...]:
    """The numbers in the one row that `counting` returns."""
    return tuple(map(int, connection.execute(counting, values).one()))


def cached(engine: Engine, state: DatabaseState, key: Any, compute: Callable[[], Value]) -> Value:
    """The same as `cached_until_commit` for who knows the state already."""
    if state.feed is None:
        return compute()
    entries = _entries.setdefault(engine, {})
    entry = _valid(entries, state, key)
    if entry is not None:
        return _used(entry)
    lock = _computing.setdefault((engine, key), threading.Lock())
    # who waits for longer than an answer takes computes it again
    is_first = lock.acquire(timeout=WAIT_SECONDS)
    try:
        entry = _valid(entries, state, key)
        return _used(entry) if entry is not None else _compute(entries, state, key, compute)
    finally:
        if is_first:
            _computing.pop((engine, key), None)
            lock.release()


def _used(entry: Entry) -> Any:
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


def database_state(connection: Connection, now: datetime) -> DatabaseState:
    """What this connection sees now; asked before what depends on it is read."""
    if is_writing(connection):
        return DatabaseState(now)
    state: DatabaseState | None = connection.info.get("state")
    token = _token(connection)
    if state is None or state.token != token or now >= state.until:
        state = connection.info["state"] = _read_state(connection, token, now)
    state.now = now
    _next_change.set(state.until)
    return state


def _read_state(connection: Connection, token: Any, now: datetime) -> DatabaseState:
    with ignore_reads():
        row = connection.execute(_state(connection.dialect.name), {"now": now}).one()
    versions, epoch, last, *moments = row
    # when a schedule next changes what is live
    until = min((one for one in moments if one is not None), default=_FAR)
    return DatabaseState(
        now, token, parse_versions(versions), until, FeedPosition(epoch, last or 0)
    )


def request_state(engine: Engine, environ: dict[str, Any]) -> DatabaseState:
    """What a connection sees when this is first asked for a request, whose WSGI environment keeps it.

    Raises Unavailable, to all who ask: a database that is away is waited for once.
    """
    state = environ.get(_REQUEST_STATE)
    if state is None:
        try:
            with translate_outages(), engine.connect() as connection:
                state = database_state(connection, now())
        except Unavailable as problem:
            state = problem
        environ[_REQUEST_STATE] = state
    if isinstance(state, Unavailable):
        raise state
    known: DatabaseState = state
    return known


class EngineState:
    """What the cache of responses asks of the database behind `engine`, before Flask has a context."""

    collect_reads = staticmethod(collect_reads)

    def __init__(self, engine: Engine):
        self._engine = engine

    def state(self, environ: dict[str, Any]) -> DatabaseState | None:
        """What a connection sees when the request begins; None while the database cannot be asked."""
        try:
            return request_state(self._engine, environ)
        except Unavailable:
            return None


def next_scheduled_change() -> datetime | None:
    """When a schedule next changes what is live, as this thread has read last; None before."""
    return _next_change.get()


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
    """The versions, where the feed of changes stands, and the next moment of each scheduled column."""
    next_moments = (select(func.min(one)).where(one > NOW) for one in _scheduled())
    columns = (one.scalar_subquery() for one in next_moments)
    return select(version_column(dialect), *position_columns(dialect), *columns)


@cache
def _last_moments() -> Select[Any]:
    event = AuditEvent.__table__
    last_change = select(event.c.created_at).order_by(event.c.id.desc()).limit(1)
    schedules = (select(func.max(one)).where(one <= NOW) for one in _scheduled())
    return select(*(one.scalar_subquery() for one in (last_change, *schedules)))

"""What a connection sees: the versions of tables, the position of the change feed, and the next scheduled change."""

from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Engine, func, literal, select

from quire.declare.clock import now
from quire.declare.record import REGISTRY
from quire.declare.sql_functions import NOW
from quire.errors import Unavailable
from quire.store.connections.kept_connection import first_connection
from quire.store.connections.outages import driver_connection, translate_outages
from quire.store.connections.postgresql import LOG_POSITION, is_replica
from quire.store.connections.prepared_statements import Prepared
from quire.store.data_versions import (
    collect_reads,
    ignore_reads,
    parse_versions,
    version_column,
)
from quire.store.db import is_writing
from quire.store.events.feed_position import FeedPosition, position_columns
from quire.store.version_names import UNKNOWN, USE

_REQUEST_STATE = "quire.database_state"
"""The key under which a request's WSGI environment keeps its state."""
_FAR = datetime.max.replace(tzinfo=UTC)
_next_change: ContextVar[datetime | None] = ContextVar("next_change", default=None)
Versions = Mapping[str, tuple[str, ...]]


@dataclass(slots=True)
class DatabaseState:
    """What a connection sees `now`: versions, the next scheduled change (`until`), and the change feed.

    `feed` is None inside a transaction that writes: its events have no position yet, and nothing is
    cached. `entries` is the cache of this connection until the next commit. `position` is the length
    of PostgreSQL's log in bytes, including all that is visible; 0 on SQLite.
    """

    now: datetime
    token: Any = None
    versions: Versions = field(default_factory=dict)
    until: datetime = _FAR
    feed: FeedPosition | None = None
    entries: dict[Any, Any] = field(default_factory=dict)
    position: int = 0
    _known: dict[frozenset[str], Versions] = field(default_factory=dict)

    def versions_of(self, names: Iterable[str]) -> Versions | None:
        """The versions of these names, empty for tables that never changed; None if one has no version.

        Counters of use are left out.
        """
        if UNKNOWN in names:
            return None
        known = self._known.get(key := frozenset(names))
        if known is None:  # shared by all results read from the same tables
            counted = (name for name in key if not name.startswith(USE))
            known = self._known[key] = {name: self.versions.get(name, ()) for name in counted}
        return known

    def has(self, versions: Versions) -> bool:
        """Whether all of these are current."""
        return all(self.versions.get(name, ()) == one for name, one in versions.items())


def database_state(connection: Connection, now: datetime) -> DatabaseState:
    """Read what this connection sees now; call this before reading what depends on it."""
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
        [row] = _state(connection.dialect.name)(connection, {"now": now})
    position, versions, epoch, last, *moments = row
    # the next scheduled change
    until = min((one for one in moments if one is not None), default=_FAR)
    return DatabaseState(
        now, token, parse_versions(versions), until, FeedPosition(epoch, last or 0), {}, position
    )


def request_state(engine: Engine, environ: dict[str, Any]) -> DatabaseState:
    """What a connection sees when this is first called for a request; kept in the request's WSGI environment.

    Raises Unavailable on every call once it was raised, so that a request waits for a missing database once.
    """
    state = environ.get(_REQUEST_STATE)
    if state is None:
        try:
            with translate_outages(), first_connection(engine, environ) as connection:
                state = database_state(connection, now())
        except Unavailable as problem:
            state = problem
        environ[_REQUEST_STATE] = state
    if isinstance(state, Unavailable):
        raise state
    known: DatabaseState = state
    return known


def note_request_state(connection: Connection, environ: dict[str, Any]) -> None:
    """Store what `connection` sees for `request_state`, so that it needs no connection of its own."""
    if _REQUEST_STATE not in environ and not is_writing(connection):
        environ[_REQUEST_STATE] = database_state(connection, now())


class EngineState:
    """The database interface of the response cache, usable before Flask has a context."""

    collect_reads = staticmethod(collect_reads)

    def __init__(self, engine: Engine):
        self._engine = engine

    def state(self, environ: dict[str, Any]) -> DatabaseState | None:
        """What a connection sees when the request begins; None while the database is unavailable."""
        try:
            return request_state(self._engine, environ)
        except Unavailable:
            return None


def next_scheduled_change() -> datetime | None:
    """The next scheduled change as last read by this thread; None before the first read."""
    return _next_change.get()


def _token(connection: Connection) -> Any:
    """A value that changes with every commit by any process."""
    with driver_connection(connection) as raw:
        if connection.dialect.name == "sqlite":
            # the first number counts commits of other connections, the second this connection's own changes
            return raw.execute("PRAGMA data_version").fetchone()[0], raw.total_changes
        if is_replica(connection):
            # on a replica, not every commit changes the snapshot's text
            return raw.execute("SELECT pg_last_wal_replay_lsn()::text").fetchone()[0]
        # the snapshot's text changes with every transaction that ends
        return raw.execute("SELECT pg_current_snapshot()::text").fetchone()[0]


def scheduled_columns() -> list[Any]:
    """The columns that schedule publication."""
    return [column for record in REGISTRY.values() for column in record.schedule_columns]


@lru_cache(2)
def _state(dialect: str) -> Prepared:
    """The versions, the position of the change feed, and the next time in each scheduled column."""
    next_moments = (select(func.min(one)).where(one > NOW) for one in scheduled_columns())
    columns = (one.scalar_subquery() for one in next_moments)
    position = literal(0) if dialect == "sqlite" else LOG_POSITION
    return Prepared(select(position, version_column(dialect), *position_columns(dialect), *columns))

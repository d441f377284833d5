"""The change feed: what has happened since a place in commit order, as one reader sees it.

The outbox is its journal. For each record with events in a part of the feed, readers get what they may see
now; a record that they can no longer see is reported only if they could see it before (viewers.py).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, Connection, Select, bindparam, select

from quire.actor import Actor
from quire.declare.record import REGISTRY, Record
from quire.declare.rules import row_conditions, rule_params
from quire.declare.sql_functions import time_text
from quire.store.db import read_connection
from quire.store.events.affected_rows import AFFECTED
from quire.store.events.feed_position import number_commits, position_column
from quire.store.events.outbox import OutboxEvent
from quire.store.events.publication_schedule import write_due_events
from quire.store.events.viewers import RANKED_ROLES
from quire.store.projection import Projection
from quire.store.size_limit import SizeLimit

EVENTS_AT_ONCE = 1000
"""The maximum number of events read together; the first read is twice the requested number of changes."""
MAX_EVENTS = 5000
"""The maximum number of events read for one response, since events that concern the reader may be rare."""

_rows = OutboxEvent.__table__
Key = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the feed: after the event `position`.

    `walk`, a type and an id, is how far the existing records have been returned, None if all have.
    """

    position: int
    walk: Key | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the feed: changes as JSON objects, the place after it, and whether there are more."""

    changes: list[dict[str, Any]]
    next: Place
    more: bool


@dataclass(slots=True)
class _Event:
    """The events of one record in a part of the feed: the last version and moment, and who saw it."""

    version: int | None = None
    moment: str = ""
    viewers: set[tuple[int | None, int | None]] = field(default_factory=set)

    def add(self, row: Any) -> None:
        self.version, self.moment = row.version, row.moment
        self.viewers.add((row.audience, row.owner_id))

    def was_seen_by(self, actor: Actor) -> bool:
        rank = RANKED_ROLES.index(actor.role)
        return any(
            (audience is not None and audience <= rank)
            or (owner is not None and owner == actor.user_id)
            for audience, owner in self.viewers
        )


def catch_up() -> None:
    """Bring the feed up to date with all commits and scheduled changes until now."""
    write_due_events()
    number_commits()


def readable_types(actor: Actor) -> list[Record]:
    """The types whose changes `actor` may read: those with versions of which they may see records."""
    return [r for r in REGISTRY.values() if r.is_versioned and r.allows(actor, "read") is not False]


def read_changes(
    actor: Actor, records: Sequence[Record], place: Place, limit: int, size: SizeLimit
) -> Part:
    """At most `limit` changes after `place`, in commit order, each record once.

    Raises TooCostly if their records are too large.
    """
    with read_connection() as connection:
        if place.walk is not None:
            return _walk(connection, actor, records, place, limit, size)
        paths = {record.path for record in records}
        events, position, more = _collect(connection, paths, place.position, limit)
        changes = list(_as_seen(connection, actor, events, size))
    return Part(changes, Place(position), more)


def _collect(
    connection: Connection, paths: set[str], position: int, limit: int
) -> tuple[dict[Key, _Event], int, bool]:
    """Events by record, ordered by the last event of each; the last position read; whether more follow."""
    events: dict[Key, _Event] = {}
    count, read = min(2 * limit, EVENTS_AT_ONCE), 0
    while read < MAX_EVENTS:
        values = {"behind": position, "limit": count}
        rows = connection.execute(_rows_after(connection.dialect.name), values).all()
        read += len(rows)
        for row in rows:
            key = row.type, row.record_id
            if row.type in paths and not row.event.endswith(AFFECTED):
                if key not in events and len(events) == limit:
                    return events, position, True
                events[key] = event = events.pop(key, None) or _Event()
                event.add(row)
            position = row.place
        if len(rows) < count:
            return events, position, False
        count = EVENTS_AT_ONCE
    return events, position, True


@lru_cache(2)
def _rows_after(dialect: str) -> Select[Any]:
    place = position_column(dialect)
    names = ("event", "type", "record_id", "version", "audience", "owner_id")
    columns = [_rows.c[name] for name in names]
    moment = time_text(_rows.c.created_at).label("moment")
    behind = place > bindparam("behind", type_=BigInteger())
    events = select(place.label("place"), *columns, moment).where(behind)
    return events.order_by(place).limit(bindparam("limit", type_=BigInteger()))


def _as_seen(
    connection: Connection, actor: Actor, events: dict[Key, _Event], size: SizeLimit
) -> Iterator[dict[str, Any]]:
    states: dict[Key, dict[str, Any]] = {}
    for path in dict.fromkeys(path for path, _ in events):
        ids = [id for other, id in events if other == path]
        rows = _rows_now(connection, REGISTRY[path], actor, size, ids=ids)
        states |= {(path, id): state for id, state in rows}
    for (path, id), event in events.items():
        data = states.get((path, id))
        if data is not None:
            version = data.get("version", event.version)
            yield _change(path, id, "upsert", version, event.moment, data)
        elif event.was_seen_by(actor):
            yield _change(path, id, "delete", event.version, event.moment, None)


def _change(
    path: str, id: int, op: str, version: int | None, moment: str | None, data: Any
) -> dict[str, Any]:
    return {
        "type": path, "id": id, "op": op, "version": version, "changed_at": moment, "record": data,
    }  # fmt: skip


def _walk(
    connection: Connection,
    actor: Actor,
    records: Sequence[Record],
    place: Place,
    limit: int,
    size: SizeLimit,
) -> Part:
    """The existing records, type by type in order of ids; the feed continues after the last one."""
    assert place.walk is not None
    path, last = place.walk
    changes: list[dict[str, Any]] = []
    for record in sorted(records, key=lambda one: one.path):
        if record.path < path:
            continue
        behind = last if record.path == path else 0
        room = limit - len(changes)
        rows = _rows_now(connection, record, actor, size, behind=behind, limit=room)
        changes += (_first_seen(record, id, state) for id, state in rows)
        if len(rows) == room:
            return Part(changes, Place(place.position, (record.path, rows[-1][0])), True)
    return Part(changes, Place(place.position), True)


def _first_seen(record: Record, id: int, state: dict[str, Any]) -> dict[str, Any]:
    moment = state.get("updated_at") or state.get("created_at")
    return _change(record.path, id, "upsert", state.get("version"), moment, state)


def _rows_now(
    connection: Connection, record: Record, actor: Actor, size: SizeLimit, **which: Any
) -> list[tuple[int, dict[str, Any]]]:
    """Ids and records as `actor` sees them, either by `ids` or at most `limit` records `behind` an id.

    The id is separate, because records of singletons, such as the settings, do not show it.
    """
    projection, statement = _rows_plan(record, record.cache_key_actor(actor), "ids" in which)
    result = connection.execute(statement, which | rule_params(actor))
    return [(row[-1], projection.shape(row)) for row in size.fetch_rows(result, projection.long)]


@lru_cache(200)
def _rows_plan(record: Record, actor: Actor, by_ids: bool) -> tuple[Projection, Select[Any]]:
    projection, table = Projection(record, actor), record.table
    columns = table.c
    # force SQLite to walk by id: with another index it would sort all rows
    ids = select(columns.id).with_hint(table, "NOT INDEXED", "sqlite")
    ids = ids.where(*row_conditions(record.allows(actor, "read")))
    if record.has_trash:
        ids = ids.where(columns.deleted_at.is_(None))
    if by_ids:
        ids = ids.where(columns.id.in_(bindparam("ids", type_=BigInteger, expanding=True)))
    else:
        behind = columns.id > bindparam("behind", type_=BigInteger)
        ids = ids.where(behind).order_by(columns.id).limit(bindparam("limit", type_=BigInteger))
    page_ids = ids.subquery("page_ids")
    rows = projection.select_from(page_ids.join(table, columns.id == page_ids.c.id))
    return projection, rows.add_columns(page_ids.c.id.label("row_id")).order_by(page_ids.c.id)

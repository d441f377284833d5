"""Maintenance mode: whether the site is closed to everyone except administrators, since when, and why."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import has_request_context
from sqlalchemy import Connection, Select, Text, delete, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from quire.actor import Actor
from quire.declare.clock import now
from quire.declare.column_types import Time
from quire.declare.mixins import HasId
from quire.store.audit import record_event
from quire.store.cache import cached_for_state, cached_until_commit
from quire.store.connections.compiled_statements import Row
from quire.store.connections.driver_statements import Rows
from quire.store.connections.prepared_statements import Prepared
from quire.store.database_state import note_request_state, request_state
from quire.store.db import HAS_VERSION, Model, db, is_writing, read_connection, transaction
from quire.web.current import current_request
from quire.web.safe_requests import only_reads

ONLY_ROW = 1
LONGEST_MESSAGE = 500
"""The maximum length of the message in characters."""
_CACHED = "maintenance mode"
_NOTED = "quire.maintenance"
"""The key under which a request's WSGI environment keeps what was read with its credential."""


class MaintenanceMode(HasId, Model):
    """One row while maintenance mode is on, none while it is off."""

    __tablename__ = "maintenance_mode"
    __table_args__ = {"sqlite_autoincrement": True, "info": HAS_VERSION}

    since: Mapped[Time]
    message: Mapped[str] = mapped_column(Text)


@dataclass(frozen=True, slots=True)
class Maintenance:
    """Maintenance in progress; `message` is shown to visitors, empty for the default one."""

    since: datetime
    message: str


_rows: Any = MaintenanceMode.__table__
_current = Prepared(select(_rows.c.since, _rows.c.message).where(_rows.c.id == ONLY_ROW))


def current_maintenance() -> Maintenance | None:
    """The maintenance in progress, None while the site is open."""
    return cached_until_commit(_CACHED, _read_current)


class CredentialSelect:
    """A statement that finds the owner of a credential and, in the same round trip, the maintenance mode.

    A request that changes something does not read the database state: it uses no cache, and in a stream
    of changes each request would have to read all versions again.
    """

    def __init__(self, statement: Select[Any]):
        since, message = (
            select(column).where(_rows.c.id == ONLY_ROW).scalar_subquery()
            for column in (_rows.c.since, _rows.c.message)
        )
        self._select = Prepared(statement)
        self._select_with_maintenance = Prepared(statement.add_columns(since, message))

    def __call__(self, connection: Connection, values: Row) -> Rows:
        """The rows that the statement returns with `values`."""
        environ = current_request().environ if has_request_context() else None
        if environ is None or is_writing(connection):
            return self._select(connection, values)
        if only_reads(current_request()):
            note_request_state(connection, environ)
            return self._select(connection, values)
        rows = self._select_with_maintenance(connection, values)
        for *_, since, message in rows:
            environ[_NOTED] = None if since is None else Maintenance(since, message)
        return [row[:-2] for row in rows]


def maintenance_of_request(environ: dict[str, Any]) -> Maintenance | None:
    """The maintenance in progress when this request began. Raises Unavailable."""
    if _NOTED in environ:
        noted: Maintenance | None = environ[_NOTED]
        return noted
    engine = db.engine
    return cached_for_state(engine, request_state(engine, environ), _CACHED, _read_current)


def begin_maintenance(actor: Actor, message: str) -> Maintenance:
    """Close the site in all processes, from their next request on; if it is closed, change the message.

    `message` has at most LONGEST_MESSAGE characters.
    """
    with transaction() as connection:
        before = _read_maintenance(connection)
        maintenance = Maintenance(before.since if before else now(), message)
        connection.execute(delete(_rows))
        values = {"id": ONLY_ROW, "since": maintenance.since, "message": message}
        connection.execute(insert(_rows), values)
        record_event(actor, "maintenance_on", "maintenance")
    return maintenance


def end_maintenance(actor: Actor) -> bool:
    """Open the site again; False if it was not closed."""
    with transaction() as connection:
        was_on = connection.execute(delete(_rows)).rowcount > 0
        if was_on:
            record_event(actor, "maintenance_off", "maintenance")
    return was_on


def _read_current() -> Maintenance | None:
    with read_connection() as connection:
        return _read_maintenance(connection)


def _read_maintenance(connection: Connection) -> Maintenance | None:
    rows = _current(connection, {})
    return Maintenance(*rows[0]) if rows else None

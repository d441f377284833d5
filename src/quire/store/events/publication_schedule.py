"""The publication schedule: an event at each moment when time alone changes who sees a record.

Reads compare the times themselves. The rows here serve subscribers: one for each future moment, replaced
by an event like that of a change when it has come.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Index, UniqueConstraint, bindparam, delete, insert, select
from sqlalchemy.orm import Mapped

from quire.declare.clock import now
from quire.declare.column_types import Time
from quire.declare.event_names import PUBLISHED, UNPUBLISHED
from quire.declare.mixins import HasId, table_args
from quire.declare.record import REGISTRY, Record
from quire.declare.sql_types import UTCDateTime
from quire.store.audit import RecordId, Word
from quire.store.db import Model, read_connection, transaction
from quire.store.events.outbox import event_row, insert_events
from quire.store.events.viewers import note_viewers

MAX_AT_ONCE = 100
"""The maximum number of events written in one transaction."""
EVENTS = {"published_at": PUBLISHED, "unpublish_at": UNPUBLISHED}
"""The event for each column when its time has come."""


class Schedule(HasId, Model):
    """A future moment in a column of a record."""

    __tablename__ = "schedules"
    __table_args__ = table_args(
        Index("ix_schedules_due_at", "due_at"),
        UniqueConstraint("type", "record_id", "column", "due_at"),
    )

    type: Mapped[Word]
    record_id: Mapped[RecordId]
    column: Mapped[Word]
    due_at: Mapped[Time]


_rows = Schedule.__table__
_due = (
    select(_rows.c.id)
    .where(_rows.c.due_at <= bindparam("now", type_=UTCDateTime()))
    .order_by(_rows.c.due_at, _rows.c.id)
    .limit(MAX_AT_ONCE)
)


def note_schedule(
    connection: Connection,
    record: Record,
    fields: list[str],
    state: dict[str, Any],
    moment: datetime,
) -> None:
    """Store the times of a record after `moment`, that of its change, if it changes any of them."""
    names = [one.name for one in record.schedule_columns if one.name in fields]
    if not names:
        return
    # rows of postponed moments stay; they are compared with the record when their time comes
    times = {name: _time(state.get(name)) for name in names}
    to_come = {name: time for name, time in times.items() if time is not None and time > moment}
    for name, time in to_come.items():
        row = {"type": record.path, "record_id": state["id"], "column": name, "due_at": time}
        same = select(_rows.c.id).filter_by(**row)
        if connection.execute(same).first() is None:
            connection.execute(insert(_rows), row)


def _time(value: Any) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def write_due_events() -> int:
    """Write an event for each moment that has come; return how many there were.

    Each is written once, by the first process that finds it.
    """
    moment = now()
    with read_connection() as connection:
        if connection.execute(_due, {"now": moment}).first() is None:
            return 0
    with transaction() as connection:
        ids = list(connection.execute(_due, {"now": moment}).scalars())
        statement = delete(_rows).where(_rows.c.id.in_(ids)).returning(*_rows.c)
        # the process that deletes a row writes its event
        due = sorted(connection.execute(statement), key=lambda row: (row.due_at, row.id))
        for row in due:
            _emit_event(connection, REGISTRY[row.type], row)
    return len(due)


def _emit_event(connection: Connection, record: Record, row: Any) -> None:
    columns = record.table.c
    statement = select(columns.version, columns[row.column]).where(columns.id == row.record_id)
    current = connection.execute(statement).first()
    if current is None or current[1] != row.due_at:
        return
    note_viewers(connection, record, row.record_id, row.due_at - timedelta(seconds=1))
    state = {"id": row.record_id, "version": current[0]}
    insert_events(connection, [event_row(record, EVENTS[row.column], state, [])])

"""Schedules: the moments at which the clock alone changes who sees a record, each told of once.

Readers ask the clock themselves, at each read. What is written here is for those who want to hear of
it: a row for each moment to come, and when it has come, an event as a change would leave it.
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
from quire.store.outbox import event_row, insert_events
from quire.store.viewers import note_viewers

MOST_AT_ONCE = 100
"""Moments that are told of in one transaction."""
EVENTS = {"published_at": PUBLISHED, "unpublish_at": UNPUBLISHED}
"""What has happened to a record when the time in a column has come."""


class Schedule(HasId, Model):
    """A moment to come in a column of a record."""

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
    .limit(MOST_AT_ONCE)
)


def note_schedule(
    connection: Connection,
    record: Record,
    fields: list[str],
    state: dict[str, Any],
    moment: datetime,
) -> None:
    """Write down what is to come after `moment`, that of a change of the record, if it concerns any."""
    columns = [one.name for one in record.schedule_columns]
    if not set(columns) & set(fields):
        return
    # rows of moments that are put off stay: what they say is compared when their time comes
    times = {name: _time(state.get(name)) for name in set(columns) & set(fields)}
    to_come = {name: time for name, time in times.items() if time is not None and time > moment}
    for name, time in to_come.items():
        row = {"type": record.path, "record_id": state["id"], "column": name, "due_at": time}
        same = select(_rows.c.id).filter_by(**row)
        if connection.execute(same).first() is None:
            connection.execute(insert(_rows), row)


def _time(value: Any) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def tell_due() -> int:
    """Leave an event for each moment that has come; how many there were.

    Each is told once, by whichever process comes first.
    """
    moment = now()
    with read_connection() as connection:
        if connection.execute(_due, {"now": moment}).first() is None:
            return 0
    with transaction() as connection:
        ids = list(connection.execute(_due, {"now": moment}).scalars())
        taken = delete(_rows).where(_rows.c.id.in_(ids)).returning(*_rows.c)
        # who deletes a row tells of it
        due = sorted(connection.execute(taken), key=lambda row: (row.due_at, row.id))
        for row in due:
            _tell(connection, REGISTRY[row.type], row)
    return len(due)


def _tell(connection: Connection, record: Record, row: Any) -> None:
    columns = record.table.c
    wanted = select(columns.version, columns[row.column]).where(columns.id == row.record_id)
    found = connection.execute(wanted).first()
    if found is None or found[1] != row.due_at:
        return
    note_viewers(connection, record, row.record_id, row.due_at - timedelta(seconds=1))
    state = {"id": row.record_id, "version": found[0]}
    insert_events(connection, [event_row(record, EVENTS[row.column], state, [])])

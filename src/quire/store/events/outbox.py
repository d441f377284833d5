"""The outbox: an event for each change, written in its transaction, for jobs to handle later.

An event exists exactly if its change was committed, so none is lost and none is spurious. Rows hold
names and ids, never content or secrets, which are read when the row is handled.
"""

import threading
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Index, Integer, Text, insert, text
from sqlalchemy.orm import Mapped, mapped_column

from quire.declare.clock import now
from quire.declare.column_types import Object, Time, Whole
from quire.declare.job_registry import PERIODIC, delay_of
from quire.declare.mixins import HasId, partial_index, table_args
from quire.declare.record import Record
from quire.monitoring.request_id import current_request_id
from quire.store.audit import RecordId, Word
from quire.store.connections.prepared_statements import Prepared
from quire.store.db import Model, on_commit, transaction

NOBODY = 0
"""The id in rows that concern no record."""

wake_worker = threading.Event()
"""Set when this process has enqueued a job, so that its worker does not wait for the next poll."""


class OutboxEvent(HasId, Model):
    """A change that subscribers may want to know, or another job to do.

    `due_at` is when it is due, None if there is nothing to do: it has no handler, is done, or has failed
    permanently at `failed_at`. `error` is the error of the last attempt. `position` is its place in commit
    order where that differs from the order of ids (feed_position.py); `audience` and `owner_id` record in
    notes who saw a record (viewers.py). `request_id` is the request that caused it.
    """

    __tablename__ = "outbox"
    __table_args__ = table_args(
        partial_index("ix_outbox_due", "due_at", "id", where="due_at IS NOT NULL"),
        partial_index("ix_outbox_failed", "failed_at", where="failed_at IS NOT NULL"),
        # only PostgreSQL assigns positions, and looks for events without one
        Index("ix_outbox_position", "position", sqlite_where=text("position IS NOT NULL")),
        partial_index("uq_outbox_periodic", "event", unique=True, where=f"type = '{PERIODIC}'"),
    )

    event: Mapped[Word]
    type: Mapped[Word]
    record_id: Mapped[RecordId]
    version: Mapped[Whole | None]
    data: Mapped[Object]
    created_at: Mapped[Time] = mapped_column(default=now)
    delivered_at: Mapped[Time | None]
    attempts: Mapped[int] = mapped_column(Integer(), default=0)
    due_at: Mapped[Time | None]
    failed_at: Mapped[Time | None]
    error: Mapped[str | None] = mapped_column(Text())
    position: Mapped[int | None] = mapped_column(Integer())
    audience: Mapped[int | None] = mapped_column(Integer())
    owner_id: Mapped[int | None] = mapped_column(Integer())
    request_id: Mapped[Word | None] = mapped_column(default=current_request_id)


def event_row(
    record: Record, name: str, state: dict[str, Any], fields: list[str]
) -> dict[str, Any]:
    """The values of the row for an event of a record, whose name is in the past tense: `published`."""
    return {
        "event": f"{record.path}.{name}",
        "type": record.path,
        "record_id": state["id"],
        "version": state.get("version"),
        "data": {"fields": fields},
    }


def _due(event: str, moment: datetime) -> datetime | None:
    seconds = delay_of(event)
    return None if seconds is None else moment + timedelta(seconds=seconds)


_insert = Prepared(insert(OutboxEvent.__table__), deferred=True)


def insert_events(connection: Connection, rows: list[dict[str, Any]]) -> None:
    """Add rows of `event_row`, which happen now, in the open transaction."""
    moment = now()
    due = {event: _due(event, moment) for event in {row["event"] for row in rows}}
    same = {"created_at": moment, "request_id": current_request_id()}
    more = {event: {**same, "due_at": at} if at else same for event, at in due.items()}
    _insert(connection, [{**row, **more[row["event"]]} for row in rows])
    if moment in due.values():
        on_commit(wake_worker.set)


def enqueue(event: str, record_id: int = NOBODY, **data: Any) -> None:
    """Add a job unrelated to a change of a record, in the open transaction if there is one.

    The type is the part before the point: `enqueue("mail.reset", email=...)`.
    """
    moment = now()
    row = {
        "event": event,
        "type": event.partition(".")[0],
        "record_id": record_id,
        "data": data,
        "created_at": moment,
        "due_at": moment,
    }
    with transaction() as connection:
        _insert(connection, row)
        on_commit(wake_worker.set)

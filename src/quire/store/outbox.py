"""The outbox: an event for each change, written in its transaction, for jobs to handle later.

An event exists exactly when its change was committed: none is lost, none is handled for nothing.
Rows hold names and ids, never content or a secret: those are read when the row is handled.
"""

import threading
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Index, Integer, Text, insert, text
from sqlalchemy.orm import Mapped, mapped_column

from quire.declare.clock import now
from quire.declare.columns import Numbered, table_args
from quire.declare.jobs import PERIODIC, delay
from quire.declare.kinds import Object, Time, Whole
from quire.declare.record import Record
from quire.store.audit import RecordId, Word
from quire.store.db import Model, once_committed, transaction
from quire.store.prepared import Prepared

PAST = {
    "create": "created",
    "update": "updated",
    "delete": "deleted",
    "restore_revision": "updated",
}
NOBODY = 0
"""The id in rows that are about no record."""

owed_here = threading.Event()
"""Set when this process owes a job: its worker need not wait for its next look."""


def _only(condition: str) -> dict[str, Any]:
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


class OutboxEvent(Numbered, Model):
    """A change that others may want to hear of, or something else to be done.

    `due_at` is when it is due, None when there is nothing to do: nobody handles it, all is done,
    or it has failed for good at `failed_at`. `error` is what the last attempt came to.
    """

    __tablename__ = "outbox"
    __table_args__ = table_args(
        Index("ix_outbox_due", "due_at", "id", **_only("due_at IS NOT NULL")),
        Index("ix_outbox_failed", "failed_at", **_only("failed_at IS NOT NULL")),
        Index("uq_outbox_periodic", "event", unique=True, **_only(f"type = '{PERIODIC}'")),
    )

    event: Mapped[Word]
    type: Mapped[Word]
    record_id: Mapped[RecordId]
    version: Mapped[Whole | None]
    data: Mapped[Object]
    created_at: Mapped[Time] = mapped_column(default=now)
    delivered_at: Mapped[Time | None] = mapped_column(index=True)
    attempts: Mapped[int] = mapped_column(Integer(), default=0)
    due_at: Mapped[Time | None]
    failed_at: Mapped[Time | None]
    error: Mapped[str | None] = mapped_column(Text())


def owed(record: Record, action: str, state: dict[str, Any], fields: list[str]) -> dict[str, Any]:
    """The values of the row for a change of a record."""
    event = f"{record.path}.{PAST.get(action, action)}"
    return {
        "event": event,
        "type": record.path,
        "record_id": state["id"],
        "version": state.get("version"),
        "data": {"fields": fields},
        "due_at": _due(event),
    }


def _due(event: str) -> datetime | None:
    seconds = delay(event)
    return None if seconds is None else now() + timedelta(seconds=seconds)


_insert = Prepared(insert(OutboxEvent.__table__))


def keep(connection: Connection, rows: list[dict[str, Any]]) -> None:
    """Add rows in the open transaction."""
    _insert(connection, rows)
    if any(row["due_at"] and row["due_at"] <= now() for row in rows):
        once_committed(owed_here.set)


def owe(event: str, record_id: int = NOBODY, **data: Any) -> None:
    """Owe a job that is no change of a record, in the open transaction if there is one.

    The type is what stands before the point: `owe("mail.reset", email=...)`.
    """
    row = {
        "event": event,
        "type": event.partition(".")[0],
        "record_id": record_id,
        "version": None,
        "data": data,
        "due_at": now(),
    }
    with transaction() as connection:
        keep(connection, [row])

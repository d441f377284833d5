"""The outbox: an event for each change, written in its transaction, for jobs to deliver later.

An event exists exactly when its change was committed: none is lost, none is sent for nothing.
"""

from typing import Any

from sqlalchemy import Index, Integer, insert, text
from sqlalchemy.orm import Mapped, mapped_column

from quire.declare.clock import UTCDateTime, now
from quire.declare.columns import Numbered, table_args
from quire.declare.kinds import Object, Time, Whole
from quire.declare.record import Record
from quire.store.audit import RecordId, Word
from quire.store.db import Model
from quire.store.prepared import Prepared

PAST = {"create": "created", "update": "updated", "delete": "deleted"}
MAIL = "mail"
"""The type of rows that are mails; `store/mailbox.py` looks after those."""
_IS_MAIL = text(f"type = '{MAIL}'")


class OutboxEvent(Numbered, Model):
    """A change that others may want to hear of."""

    __tablename__ = "outbox"
    __table_args__ = table_args(
        Index("ix_outbox_mail", "not_before", sqlite_where=_IS_MAIL, postgresql_where=_IS_MAIL)
    )

    event: Mapped[Word]
    type: Mapped[Word]
    record_id: Mapped[RecordId]
    version: Mapped[Whole | None]
    data: Mapped[Object]
    created_at: Mapped[Time] = mapped_column(default=now)
    delivered_at: Mapped[Time | None] = mapped_column(index=True)
    attempts: Mapped[int] = mapped_column(Integer(), default=0)
    not_before: Mapped[Time] = mapped_column(UTCDateTime(), default=now)


def owed(record: Record, action: str, state: dict[str, Any], fields: list[str]) -> dict[str, Any]:
    """The values of one row: names and ids, never content, which is read when it is delivered."""
    return {
        "event": f"{record.path}.{PAST.get(action, action)}",
        "type": record.path,
        "record_id": state["id"],
        "version": state.get("version"),
        "data": {"fields": fields},
    }


keep = Prepared(insert(OutboxEvent.__table__))
"""Adds rows in the open transaction."""

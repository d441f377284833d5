"""The audit log: who changed what through which interface. Rows are only ever added."""

from typing import Annotated, Any

from sqlalchemy import Index, Integer, String, insert
from sqlalchemy.orm import Mapped, mapped_column

from quire.actor import Actor
from quire.declare.clock import now
from quire.declare.column_types import Names, Time, Whole
from quire.declare.mixins import HasId, table_args
from quire.declare.references import Ref, actor_reference
from quire.declare.value_kinds import ID, text_kind
from quire.store.connections.prepared_statements import Prepared
from quire.store.db import Model, transaction

Word = Annotated[
    str, mapped_column(String(64), info={"kind": text_kind("word", 64, collated=False)})
]
RecordId = Annotated[int, mapped_column(Integer(), info={"kind": ID})]


class AuditEvent(HasId, Model):
    """A log entry: who did what, and when."""

    __tablename__ = "audit_events"
    __table_args__ = table_args(Index("ix_audit_events_record", "type", "record_id"))

    action: Mapped[Word]
    type: Mapped[Word]
    record_id: Mapped[RecordId | None]
    record_version: Mapped[Whole | None]
    actor_id: Mapped[Ref | None] = actor_reference(index=True)
    fields: Mapped[Names]
    door: Mapped[Word]
    proof: Mapped[Word] = mapped_column(default="none")
    ip: Mapped[Word | None]
    request_id: Mapped[Word | None]
    created_at: Mapped[Time] = mapped_column(default=now)


def audit_row(
    actor: Actor,
    action: str,
    type: str,
    record_id: int | None,
    fields: list[str],
    version: int | None = None,
) -> dict[str, Any]:
    """The values of one audit row; `version` is the record's version after the change."""
    return {
        "action": action,
        "type": type,
        "record_id": record_id,
        "record_version": version,
        "actor_id": actor.user_id,
        "fields": fields,
        "door": actor.door,
        "proof": actor.proof,
        "ip": actor.ip,
        "request_id": actor.request_id,
    }


def record_event(
    actor: Actor, action: str, type: str, record_id: int | None = None, *fields: str
) -> None:
    """Log an event that is not a change of a record, such as a sign-in or a refusal.

    `fields` hold details, such as the credentials used or what was requested.
    """
    with transaction() as connection:
        insert_rows(connection, [audit_row(actor, action, type, record_id, list(fields))])


insert_rows = Prepared(insert(AuditEvent.__table__), deferred=True)
"""Adds rows in the open transaction."""

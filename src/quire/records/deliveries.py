"""Deliveries: events to be sent to webhooks, and the outcome of each attempt."""

from sqlalchemy import Index, select
from sqlalchemy.orm import Mapped, mapped_column

from quire.declare.action import Action
from quire.declare.change import Change
from quire.declare.clock import now
from quire.declare.column_types import Count, Reason, Time, Whole, choice
from quire.declare.fields import Shown
from quire.declare.mixins import HasId, partial_index, table_args
from quire.declare.record import REGISTRY, Access, Record
from quire.declare.references import Ref, reference
from quire.declare.rules import role
from quire.errors import Conflict
from quire.store.audit import RecordId, Word
from quire.store.db import Model, read_connection

PENDING, DELIVERED, FAILED = "pending", "delivered", "failed"
_IS_PENDING = "status = 'pending'"


class Delivery(HasId, Model):
    """An event for one webhook.

    `type`, `record_id` and `record_version` identify the changed record, `event_at` is when it changed.
    `message_id` identifies the delivery to its receiver and is the same for each attempt. `next_attempt_at` is None
    if no attempt is planned, or while an earlier delivery for the same record is pending.
    """

    __tablename__ = "deliveries"
    __table_args__ = table_args(
        partial_index(
            "ix_deliveries_due", "webhook_id", "next_attempt_at", "id", where=_IS_PENDING
        ),
        partial_index(
            "ix_deliveries_order", "webhook_id", "type", "record_id", "id", where=_IS_PENDING
        ),
        Index("ix_deliveries_webhook", "webhook_id", "id"),
    )

    webhook_id: Mapped[Ref] = reference("webhooks", on_delete="CASCADE")
    event: Mapped[Word]
    message_id: Mapped[Word]
    type: Mapped[Word]
    record_id: Mapped[RecordId]
    record_version: Mapped[Whole | None]
    event_at: Mapped[Time]
    status: Mapped[str] = choice(PENDING, DELIVERED, FAILED)
    attempts: Mapped[Count] = mapped_column(default=0)
    response_status: Mapped[Count | None]
    response_ms: Mapped[Count | None]
    error: Mapped[Reason | None]
    next_attempt_at: Mapped[Time | None]
    created_at: Mapped[Time] = mapped_column(default=now, index=True)


def replay(change: Change) -> None:
    """Send it again with the same webhook-id."""
    if change.before("status") == PENDING and change.before("next_attempt_at") is None:
        raise Conflict("This delivery is waiting for an earlier one about the same record.")
    webhooks = REGISTRY["webhooks"].table
    active = select(webhooks.c.is_active).where(webhooks.c.id == change.reference("webhook"))
    with read_connection() as connection:
        if not connection.execute(active).scalar():
            raise Conflict("The webhook is turned off. Turn it on first.")
    change.set(status=PENDING, attempts=0, next_attempt_at=change.moment, error=None)


ADMIN = role("admin")

DELIVERIES = Record(
    Delivery,
    path="deliveries",
    newest_first=True,
    fields=[
        Shown("id", sort=True, filter=True),
        Shown("webhook", filter=True),
        Shown("event", sort=True, filter=True),
        Shown("status", sort=True, filter=True),
        Shown("attempts"),
        Shown("response_status", filter=True),
        Shown("response_ms", label="Response time (ms)"),
        Shown("error"),
        Shown("next_attempt_at"),
        Shown("created_at", sort=True, filter=True),
    ],
    access=Access(read=ADMIN, panel=ADMIN),
    actions=[Action("replay", replay, ADMIN)],
    title_field="event",
    empty_text="Events that are sent to a webhook appear here, with the answer to each.",
    section="System",
    history=False,
    api_key_access="read",
    exported=False,
)

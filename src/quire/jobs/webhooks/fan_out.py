"""Fan-out: turns each event into a delivery for every webhook subscribed to it.

Events are read from the outbox in the order of commits, from the position of each webhook; changing a record writes
nothing for webhooks.
"""

import secrets
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    bindparam,
    func,
    or_,
    select,
    update,
)  # fmt: skip

from quire.declare.clock import now
from quire.declare.event_names import is_subscribed
from quire.declare.job_registry import periodic
from quire.records.deliveries import PENDING, Delivery
from quire.records.webhooks import Webhook, add_deliveries, known_events
from quire.store.db import read_connection, transaction
from quire.store.events.change_feed import catch_up
from quire.store.events.feed_position import current_position, position_column
from quire.store.events.outbox import OutboxEvent, enqueue

SEND = "webhook.send"
"""The job that sends the due deliveries of one webhook."""
SENDER_SECONDS = 60
"""How long a job stays a webhook's only sender after its last sign of life."""
EVENTS_AT_ONCE = 500

_webhooks, _deliveries, _events = Webhook.__table__, Delivery.__table__, OutboxEvent.__table__


@periodic(1, per_process=True)
def queue_deliveries() -> None:
    """Create deliveries of new events and jobs for those that are due, if there is any webhook."""
    with read_connection() as connection:
        active = select(func.min(_webhooks.c.position)).where(_webhooks.c.is_active)
        position = connection.execute(active).scalar()
    if position is None:
        return
    catch_up()
    if position < current_position().last:
        while fan_out():
            pass
    queue_senders()


def fan_out() -> bool:
    """Create deliveries of the next events; return whether there may be more."""
    with transaction() as connection:
        active = select(_webhooks).where(_webhooks.c.is_active).order_by(_webhooks.c.id)
        webhooks = connection.execute(active.with_for_update()).all()
        if not webhooks:
            return False
        behind = min(one.position for one in webhooks)
        events = connection.execute(
            _events_after(connection.dialect.name), {"behind": behind}
        ).all()
        if not events:
            return False
        for webhook in webhooks:
            _deliver(connection, webhook, events)
        last = events[-1].place
        statement = update(_webhooks).where(_webhooks.c.is_active, _webhooks.c.position < last)
        connection.execute(statement.values(position=last))
    return len(events) == EVENTS_AT_ONCE


def _events_after(dialect: str) -> Select[Any]:
    place = position_column(dialect)
    columns = [_events.c[n] for n in ("event", "type", "record_id", "version", "created_at")]
    behind = place > bindparam("behind", type_=BigInteger())
    events = select(place.label("place"), *columns).where(behind)
    return events.order_by(place).limit(EVENTS_AT_ONCE)


def _deliver(connection: Connection, webhook: Any, events: Any) -> None:
    rows = [
        {
            "webhook_id": webhook.id,
            "event": event.event,
            "type": event.type,
            "record_id": event.record_id,
            "record_version": event.version,
            "event_at": event.created_at,
        }
        for event in _matching_events(webhook, events)
    ]
    if rows:
        first = min(add_deliveries(connection, rows))
        release(connection, webhook.id, _deliveries.c.id >= first)


def _matching_events(webhook: Any, events: Any) -> Iterator[Any]:
    """Return the events for a webhook, without those about itself."""
    known_names = known_events()
    for event in events:
        own = event.type == _webhooks.name and event.record_id == webhook.id
        is_new = event.place > webhook.position and event.event in known_names and not own
        if is_new and is_subscribed(webhook.events, event.event):
            yield event


def release_next(connection: Connection, delivery: Any) -> None:
    """Release the delivery that follows one about the same record, if it was waiting for it."""
    columns = _deliveries.c
    same = (columns.type == delivery.type, columns.record_id == delivery.record_id)
    release(connection, delivery.webhook_id, *same, columns.id > delivery.id)


def release(connection: Connection, webhook_id: int, *which: ColumnElement[bool]) -> None:
    """Release the pending deliveries of a webhook that need not wait for an earlier one.

    The webhook's row is locked, since a delivery that is being added must see which ones are pending.
    """
    columns = _deliveries.c
    mine = (columns.webhook_id == webhook_id, columns.status == PENDING)
    waiting = (*mine, columns.next_attempt_at.is_(None), *which, ~must_wait())
    connection.execute(update(_deliveries).where(*waiting).values(next_attempt_at=now()))


def must_wait() -> ColumnElement[bool]:
    """Return the SQL condition that an earlier delivery to the same webhook about the same record is pending."""
    columns, earlier = _deliveries.c, _deliveries.alias("earlier")
    before = select(earlier.c.id).where(
        earlier.c.webhook_id == columns.webhook_id,
        earlier.c.status == PENDING,
        earlier.c.type == columns.type,
        earlier.c.record_id == columns.record_id,
        earlier.c.id < columns.id,
    )
    return before.limit(1).correlate(_deliveries).scalar_subquery().is_not(None)


def queue_senders() -> None:
    """Enqueue a job for each webhook that has deliveries due and no sender."""
    with read_connection() as connection:
        ids = list(connection.execute(_without_sender()).scalars())
    for id in ids:
        name = secrets.token_hex(8)
        until = now() + timedelta(seconds=SENDER_SECONDS)
        with transaction() as connection:
            claim = update(_webhooks).where(_webhooks.c.id == id, _is_free())
            if connection.execute(claim.values(sender=name, sender_until=until)).rowcount:
                enqueue(SEND, id, sender=name)


def _is_free() -> Any:
    return or_(_webhooks.c.sender_until.is_(None), _webhooks.c.sender_until <= now())


def _without_sender() -> Select[Any]:
    columns = _deliveries.c
    due = select(columns.id).where(
        columns.webhook_id == _webhooks.c.id,
        columns.status == PENDING,
        columns.next_attempt_at <= now(),
    )
    return select(_webhooks.c.id).where(_webhooks.c.is_active, _is_free(), due.exists())

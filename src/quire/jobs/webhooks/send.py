"""Sends the due deliveries of a webhook one after the other, those of each record in order."""

import logging
import time
from datetime import timedelta
from functools import cache, partial
from importlib import import_module
from typing import Any

from flask import current_app
from sqlalchemy import Connection, Select, bindparam, select, update

from quire.actor import SYSTEM
from quire.declare.clock import now
from quire.declare.job_registry import Job, Reschedule, on_event
from quire.declare.sql_types import UTCDateTime
from quire.jobs.runner import CapturedErrors
from quire.jobs.webhooks.fan_out import SEND, SENDER_SECONDS, must_wait, release_next
from quire.jobs.webhooks.message import body_of, headers_of
from quire.jobs.webhooks.outcome import ALL_FAILED, GONE, Outcome
from quire.monitoring.counters import DELIVERIES, count
from quire.records.deliveries import DELIVERED, FAILED, PENDING, Delivery
from quire.records.webhooks import WEBHOOKS, Webhook
from quire.store import write
from quire.store.db import on_commit, read_connection, transaction
from quire.store.events.mail import enqueue_mail

logger = logging.getLogger("quire.webhooks")

BEGIN_SECONDS = 5.0
"""How long a job starts further deliveries before it lets other jobs run."""
PAUSES = (
    5, 60, 300, 1200, 3600, 2 * 3600, 4 * 3600, 8 * 3600, 12 * 3600, 20 * 3600, 24 * 3600,
)  # fmt: skip
"""Seconds between the attempts, about three days in all; after the last one, the delivery has failed for good."""
FAILING_LASTS = timedelta(days=5)
"""How long all attempts may fail before a webhook is disabled."""
STATUS_GONE = 410
RESULTS = {DELIVERED: "delivered", FAILED: "failed", PENDING: "retry"}
"""The outcome of an attempt, by the status of the delivery after it."""
JOB = SYSTEM.with_context(proof="job", door="jobs")
LONGEST_ERROR = 1000
"""The maximum length of a stored error message."""

_webhooks, _deliveries = Webhook.__table__, Delivery.__table__


@on_event(SEND, seconds=SENDER_SECONDS, waits=True, title="Send events to a webhook")
def send_due(job: Job) -> None:
    """Send the due deliveries of a webhook. Raises Reschedule if there are more."""
    if not _stay_sender(job, now() + timedelta(seconds=SENDER_SECONDS)):
        return
    until = time.monotonic() + BEGIN_SECONDS
    while time.monotonic() < until:
        delivery = _next_due(job.record_id)
        if delivery is None:
            _stay_sender(job, None)
            return
        record_outcome(delivery, attempt(delivery))
    raise Reschedule


def _stay_sender(job: Job, until: Any) -> bool:
    """Extend this job's term as the webhook's only sender to `until`, or end it if None; return False if it has
    none."""
    mine = (_webhooks.c.id == job.record_id, _webhooks.c.sender == job.data["sender"])
    with transaction() as connection:
        statement = update(_webhooks).where(*mine).values(sender_until=until)
        return bool(connection.execute(statement).rowcount)


def _next_due(webhook_id: int) -> Any:
    with read_connection() as connection:
        return connection.execute(_due(), {"webhook": webhook_id, "now": now()}).first()


@cache
def _due() -> Select[Any]:
    """Return the next due delivery of an active webhook that no earlier one has to precede."""
    columns = _deliveries.c
    due = (
        select(_deliveries, _webhooks.c.url)
        .join(_webhooks)
        .where(
            columns.webhook_id == bindparam("webhook"),
            _webhooks.c.is_active,
            columns.status == PENDING,
            columns.next_attempt_at <= bindparam("now", type_=UTCDateTime()),
            ~must_wait(),
        )
    )
    return due.order_by(columns.next_attempt_at, columns.id).limit(1)


def attempt(delivery: Any) -> Outcome:
    """Send a delivery once. Failures on our side are outcomes too, as they must not stop other deliveries."""
    with CapturedErrors() as captured:
        body = body_of(delivery)
        headers = headers_of(delivery, body)
        allow_private = current_app.config["WEBHOOK_PRIVATE_NETWORKS"]
        outcome: Outcome = _http_client().post(
            delivery.url, headers, body, allow_private=allow_private
        )
        return outcome
    return Outcome(None, str(captured.error), 0)


def _http_client() -> Any:
    """Load the HTTP library on first use: most installations have no webhook."""
    return import_module("quire.jobs.webhooks.http_client")


def record_outcome(delivery: Any, outcome: Outcome) -> None:
    """Record the outcome of an attempt: done, to be retried, or failed for good; and update the webhook."""
    with transaction() as connection:
        # lock the webhook's row first: deliveries that are being added wait until it is known which are pending
        locked = select(_webhooks).where(_webhooks.c.id == delivery.webhook_id).with_for_update()
        webhook = connection.execute(locked).first()
        values = _after_attempt(delivery, outcome)
        same = (_deliveries.c.id == delivery.id, _deliveries.c.attempts == delivery.attempts)
        pending = update(_deliveries).where(*same, _deliveries.c.status == PENDING)
        if webhook is None or not connection.execute(pending.values(values)).rowcount:
            return  # deleted, disabled or replayed meanwhile
        on_commit(partial(count, DELIVERIES, RESULTS[values["status"]]))
        if values["status"] != PENDING:
            release_next(connection, delivery)
        if outcome.error is None:
            _note_success(connection, webhook)
        else:
            _note_failure(connection, webhook, delivery, outcome)


def _after_attempt(delivery: Any, outcome: Outcome) -> dict[str, Any]:
    attempts = delivery.attempts + 1
    values: dict[str, Any] = {
        "attempts": attempts,
        "response_status": outcome.status,
        "response_ms": outcome.milliseconds,
        "error": outcome.error and str(outcome.error)[:LONGEST_ERROR],
        "next_attempt_at": None,
    }
    if outcome.error is None:
        return values | {"status": DELIVERED}
    if outcome.status == STATUS_GONE or attempts > len(PAUSES):
        return values | {"status": FAILED}
    pause = max(PAUSES[attempts - 1], min(outcome.retry_after, PAUSES[-1]))
    later = now() + timedelta(seconds=pause)
    return values | {"status": PENDING, "next_attempt_at": later}


def _note_success(connection: Connection, webhook: Any) -> None:
    if webhook.failures:
        fresh = update(_webhooks).where(_webhooks.c.id == webhook.id)
        connection.execute(fresh.values(failures=0, failing_since=None))


def _note_failure(connection: Connection, webhook: Any, delivery: Any, outcome: Outcome) -> None:
    logger.warning(
        "Attempt %d of delivery %d (%s) to webhook %d failed: %s",
        delivery.attempts + 1, delivery.id, delivery.event, webhook.id, outcome.error,
    )  # fmt: skip
    since = webhook.failing_since or now()
    statement = update(_webhooks).where(_webhooks.c.id == webhook.id)
    connection.execute(statement.values(failures=webhook.failures + 1, failing_since=since))
    if outcome.status == STATUS_GONE:
        _disable(webhook, GONE)
    elif now() - since >= FAILING_LASTS:
        _disable(webhook, ALL_FAILED.with_values(days=FAILING_LASTS.days))


def _disable(webhook: Any, reason: str) -> None:
    if not webhook.is_active:
        return
    logger.error("Webhook %d is turned off: %s", webhook.id, reason)
    values = {"is_active": False, "disabled_reason": str(reason)}
    write.update(WEBHOOKS, JOB, webhook.id, values)
    if webhook.owner_id is not None:
        data = {"webhook": webhook.id, "url": webhook.url, "reason": str(reason)}
        enqueue_mail("webhook_disabled", webhook.owner_id, **data)

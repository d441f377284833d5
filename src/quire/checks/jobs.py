"""Checks of background work: workers, the queue, webhooks."""

from datetime import timedelta
from pathlib import Path

from flask import current_app
from sqlalchemy import func, select

from quire.checks.check import OK, Check, error, ok, warning
from quire.config.running_servers import running_servers
from quire.declare.clock import now
from quire.jobs.worker import job_threads
from quire.monitoring.setup import shared_counters
from quire.records import DELIVERIES, WEBHOOKS
from quire.store.db import read_connection
from quire.store.events.queue_admin import is_claimed, jobs_by_state, oldest_due
from quire.translations.messages import Message

JOBS_WAIT = timedelta(minutes=5)
"""How long a job may wait while a worker is running."""
BACKLOG = 10_000
"""The number of jobs that may be waiting."""
DELIVERY_DAYS = timedelta(days=7)
"""How long a failed delivery is reported."""
START_WORKER = Message("Start serve.py or manage.py worker.")
MORE_WORKERS = Message("If this lasts, run manage.py worker --concurrency 4 beside the server.")


def check_jobs() -> Check:
    """Check whether jobs are being run: one may wait for long while a worker is busy with others."""
    since = oldest_due()
    if since is None or now() - since < JOBS_WAIT:
        return OK
    minutes = int((now() - since).total_seconds() // 60)
    reason = Message("The oldest job has been waiting for %(minutes)s minutes", minutes=minutes)
    if is_worker_alive():
        return warning(
            Message("%(reason)s, though workers are running.", reason=reason), MORE_WORKERS
        )
    return error(Message("%(reason)s, and no worker is running.", reason=reason), START_WORKER)


def is_worker_alive() -> bool:
    """Return whether any process of this installation runs jobs, as far as this process can tell."""
    own = job_threads(current_app)
    running = shared_counters().read(own).processes
    return any(one.job_threads for one in running) or is_claimed()


def check_worker() -> Check:
    """Check whether a new job would be run; a server that has just started has not reported in yet."""
    config = current_app.config
    is_served = config["JOB_THREADS"] and running_servers(Path(config["QUIRE_INSTANCE"]))
    return (
        OK
        if is_served or is_worker_alive()
        else warning(Message("No worker is running."), START_WORKER)
    )


def check_queue() -> Check:
    """Check whether jobs have failed for good, or are piling up."""
    counts = jobs_by_state()
    if failed := counts["failed"]:
        action = Message(
            "See why under System, Jobs in the panel, and run them again or delete them there."
        )
        return warning(
            Message(
                "%(count)s job has failed for good.",
                "%(count)s jobs have failed for good.",
                count=failed,
            ),
            action,
        )
    if counts["waiting"] > BACKLOG:
        return warning(
            Message(
                "%(count)s job is waiting.", "%(count)s jobs are waiting.", count=counts["waiting"]
            ),
            MORE_WORKERS,
        )
    return ok(Message("%(number)s waiting", number=counts["waiting"]))


def check_webhooks() -> Check:
    """Check whether webhooks were disabled because they failed, or events were not delivered lately."""
    hooks, sent = WEBHOOKS.model.__table__, DELIVERIES.model.__table__
    disabled = select(func.count()).where(hooks.c.disabled_reason.is_not(None))
    late = (sent.c.status == "failed") & (sent.c.created_at > now() - DELIVERY_DAYS)
    failed = select(func.count()).select_from(sent).where(late)
    with read_connection() as connection:
        off, lost = (connection.execute(one).scalar_one() for one in (disabled, failed))
    if off:
        action = Message(
            "See why under System, Webhooks in the panel, and turn them on again there."
        )
        return warning(
            Message(
                "%(count)s webhook was turned off because it failed.",
                "%(count)s webhooks were turned off because they failed.",
                count=off,
            ),
            action,
        )
    if lost:
        action = Message("See why under System, Deliveries in the panel, and replay them there.")
        return warning(
            Message(
                "%(count)s delivery to a webhook has failed within 7 days.",
                "%(count)s deliveries to webhooks have failed within 7 days.",
                count=lost,
            ),
            action,
        )
    return OK

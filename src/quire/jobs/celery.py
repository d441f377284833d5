"""Jobs through a broker: Celery carries the id of a row to a worker, and the row says what to do.

The rows are authoritative: a lost message is sent again, and one that arrives twice finds nothing to do.
"""

import logging
import signal
import threading
import time
from typing import Any

from celery import Celery
from celery.worker import state
from flask import Flask
from kombu.exceptions import OperationalError

from quire.jobs.runner import run_batch, run_job
from quire.jobs.side_threads import STOP_SECONDS, SideThreads
from quire.security.tokens import digest
from quire.store.events import queue

logger = logging.getLogger("quire.jobs")

TASK = "quire.attempt"
BATCH = 50
"""Rows dispatched together."""
TIMEOUT_SECONDS = 4
"""Seconds to wait for the broker."""
WAKE_SECONDS = 0.5
"""How often a worker checks whether to stop."""


def make_celery(app: Flask) -> Celery:
    """Create the Celery application of an installation: JSON only, late acknowledgement, one task at a time."""
    celery = Celery("quire", broker=app.config["CELERY_BROKER_URL"], set_as_current=False)
    celery.conf.update(
        # installations that share a broker do not run each other's jobs
        task_default_queue=f"quire-{digest(app.config['SECRET_KEY'])[:12]}",
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        worker_enable_remote_control=False,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        broker_connection_timeout=TIMEOUT_SECONDS,
        broker_connection_retry_on_startup=True,
        enable_utc=True,
    )
    return celery


def is_broker_reachable(app: Flask, seconds: float) -> bool:
    """Return whether the broker accepts this installation's connection; tried once."""
    try:
        with make_celery(app).connection_for_write() as connection:
            connection.ensure_connection(max_retries=1, interval_start=0, timeout=seconds)
    except (OperationalError, OSError):
        return False
    return True


class Dispatcher:
    """Sends due jobs to the broker."""

    def __init__(self, app: Flask):
        self.celery = make_celery(app)

    def run_due_jobs(self, stopping: threading.Event) -> None:
        """Dispatch all jobs that are due now, until `stopping` is set or the broker is unreachable.

        Jobs that can be run in batches run here, which is cheaper than dispatching them.
        """
        while not stopping.is_set() and (event := queue.next_event()) is not None:
            if run_batch(event):
                continue
            rows = queue.dispatch(BATCH)
            if not rows or not self._send_all(rows):
                return

    def _send_all(self, rows: list[tuple[int, int]]) -> bool:
        for number, row in enumerate(rows):
            try:
                self.celery.send_task(TASK, row, retry=False)
            except OperationalError as error:
                logger.warning("The broker does not answer, jobs wait: %s", error)
                queue.undispatch([id for id, _ in rows[number:]])
                return False
        return True


def serve(app: Flask, threads: int) -> int:
    """Run a Celery worker until SIGTERM, Ctrl-C or Ctrl-Break; return the exit status."""
    celery, side_threads = make_celery(app), SideThreads(app)

    @celery.task(name=TASK)
    def attempt_row(id: int, attempts: int) -> None:
        with app.app_context():
            job = queue.claim_dispatched(id, attempts)
            if job is not None:
                run_job(job, side_threads.attempt)  # messages contain nothing that the rows do not

    # threads rather than processes, so that all systems behave alike
    pool = "threads" if threads > 1 else "solo"
    worker: Any = celery.Worker(
        pool=pool, concurrency=threads, loglevel="WARNING", without_gossip=True,
        without_mingle=True, without_heartbeat=True, quiet=True,
    )  # fmt: skip
    if worker.use_eventloop:  # a signal does not interrupt its wait for messages, but a timer does
        worker.timer.call_repeatedly(WAKE_SECONDS, int)
    if hasattr(signal, "SIGBREAK"):
        signal.signal(signal.SIGBREAK, _stop)
    worker.start()
    side_threads.join(time.monotonic() + STOP_SECONDS)
    # Celery treats Ctrl-C as a failure
    is_warm_shutdown = state.should_stop is not None and state.should_terminate is None
    return 0 if is_warm_shutdown else int(worker.exitcode or 0)


def _stop(*_: Any) -> None:
    state.should_stop = 0

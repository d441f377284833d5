"""Threads for jobs that wait for other machines, so that the other jobs are not delayed."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask

from quire.declare.job_registry import Job, handlers_of
from quire.errors import Unavailable
from quire.jobs.runner import CapturedErrors, attempt, run_job
from quire.store.events.outbox import wake_worker

logger = logging.getLogger("quire.jobs")

STOP_SECONDS = 20.0
"""How long a stopping process waits for running jobs."""
MAX_SIDE_THREADS = 8
"""The maximum number of jobs per process that wait for other machines, such as slow receivers of webhooks."""


class SideThreads:
    """Threads for jobs that wait for other machines.

    When MAX_SIDE_THREADS are busy, such a job runs in the thread that has claimed it.
    """

    def __init__(self, app: Flask):
        self._app = app
        self._room = threading.BoundedSemaphore(MAX_SIDE_THREADS)
        self._threads: set[threading.Thread] = set()

    def attempt(self, job: Job) -> Job | None:
        """Run a claimed job here or in a thread; return the job if it succeeded and has yet to be marked as done."""
        waits = any(one.waits for one in handlers_of(job.event))
        if not (waits and self._room.acquire(blocking=False)):
            return attempt(job)
        thread = threading.Thread(target=self._run, args=(job,), name="side job", daemon=True)
        self._threads.add(thread)
        thread.start()
        return None

    def _run(self, job: Job) -> None:
        with logged_errors(), self._app.app_context():
            run_job(job)
        self._room.release()
        self._threads.discard(threading.current_thread())
        wake_worker.set()  # it may have left work that is due immediately

    def join(self, end: float) -> None:
        """Wait for all of them until `end`, a time of the monotonic clock."""
        for one in list(self._threads):
            one.join(max(0.0, end - time.monotonic()))


@contextmanager
def logged_errors() -> Iterator[None]:
    """Log errors raised inside the block, such as those of an unreachable database."""
    with CapturedErrors() as captured:
        yield
    # an unreachable database is logged in its own line
    if captured.error is not None and not isinstance(captured.error, Unavailable):
        logger.error("Jobs could not be looked after", exc_info=captured.error)

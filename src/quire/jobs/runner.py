"""Runs a job once, or several together, and reports the outcome to the queue."""

import logging
import time
from collections.abc import Callable
from types import TracebackType

from quire.declare.job_registry import (
    LEASE_SECONDS,
    SCHEDULE,
    Handler,
    Job,
    PermanentFailure,
    Reschedule,
    batch_handlers_of,
    handlers_of,
)
from quire.errors import Unavailable
from quire.monitoring.counters import JOBS_RUN, count
from quire.monitoring.logs import log_job
from quire.monitoring.request_id import following
from quire.store.db import transaction
from quire.store.events import queue

logger = logging.getLogger("quire.jobs")

FIRST_DELAY = 10
MAX_DELAY = 6 * 3600
BATCH = 50
"""Jobs run together: fewer than take 25 ms, the longest that one writer should delay others."""
MAX_ATTEMPTS = 10
"""With pauses that triple, the last attempt is some fifteen hours after the first."""


class CapturedErrors:
    """Stores an error raised inside the block in `error`, so that the worker continues."""

    error: Exception | None = None

    def __enter__(self) -> "CapturedErrors":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> bool:
        if isinstance(error, Exception):
            self.error = error
        return self.error is not None


def run_batch(event: str) -> bool:
    """Run the next jobs of an event together if its handlers support that; return whether there were any.

    One transaction locks them, runs them and marks them as done. If it fails, each is run separately.
    """
    handlers, jobs, began = batch_handlers_of(event), list[Job](), time.monotonic()
    if not handlers:
        return False
    with CapturedErrors() as captured, transaction():
        jobs += queue.lock_batch(event, BATCH)
        for handle in handlers if jobs else ():
            handle(jobs)
        queue.mark_batch_done(jobs)
    if captured.error is not None:
        _run_each(jobs, captured.error)
        return bool(jobs)
    seconds = (time.monotonic() - began) / max(len(jobs), 1)
    for job in jobs:
        with following(job.request_id):
            _note(job, 1, "done", seconds)
    return bool(jobs)


def _run_each(jobs: list[Job], error: Exception) -> None:
    logger.warning("%d jobs failed together, each is tried by itself: %s", len(jobs), error)
    for job in jobs:
        claimed = queue.claim_dispatched(job.id, job.attempts)
        if claimed is not None:
            run_job(claimed)


def attempt(job: Job) -> Job | None:
    """Run a claimed job as `run_job` does; return the job if it succeeded and has yet to be marked as done."""
    with following(job.request_id):
        began = time.monotonic()
        job = _extend(job)
        result = _attempt(job)
        _note(job, job.attempts, result, time.monotonic() - began)
    return job if result == "done" and job.event not in SCHEDULE else None


def run_job(job: Job, attempt: Callable[[Job], Job | None] = attempt) -> None:
    """Run a claimed job with `attempt` and record the outcome, inside an application context."""
    done = attempt(job)
    if done is not None:
        queue.mark_done(done)


def _extend(job: Job) -> Job:
    longest = max((one.seconds for one in handlers_of(job.event)), default=LEASE_SECONDS)
    return job if longest == LEASE_SECONDS else queue.extend(job, longest)


def _note(job: Job, attempts: int, result: str, seconds: float) -> None:
    name = job.event if handlers_of(job.event) else "none"  # left by an older version
    count(JOBS_RUN, name, result)
    log_job(job.id, job.event, attempts, result, seconds)


def _attempt(job: Job) -> str:
    """Make an attempt; return done, more (the rest follows later), retry or failed."""
    handlers = handlers_of(job.event)
    finished = list(job.data.get("done", ()))
    with CapturedErrors() as captured:
        _run_handler(handlers, job, finished)
    if captured.error is None:
        if job.event in SCHEDULE:
            queue.reschedule(job, SCHEDULE[job.event].seconds)
        return "done"
    if isinstance(captured.error, Reschedule):
        queue.reschedule(job, 0)
        return "more"
    return _record_failure(job, captured.error, finished)


def _run_handler(handlers: list[Handler], job: Job, finished: list[str]) -> None:
    if not handlers:
        raise PermanentFailure("Nobody handles this.")
    for one in handlers:
        if one.name not in finished:
            one.run(job)
            finished.append(one.name)


def _record_failure(job: Job, error: Exception, finished: list[str]) -> str:
    reason = (
        str(error) if isinstance(error, PermanentFailure) else f"{type(error).__name__}: {error}"
    )
    lasting = isinstance(error, PermanentFailure) or job.attempts >= MAX_ATTEMPTS
    if lasting and job.event not in SCHEDULE:
        logger.error(
            "Job %d (%s) is given up: %s", job.id, job.event, reason, exc_info=_trace(error)
        )
        queue.fail(job, reason)
        return "failed"
    seconds = retry_delay(job.attempts)
    logger.warning(
        "Job %d (%s) failed, next try in %d s: %s", job.id, job.event, seconds, reason,
        exc_info=_trace(error),
    )  # fmt: skip
    queue.postpone(job, seconds, reason, finished)
    return "retry"


def _trace(error: Exception) -> Exception | None:
    """Failures outside this program need no traceback."""
    return None if isinstance(error, OSError | PermanentFailure | Unavailable) else error


def retry_delay(attempts: int) -> int:
    """Return the seconds until the next attempt."""
    return int(min(FIRST_DELAY * 3 ** min(attempts - 1, 20), MAX_DELAY))

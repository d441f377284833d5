"""One attempt at a job: whoever handles it is called, and the queue is told what came of it."""

import logging
from types import TracebackType

from quire.declare.jobs import LEASE_SECONDS, SCHEDULE, Handler, Hopeless, Job, handlers
from quire.store import queue

logger = logging.getLogger("quire.jobs")

FIRST_PAUSE = 10
LONGEST_PAUSE = 6 * 3600
MOST_ATTEMPTS = 10
"""With pauses that triple, the last one is some fifteen hours after the first."""


class Caught:
    """What goes wrong inside the block is kept in `error`; the worker goes on, as a server does
    after a bad request."""

    error: Exception | None = None

    def __enter__(self) -> "Caught":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> bool:
        if isinstance(error, Exception):
            self.error = error
        return self.error is not None


def attempt(job: Job) -> None:
    """Do a claimed job, inside an application context."""
    found = handlers(job.event)
    longest = max((one.seconds for one in found), default=0)
    if longest > LEASE_SECONDS:
        job = queue.extend(job, longest)
    finished = list(job.data.get("done", ()))
    with Caught() as caught:
        _call(found, job, finished)
    if caught.error is None:
        _done(job)
    else:
        _failed(job, caught.error, finished)


def _call(found: list[Handler], job: Job, finished: list[str]) -> None:
    if not found:
        raise Hopeless("Nobody handles this.")
    for one in found:
        if one.name not in finished:
            one.run(job)
            finished.append(one.name)


def _done(job: Job) -> None:
    if job.event in SCHEDULE:
        queue.again(job, SCHEDULE[job.event].seconds)
    else:
        queue.done(job)


def _failed(job: Job, error: Exception, finished: list[str]) -> None:
    said = str(error) if isinstance(error, Hopeless) else f"{type(error).__name__}: {error}"
    lasting = isinstance(error, Hopeless) or job.attempts >= MOST_ATTEMPTS
    if lasting and job.event not in SCHEDULE:
        logger.error("Job %d (%s) is given up: %s", job.id, job.event, said, exc_info=_trace(error))
        queue.fail(job, said)
        return
    seconds = pause(job.attempts)
    logger.warning(
        "Job %d (%s) failed, next try in %d s: %s", job.id, job.event, seconds, said,
        exc_info=_trace(error),
    )  # fmt: skip
    queue.postpone(job, seconds, said, finished)


def _trace(error: Exception) -> Exception | None:
    """What goes wrong outside of this program needs no traceback."""
    return None if isinstance(error, OSError | Hopeless) else error


def pause(attempts: int) -> int:
    """Seconds until the next attempt."""
    return int(min(FIRST_PAUSE * 3 ** min(attempts - 1, 20), LONGEST_PAUSE))

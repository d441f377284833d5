"""Registers the functions that handle events after a change, and those that run periodically.

    @on_event("media.created")
    def make_variants(job: Job) -> None: ...

    @on_event_batch("comments.created")
    def notify(jobs: list[Job]) -> None: ...

    @periodic(86_400)
    def empty_trash() -> None: ...

A job runs at least once: a handler must cope with being called again with the same `job.id`. After
an error it is retried later, after `PermanentFailure` never; long work raises `Reschedule`, so that
other jobs run in between.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

HandlerFunction = TypeVar("HandlerFunction", bound="Callable[[Job], object]")
BatchFunction = TypeVar("BatchFunction", bound="Callable[[list[Job]], object]")
TaskFunction = TypeVar("TaskFunction", bound=Callable[[], object])

LEASE_SECONDS = 600
"""How long a job may take before it counts as lost and another worker retries it."""
PERIODIC = "every"
"""The type of the events of periodic tasks."""


class PermanentFailure(Exception):
    """A job that cannot succeed, however often it is retried; the text says why."""


class Reschedule(Exception):
    """Not a failure: part of a job is done, and the rest follows after the jobs that are waiting."""


@dataclass(frozen=True)
class Job:
    """An event that a worker has claimed until `until`.

    `id` is the same for each attempt, `record_id` and `version` identify the record, `data` contains more,
    `attempts` includes this one, `request_id` is that of the request that caused it.
    """

    id: int
    event: str
    record_id: int
    version: int | None
    data: dict[str, Any]
    attempts: int
    until: datetime
    request_id: str | None = None

    @property
    def kind(self) -> str:
        """The part of the event's name after the type: `reset` in `mail.reset`."""
        return self.event.partition(".")[2]


@dataclass(frozen=True)
class Handler:
    """A function that handles jobs, the seconds it may take, and the delay before it starts.

    `waits` if it mostly waits for other machines, `title` says what it does. `run_batch` handles several jobs
    together, if that is possible.
    """

    run: Callable[[Job], object]
    seconds: int
    delay: int = 0
    waits: bool = False
    title: str = ""
    run_batch: Callable[[list[Job]], object] | None = None

    @property
    def name(self) -> str:
        """The name in the outbox."""
        return getattr(self.run_batch or self.run, "__name__", "")


@dataclass(frozen=True)
class PeriodicTask:
    """A function called at an interval; with `per_process`, also when a process stops, or `at_start` instead."""

    run: Callable[[], object]
    seconds: float
    at_start: bool = False


HANDLERS: dict[str, list[Handler]] = {}
"""The handlers by event (`posts.created`) or by type (`posts`)."""
SCHEDULE: dict[str, PeriodicTask] = {}
"""The tasks that run once for the whole installation, by their event."""
PER_PROCESS: list[PeriodicTask] = []
"""The tasks that each server process runs for itself, such as storing what it has counted."""


def on_event(
    *names: str,
    seconds: int = LEASE_SECONDS,
    after: int = 0,
    waits: bool = False,
    title: str = "",
) -> Callable[[HandlerFunction], HandlerFunction]:
    """Call the decorated function for each event with one of these names, or of these types.

    It runs after the commit, in a worker, inside an application context. `seconds` is the longest it may take,
    after which another worker tries; `after` is a delay, for changes that are often undone or repeated soon. Jobs
    that mostly wait for other machines pass `waits`, and run beside the others. `title` tells people what is done,
    such as "Send an email".
    """

    def register(run: HandlerFunction) -> HandlerFunction:
        for name in names:
            HANDLERS.setdefault(name, []).append(Handler(run, seconds, after, waits, title))
        return run

    return register


def on_event_batch(
    *names: str, after: int = 0, title: str = ""
) -> Callable[[BatchFunction], BatchFunction]:
    """Call the decorated function with several jobs of one of these events, as `on_event` does with one.

    It may only write to our database, in the transaction that marks the jobs as done, so that either all of that
    happens or nothing. After an error it is called again with one job at a time.
    """

    def register(run: BatchFunction) -> BatchFunction:
        handler = Handler(lambda job: run([job]), LEASE_SECONDS, after, title=title, run_batch=run)
        for name in names:
            HANDLERS.setdefault(name, []).append(handler)
        return run

    return register


def periodic(
    seconds: float,
    *,
    per_process: bool = False,
    at_start: bool = False,
    lease: int = LEASE_SECONDS,
    waits: bool = False,
    title: str = "",
) -> Callable[[TaskFunction], TaskFunction]:
    """Call the decorated function at an interval in seconds, inside an application context.

    By default it runs once per installation, whatever the number of processes; there it may take `lease` seconds,
    and `waits` means the same as for handlers. With `per_process` it runs in each process that serves, and once
    more when that stops, or `at_start` instead.
    """

    def register(run: TaskFunction) -> TaskFunction:
        if per_process:
            PER_PROCESS.append(PeriodicTask(run, seconds, at_start))
            return run
        event = f"{PERIODIC}.{getattr(run, '__name__', '')}"
        SCHEDULE[event] = PeriodicTask(run, seconds)
        HANDLERS[event] = [Handler(lambda _: run(), lease, waits=waits, title=title)]
        return run

    return register


def handlers_of(event: str) -> list[Handler]:
    """Return all handlers of an event."""
    return [*HANDLERS.get(event, ()), *HANDLERS.get(event.partition(".")[0], ())]


def batch_handlers_of(event: str) -> list[Callable[[list[Job]], object]]:
    """Return the functions that handle jobs of an event together; none unless all its handlers can."""
    handlers = handlers_of(event)
    functions = [one.run_batch for one in handlers if one.run_batch is not None]
    return functions if len(functions) == len(handlers) else []


def job_titles(event: str) -> list[str]:
    """Return what is done about an event, in words; the event itself if it has no handler any more."""
    titles = [one.title for one in handlers_of(event) if one.title]
    return list(dict.fromkeys(titles)) or [event]


def delay_of(event: str) -> int | None:
    """Return the seconds from an event to its job; None if it has no handler."""
    return min((one.delay for one in handlers_of(event)), default=None)

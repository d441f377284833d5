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
    """A job cannot succeed, however often it is retried; the text says why."""


class Reschedule(Exception):
    """Not a failure: part of a job is done, and the rest follows after the jobs that are waiting."""


@dataclass(frozen=True)
class Job:
    """An event that a worker has claimed until `until`.

    `id` is the same at each attempt, `record_id` and `version` are what the event is about, `data`
    holds more, `attempts` counts this one too, `request_id` is that of the request it follows from.
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
        """The part of the event after its type: `reset` of `mail.reset`."""
        return self.event.partition(".")[2]


@dataclass(frozen=True)
class Handler:
    """A function that handles jobs, the seconds it may take, and the delay before it starts.

    `waits` if it spends its time waiting for other machines, `title` says what it does. `run_batch`
    handles several jobs together, where it can.
    """

    run: Callable[[Job], object]
    seconds: int
    delay: int = 0
    waits: bool = False
    title: str = ""
    run_batch: Callable[[list[Job]], object] | None = None

    @property
    def name(self) -> str:
        """Its name in the outbox."""
        return getattr(self.run_batch or self.run, "__name__", "")


@dataclass(frozen=True)
class PeriodicTask:
    """A function that is called every so many seconds; by a process when it stops, or else `at_start`."""

    run: Callable[[], object]
    seconds: float
    at_start: bool = False


HANDLERS: dict[str, list[Handler]] = {}
"""The handlers by event (`posts.created`) or by type (`posts`)."""
SCHEDULE: dict[str, PeriodicTask] = {}
"""The tasks that run once for the whole installation, by the event that stands for them."""
PER_PROCESS: list[PeriodicTask] = []
"""The tasks that each server process runs for itself, such as storing what it has counted."""


def on_event(
    *names: str,
    seconds: int = LEASE_SECONDS,
    after: int = 0,
    waits: bool = False,
    title: str = "",
) -> Callable[[HandlerFunction], HandlerFunction]:
    """Call the function below for each event of these names, or of these types.

    It runs after the commit, in a worker, inside an application context. `seconds` is the longest it
    may take, after which another worker tries; `after` how long to wait, for what is often undone or
    changed at once. Jobs that spend their time waiting for other machines say `waits`: they run
    beside the others. `title` says to people what is done, such as "Send an email".
    """

    def register(run: HandlerFunction) -> HandlerFunction:
        for name in names:
            HANDLERS.setdefault(name, []).append(Handler(run, seconds, after, waits, title))
        return run

    return register


def on_event_batch(
    *names: str, after: int = 0, title: str = ""
) -> Callable[[BatchFunction], BatchFunction]:
    """Call the function below with several jobs of one of these events, as `on_event` does with one.

    It only writes to our database, and joins the transaction that marks the jobs done: either all of
    that happens or nothing. After an error it is called again with one job at a time.
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
    """Call the function below every so many seconds, inside an application context.

    Once for the installation, whatever the number of its processes, where it may take `lease` seconds,
    and `waits` as a handler may; or `per_process` that serves, and once more when it stops, or
    `at_start` instead.
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
    """All handlers of an event."""
    return [*HANDLERS.get(event, ()), *HANDLERS.get(event.partition(".")[0], ())]


def batch_handlers_of(event: str) -> list[Callable[[list[Job]], object]]:
    """What handles jobs of an event together; nothing unless all its handlers can."""
    handlers = handlers_of(event)
    functions = [one.run_batch for one in handlers if one.run_batch is not None]
    return functions if len(functions) == len(handlers) else []


def job_titles(event: str) -> list[str]:
    """What is done about an event, in words; the event itself where nobody handles it any more."""
    titles = [one.title for one in handlers_of(event) if one.title]
    return list(dict.fromkeys(titles)) or [event]


def delay_of(event: str) -> int | None:
    """Seconds from an event to its job; None when it has no handler."""
    return min((one.delay for one in handlers_of(event)), default=None)

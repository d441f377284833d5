"""Jobs: what is done after the change that causes it, or now and then; who does it says so here.

    @on_event("media.created")
    def make_variants(job: Job) -> None: ...

    @periodic(86_400)
    def empty_trash() -> None: ...

A job is done at least once: whoever handles it must bear being called again with the same `job.id`.
An error lets it be tried again later, `PermanentFailure` never; `Reschedule` is how long work lets others in between.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

HandlerFunction = TypeVar("HandlerFunction", bound="Callable[[Job], object]")
TaskFunction = TypeVar("TaskFunction", bound=Callable[[], object])

LEASE_SECONDS = 600
"""How long a job may take, before it is taken for lost and somebody else may try."""
PERIODIC = "every"
"""The type of rows for what is done now and then."""


class PermanentFailure(Exception):
    """A job cannot be done, however often it is tried; the text says why."""


class Reschedule(Exception):
    """No failure: a part of a job is done, and the next may follow, after the jobs that wait."""


@dataclass(frozen=True)
class Job:
    """An event that somebody has claimed until `until`.

    `id` is the same at each attempt, `record_id` and `version` are what the event is about, `data`
    holds more, `attempts` counts this one too.
    """

    id: int
    event: str
    record_id: int
    version: int | None
    data: dict[str, Any]
    attempts: int
    until: datetime

    @property
    def kind(self) -> str:
        """The part of the event after its type: `reset` of `mail.reset`."""
        return self.event.partition(".")[2]


@dataclass(frozen=True)
class Handler:
    """A function for jobs, the seconds that it may take, and those before it starts."""

    run: Callable[[Job], object]
    seconds: int
    delay: int = 0

    @property
    def name(self) -> str:
        """What it is called in the outbox."""
        return getattr(self.run, "__name__", "")


@dataclass(frozen=True)
class PeriodicTask:
    """A function that is called every so many seconds."""

    run: Callable[[], object]
    seconds: float


HANDLERS: dict[str, list[Handler]] = {}
"""Who handles what, by event (`posts.created`) or by type (`posts`)."""
SCHEDULE: dict[str, PeriodicTask] = {}
"""What is done now and then, once for the whole installation, by the event that stands for it."""
PER_PROCESS: list[PeriodicTask] = []
"""What each server process does now and then by itself, such as writing down what it has counted."""


def on_event(
    *names: str, seconds: int = LEASE_SECONDS, after: int = 0
) -> Callable[[HandlerFunction], HandlerFunction]:
    """Call the function below for each event of these names, or of these types.

    It runs after the commit, in a worker, inside an application context. `seconds` is the longest it
    may take, after which somebody else tries; `after` how long to wait, for what is often undone or
    changed at once.
    """

    def keep(run: HandlerFunction) -> HandlerFunction:
        for name in names:
            HANDLERS.setdefault(name, []).append(Handler(run, seconds, after))
        return run

    return keep


def periodic(
    seconds: float, *, per_process: bool = False
) -> Callable[[TaskFunction], TaskFunction]:
    """Call the function below every so many seconds, inside an application context.

    Once for the installation, whatever the number of its processes; or `per_process` that
    serves, and once more when it stops.
    """

    def keep(run: TaskFunction) -> TaskFunction:
        if per_process:
            PER_PROCESS.append(PeriodicTask(run, seconds))
            return run
        event = f"{PERIODIC}.{getattr(run, '__name__', '')}"
        SCHEDULE[event] = PeriodicTask(run, seconds)
        HANDLERS[event] = [Handler(lambda _: run(), LEASE_SECONDS)]
        return run

    return keep


def handlers_of(event: str) -> list[Handler]:
    """All who handle an event."""
    return [*HANDLERS.get(event, ()), *HANDLERS.get(event.partition(".")[0], ())]


def delay_of(event: str) -> int | None:
    """Seconds from an event to its job; None when nobody handles it."""
    return min((one.delay for one in handlers_of(event)), default=None)

"""Jobs: what is done after the change that causes it, or now and then; who does it says so here.

    @handles("media.created")
    def make_variants(job: Job) -> None: ...

    @every(86_400)
    def empty_trash() -> None: ...

A job is done at least once: whoever handles it must bear being called again with the same `job.id`.
An error lets it be tried again later, `Hopeless` never.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

Handling = TypeVar("Handling", bound="Callable[[Job], object]")
Called = TypeVar("Called", bound=Callable[[], object])

LEASE_SECONDS = 600
"""How long a job may take, before it is taken for lost and somebody else may try."""
PERIODIC = "every"
"""The type of rows for what is done now and then."""


class Hopeless(Exception):
    """A job cannot be done, however often it is tried; the text says why."""


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
    after: int = 0

    @property
    def name(self) -> str:
        """What it is called in the outbox."""
        return getattr(self.run, "__name__", "")


@dataclass(frozen=True)
class Periodic:
    """A function that is called every so many seconds."""

    run: Callable[[], object]
    seconds: float


HANDLERS: dict[str, list[Handler]] = {}
"""Who handles what, by event (`posts.created`) or by type (`posts`)."""
SCHEDULE: dict[str, Periodic] = {}
"""What is done now and then, once for the whole installation, by the event that stands for it."""
IN_EACH_PROCESS: list[Periodic] = []
"""What each server process does now and then by itself, such as writing down what it has counted."""


def handles(
    *names: str, seconds: int = LEASE_SECONDS, after: int = 0
) -> Callable[[Handling], Handling]:
    """Call the function below for each event of these names, or of these types.

    It runs after the commit, in a worker, inside an application context. `seconds` is the longest it
    may take, `after` how long to wait, for what is often undone or changed at once.
    """

    def keep(run: Handling) -> Handling:
        for name in names:
            HANDLERS.setdefault(name, []).append(Handler(run, seconds, after))
        return run

    return keep


def every(seconds: float, *, in_each_process: bool = False) -> Callable[[Called], Called]:
    """Call the function below every so many seconds, inside an application context.

    Once for the installation, whatever the number of its processes; or `in_each_process` that
    serves, and once more when it stops.
    """

    def keep(run: Called) -> Called:
        if in_each_process:
            IN_EACH_PROCESS.append(Periodic(run, seconds))
            return run
        event = f"{PERIODIC}.{getattr(run, '__name__', '')}"
        SCHEDULE[event] = Periodic(run, seconds)
        HANDLERS[event] = [Handler(lambda _: run(), LEASE_SECONDS)]
        return run

    return keep


def handlers(event: str) -> list[Handler]:
    """All who handle an event."""
    return [*HANDLERS.get(event, ()), *HANDLERS.get(event.partition(".")[0], ())]


def delay(event: str) -> int | None:
    """Seconds from an event to its job; None when nobody handles it."""
    return min((one.after for one in handlers(event)), default=None)

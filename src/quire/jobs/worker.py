"""The worker: threads in the server process that run jobs as soon as they are due."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module

from flask import Flask

from quire.declare.job_registry import (
    PER_PROCESS,
    SCHEDULE,
    Job,
    PeriodicTask,
    batch_handlers_of,
)
from quire.jobs.runner import attempt, run_batch
from quire.jobs.side_threads import STOP_SECONDS, SideThreads, logged_errors
from quire.store.db import transaction
from quire.store.events import queue
from quire.store.events.outbox import wake_worker
from quire.store.instance_locks import serving

LOOK_SECONDS = 3.0
"""How often to poll for jobs of other processes and for retries."""
WORKER = "quire.worker"
"""The key of an application's worker threads."""


def run_due_jobs(
    stopping: threading.Event | None = None, run: Callable[[Job], Job | None] = attempt
) -> None:
    """Run all jobs that are due now, with `run` those that are not batched, until `stopping` is set."""
    while (event := _next_event(stopping)) is not None:
        if not (run_batch(event) or _run_one_by_one(stopping, run)):
            return


def _next_event(stopping: threading.Event | None) -> str | None:
    return None if stopping is not None and stopping.is_set() else queue.next_event()


def _run_one_by_one(stopping: threading.Event | None, run: Callable[[Job], Job | None]) -> bool:
    """Claim and run jobs until the next one can be batched; return whether there were any."""
    job = first = queue.claim()
    while job is not None:
        done = run(job)
        job = None if done is None else _mark_done_and_claim(done, stopping)
    return first is not None


def _mark_done_and_claim(done: Job, stopping: threading.Event | None) -> Job | None:
    """Mark a job as done, and claim the next one in the same transaction."""
    with transaction():
        queue.mark_done(done)
        event = _next_event(stopping)
        return None if event is None or batch_handlers_of(event) else queue.claim()


def is_working(app: Flask) -> bool:
    """Return whether workers are running in this process."""
    return WORKER in app.extensions


def job_threads(app: Flask) -> int:
    """Return how many threads of this process run jobs: 0 without a worker."""
    return sum(one.is_alive() for one in app.extensions.get(WORKER, ())[1:])


@contextmanager
def running_workers(app: Flask, threads: int | None = None) -> Iterator[None]:
    """Run workers for as long as the block lasts; they finish what they are doing at its end.

    `threads` run jobs, by default as many as are configured; with a broker, they dispatch them to it. One more does
    the periodic work of each process.
    """
    stopping, count = threading.Event(), app.config["JOB_THREADS"] if threads is None else threads
    side_threads = SideThreads(app)
    tasks: list[Callable[..., None]] = [_run_periodic, *[partial(_work, side_threads)] * count]
    crew = [
        threading.Thread(target=target, args=(app, stopping), name="jobs", daemon=True)
        for target in tasks
    ]
    with serving(app.config):
        for one in crew:
            one.start()
        app.extensions[WORKER] = crew
        try:
            yield
        finally:
            del app.extensions[WORKER]
            stopping.set()
            wake_worker.set()
            end = time.monotonic() + STOP_SECONDS
            for one in crew:
                one.join(max(0.0, end - time.monotonic()))
            side_threads.join(end)


def _work(side_threads: SideThreads, app: Flask, stopping: threading.Event) -> None:
    work: Callable[[threading.Event], None] = partial(run_due_jobs, run=side_threads.attempt)
    if app.config["CELERY_BROKER_URL"]:  # Celery is slow to import
        work = import_module("quire.jobs.celery").Dispatcher(app).run_due_jobs
    while not stopping.is_set():
        wake_worker.clear()
        with logged_errors(), app.app_context():
            work(stopping)
        if not stopping.is_set():
            wake_worker.wait(LOOK_SECONDS)


def _run_periodic(app: Flask, stopping: threading.Event) -> None:
    """Do the periodic work of a process when it is due, and store what remains at the end."""
    begin = time.monotonic()
    times = [(begin if one.at_start else begin + one.seconds, one) for one in PER_PROCESS]
    with logged_errors(), app.app_context():
        queue.schedule(SCHEDULE)
    while times and not stopping.is_set():
        times.sort(key=lambda one: one[0])
        moment, first = times[0]
        if not stopping.wait(max(0.0, moment - time.monotonic())):
            _call(app, first)
            times[0] = (time.monotonic() + first.seconds, first)
    for one in PER_PROCESS:
        if not one.at_start:
            _call(app, one)


def _call(app: Flask, periodic: PeriodicTask) -> None:
    with logged_errors(), app.app_context():
        periodic.run()

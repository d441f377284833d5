"""The worker: threads beside the server that run jobs as soon as they are due."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

from flask import Flask

from quire.declare.job_registry import PER_PROCESS, SCHEDULE, PeriodicTask
from quire.errors import Unavailable
from quire.jobs.runner import CapturedErrors, run_job
from quire.store import queue
from quire.store.outbox import wake_worker

logger = logging.getLogger("quire.jobs")

LOOK_SECONDS = 3.0
"""How often to look for jobs of other processes, and for jobs that are due again."""
STOP_SECONDS = 20.0
"""How long a stopping server waits for the jobs that are being done."""
WORKER = "quire.worker"
"""Where an application names the threads that work beside it."""


def run_due_jobs(stopping: threading.Event | None = None) -> None:
    """Do all jobs that are due now, until `stopping` is set."""
    while stopping is None or not stopping.is_set():
        job = queue.claim()
        if job is None:
            return
        run_job(job)


def is_working(app: Flask) -> bool:
    """Whether workers run in this process."""
    return WORKER in app.extensions


@contextmanager
def running_workers(app: Flask, threads: int | None = None) -> Iterator[None]:
    """Workers as long as the block lasts; what they are doing at the end, they finish.

    `threads` do jobs, as many as are set where none are given; where there is a broker, they pass
    them on to it. One more does what each process has to do now and then.
    """
    stopping, count = threading.Event(), app.config["JOB_THREADS"] if threads is None else threads
    crew = [
        threading.Thread(target=target, args=(app, stopping), name="jobs", daemon=True)
        for target in [_run_periodic, *[_work] * count]
    ]
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


def _work(app: Flask, stopping: threading.Event) -> None:
    work = run_due_jobs
    if app.config["CELERY_BROKER_URL"]:  # Celery takes long to load, so only here
        work = import_module("quire.jobs.celery").Dispatcher(app).run_due_jobs
    while not stopping.is_set():
        wake_worker.clear()
        with _logged_errors(), app.app_context():
            work(stopping)
        if not stopping.is_set():
            wake_worker.wait(LOOK_SECONDS)


def _run_periodic(app: Flask, stopping: threading.Event) -> None:
    """Do what each process has to do, each thing when it is time, and all of it at the end."""
    times = [(time.monotonic() + one.seconds, one) for one in PER_PROCESS]
    with _logged_errors(), app.app_context():
        queue.schedule(SCHEDULE)
    while times and not stopping.is_set():
        times.sort(key=lambda one: one[0])
        moment, first = times[0]
        if not stopping.wait(max(0.0, moment - time.monotonic())):
            _call(app, first)
            times[0] = (time.monotonic() + first.seconds, first)
    for one in PER_PROCESS:
        _call(app, one)


def _call(app: Flask, periodic: PeriodicTask) -> None:
    with _logged_errors(), app.app_context():
        periodic.run()


@contextmanager
def _logged_errors() -> Iterator[None]:
    """What fails in here, such as a look into a database that is away, is logged."""
    with CapturedErrors() as caught:
        yield
    # of a database that is away its own line tells
    if caught.error is not None and not isinstance(caught.error, Unavailable):
        logger.error("Jobs could not be looked after", exc_info=caught.error)

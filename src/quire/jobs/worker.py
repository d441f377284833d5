"""The worker: threads beside the server that do what is owed, at once or when it is due."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

from flask import Flask

from quire.declare.jobs import IN_EACH_PROCESS, SCHEDULE, Periodic
from quire.jobs.attempt import Caught, attempt
from quire.store import queue
from quire.store.outbox import owed_here

logger = logging.getLogger("quire.jobs")

LOOK_SECONDS = 3.0
"""How often to look for what other processes owe, and for what is due again."""
STOP_SECONDS = 20.0
"""How long a stopping server waits for the jobs that are being done."""


def work_off(stopping: threading.Event | None = None) -> None:
    """Do all jobs that are due now, until `stopping` is set."""
    while stopping is None or not stopping.is_set():
        job = queue.claim()
        if job is None:
            return
        attempt(job)


@contextmanager
def working(app: Flask, threads: int | None = None) -> Iterator[None]:
    """Workers as long as the block lasts; what they are doing at the end, they finish.

    `threads` do jobs, as many as are set where none are given; where there is a broker, they pass
    them on to it. One more does what each process has to do now and then.
    """
    stopping, count = threading.Event(), app.config["JOB_THREADS"] if threads is None else threads
    crew = [
        threading.Thread(target=target, args=(app, stopping), name="jobs", daemon=True)
        for target in [_beat, *[_work] * count]
    ]
    for one in crew:
        one.start()
    try:
        yield
    finally:
        stopping.set()
        owed_here.set()
        end = time.monotonic() + STOP_SECONDS
        for one in crew:
            one.join(max(0.0, end - time.monotonic()))


def _work(app: Flask, stopping: threading.Event) -> None:
    work = work_off
    if app.config["CELERY_BROKER_URL"]:  # Celery takes long to load, so only here
        work = import_module("quire.jobs.broker").Relay(app).work_off
    while not stopping.is_set():
        owed_here.clear()
        with _unharmed(), app.app_context():
            work(stopping)
        if not stopping.is_set():
            owed_here.wait(LOOK_SECONDS)


def _beat(app: Flask, stopping: threading.Event) -> None:
    """Do what each process has to do, each thing when it is time, and all of it at the end."""
    times = [(time.monotonic() + one.seconds, one) for one in IN_EACH_PROCESS]
    with _unharmed(), app.app_context():
        queue.schedule(SCHEDULE)
    while times and not stopping.is_set():
        times.sort(key=lambda one: one[0])
        moment, first = times[0]
        if not stopping.wait(max(0.0, moment - time.monotonic())):
            _call(app, first)
            times[0] = (time.monotonic() + first.seconds, first)
    for one in IN_EACH_PROCESS:
        _call(app, one)


def _call(app: Flask, periodic: Periodic) -> None:
    with _unharmed(), app.app_context():
        periodic.run()


@contextmanager
def _unharmed() -> Iterator[None]:
    """What fails in here, such as a look into a database that is away, is logged."""
    with Caught() as caught:
        yield
    if caught.error is not None:
        logger.error("Jobs could not be looked after", exc_info=caught.error)

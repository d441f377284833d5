"""`manage.py worker`: runs jobs in a process of their own, with or without a broker."""

import signal
import sys
import threading
from contextlib import suppress
from importlib import import_module

import click
from flask import Flask
from flask.cli import ScriptInfo, pass_script_info

from quire.cli.context import with_database
from quire.jobs.worker import running_workers
from quire.monitoring import logs

SIGNALS = ("SIGTERM", "SIGINT", "SIGBREAK")
READY = "Quire's worker is ready."


@click.command()
@click.option(
    "--concurrency",
    default=2,
    show_default=True,
    type=click.IntRange(1, 64),
    help="Number of jobs to run at once.",
)
@with_database
@pass_script_info
def worker(info: ScriptInfo, concurrency: int) -> None:
    """Run jobs until SIGTERM, Ctrl-C or Ctrl-Break; jobs in progress are finished first."""
    app = info.load_app()
    logs.configure(app.config)
    if not app.config["CELERY_BROKER_URL"]:
        _run_without_broker(app, concurrency)
        return
    celery = import_module("quire.jobs.celery")
    with running_workers(app, 1):  # which dispatches jobs even if no server is running
        click.echo(READY)
        with suppress(
            KeyboardInterrupt
        ):  # Celery handles Ctrl-C only once it is connected to its broker
            sys.exit(celery.serve(app, concurrency))


def _run_without_broker(app: Flask, concurrency: int) -> None:
    stopping = threading.Event()
    for name in SIGNALS:
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: stopping.set())
    with running_workers(app, concurrency):
        click.echo(READY)
        while not stopping.wait(0.5):  # without a timeout, Windows would not deliver signals
            pass

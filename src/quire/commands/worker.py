"""`manage.py worker`: jobs in a process of their own, with or without a broker."""

import signal
import sys
import threading
from importlib import import_module

import click
from flask import Flask
from flask.cli import ScriptInfo, pass_script_info

from quire.commands import with_database
from quire.jobs.worker import working

SIGNALS = ("SIGTERM", "SIGINT", "SIGBREAK")
READY = "Quire's worker is ready."


@click.command()
@click.option(
    "--concurrency", default=2, show_default=True, type=click.IntRange(1, 64), help="Jobs at once."
)
@with_database
@pass_script_info
def worker(info: ScriptInfo, concurrency: int) -> None:
    """Do jobs until SIGTERM, Ctrl-C or Ctrl-Break; what is being done then is finished."""
    app = info.load_app()
    if not app.config["CELERY_BROKER_URL"]:
        _alone(app, concurrency)
        return
    with working(app, 1):  # which passes on, also where no server runs
        click.echo(READY)
        sys.exit(import_module("quire.jobs.broker").serve(app, concurrency))


def _alone(app: Flask, concurrency: int) -> None:
    stopping = threading.Event()
    for name in SIGNALS:
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: stopping.set())
    with working(app, concurrency):
        click.echo(READY)
        while not stopping.wait(0.5):  # without an end, Windows would let no signal through
            pass

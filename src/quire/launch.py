"""What serve.py does: make ready what a first start finds missing, serve, stop in good order."""

import gc
import logging
import signal
import socket
import sys
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import click
from flask import Flask

from quire.access import setup
from quire.app import create_app
from quire.errors import Problem
from quire.fleet import Build, Fleet
from quire.jobs.worker import working
from quire.safety import Unfit, Unsafe, refuse_open_bind
from quire.schema import prepare
from quire.seeding import demonstrate
from quire.server import Server
from quire.sockets import bind, url
from quire.uploads import most_bytes

SIGNALS = ("SIGTERM", "SIGINT", "SIGBREAK")
OVER_FLASK = 16 * 1024
"""Bytes that waitress takes beyond Flask's limit, so that Flask is the one who refuses."""


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535))
@click.option("--threads", type=click.IntRange(1, 64), help="Requests at once in a process.")
@click.option("--processes", default=1, show_default=True, type=click.IntRange(1, 64))
@click.option("--demo", is_flag=True, help="Fill an empty installation with sample content.")
def serve(host: str, port: int, threads: int | None, processes: int, demo: bool) -> None:
    """Serve Quire until SIGTERM, Ctrl-C or Ctrl-Break."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    app = make(threads)
    refuse_open_bind(app.config, host)
    with _bound(host, port) as sock:
        address = url(host, sock)
        with app.app_context():
            prepare()
            words = welcome(address, demo)
        if processes == 1:
            sys.exit(_alone(app, address, sock, words))
        sys.exit(_together(partial(build, threads, address), sock, processes, words))


def main() -> None:
    """Run `serve`. Always ends in SystemExit: 0 stopped on request, 1 refused, 2 wrong usage."""
    try:
        serve.main(prog_name="serve.py")
    except (Unfit, Problem) as refusal:
        click.echo(f"Error: {refusal}", err=True)
        sys.exit(1)


def make(threads: int | None) -> Flask:
    """The application as it is served. Raises Unsafe."""
    app = create_app(None, {"THREADS": threads} if threads else None)
    if app.debug:
        raise Unsafe("Debugging is for `flask --app quire run --debug` only; unset FLASK_DEBUG.")
    gc.freeze()  # what a start has loaded lasts: no collection needs to look at it again
    gc.enable()
    return app


def build(
    threads: int | None, address: str
) -> tuple[Flask, dict[str, Any], AbstractContextManager[None]]:
    """What one of several processes serves, the server's options, and what works beside it."""
    app = make(threads)
    return app, options(app), beside(app, address)


def beside(app: Flask, address: str) -> AbstractContextManager[None]:
    """What works beside a server that listens at `address`: it sends mail."""
    app.config["LOCAL_URL"] = address.rstrip("/")
    return working(app)


def options(app: Flask) -> dict[str, Any]:
    """Settings in the words of the server."""
    limits: dict[str, Any] = {
        "threads": app.config["THREADS"],
        "one_processor": app.config["ONE_PROCESSOR"],
        "max_request_body_size": app.config["MAX_CONTENT_LENGTH"] + OVER_FLASK,
        "max_upload": most_bytes(app.config) + OVER_FLASK,
    }
    if proxy := app.config["TRUSTED_PROXY"]:
        headers = {"x-forwarded-for", "x-forwarded-proto"}
        limits |= {"trusted_proxy": proxy, "trusted_proxy_headers": headers}
    return limits


def welcome(address: str, demo: bool) -> str:
    """What a person at the console needs to know, now and for a first start."""
    words = [f"Quire is ready at {address}"]
    if demo and setup.needed():
        email, password = demonstrate()
        words.append(f"Sign in as {email} with the password {password} (shown only now).")
    if setup.needed():
        words.append(f"Create the first administrator: {address}auth/setup/{setup.offer()}")
    else:
        setup.close()
    return "\n".join(words)


def _bound(host: str, port: int) -> socket.socket:
    try:
        return bind(host, port)
    except OSError as error:
        raise Unfit(f"Cannot listen on {host}, port {port}: {error.strerror or error}.") from None


def _alone(app: Flask, address: str, sock: socket.socket, words: str) -> int:
    server = Server(app, sock, **options(app))
    _stop_on_signals(server)
    click.echo(words)
    with beside(app, address):
        return 0 if server.run() else 1


def _together(build: Build, sock: socket.socket, count: int, words: str) -> int:
    fleet = Fleet(build, sock, count)
    _stop_on_signals(fleet)
    return fleet.run(lambda: click.echo(words))


def _stop_on_signals(server: Server | Fleet) -> None:
    for name in SIGNALS:
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: server.stop())

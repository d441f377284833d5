"""The entry point of serve.py: prepares what the first start needs, serves, and stops cleanly."""

import gc
import signal
import socket
import sys
from contextlib import AbstractContextManager
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import click
from flask import Flask

from quire.app import create_app
from quire.auth import first_admin
from quire.config.running_servers import ServerFiles, registered
from quire.config.startup_errors import exit_with_one_line
from quire.config.validation import StartupError, UnsafeConfig, require_public_url
from quire.config.version import VERSION
from quire.jobs.worker import running_workers
from quire.monitoring import logs
from quire.serving.memory_pool import share_memory_pool
from quire.serving.server import Server
from quire.serving.sockets import bind, url
from quire.serving.supervisor import Build, Supervisor
from quire.store.migrations import prepare_database
from quire.web.body_limits import max_body_bytes

SIGNALS = ("SIGTERM", "SIGINT", "SIGBREAK")
NEW_OBJECTS = 10_000
"""The number of new objects after which the garbage collector runs: after 700, most of them are still in use."""
OVER_FLASK = 16 * 1024
"""Bytes that waitress accepts beyond Flask's limit, so that Flask refuses the request."""


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535))
@click.option(
    "--threads",
    type=click.IntRange(1, 64),
    help="Requests handled at the same time by each process.",
)
@click.option("--processes", default=1, show_default=True, type=click.IntRange(1, 64))
@click.option("--demo", is_flag=True, help="Fill an empty installation with sample content.")
@click.version_option(VERSION, message="Quire %(version)s")
def serve(host: str, port: int, threads: int | None, processes: int, demo: bool) -> None:
    """Serve Quire until SIGTERM, Ctrl-C or Ctrl-Break."""
    app = create_served_app(threads)
    require_public_url(app.config, host)
    with _listen(host, port) as sock:
        address = url(host, sock)
        with app.app_context():
            prepare_database()
            words = welcome_text(address, demo)
        build = partial(build_process, threads, host, address)
        with registered(Path(app.config["QUIRE_INSTANCE"]), address) as files:
            if processes == 1:
                sys.exit(_run_one(app, address, sock, words, build, files))
            sys.exit(_run_several(build, sock, processes, words, files))


def main() -> None:
    """Run `serve`. Always raises SystemExit: 0 after a requested stop, 1 after an error, 2 for wrong usage."""
    with exit_with_one_line():
        serve.main(prog_name="serve.py")


def create_served_app(threads: int | None) -> Flask:
    """Create the application that is served. Raises UnsafeConfig."""
    share_memory_pool()
    app = create_app(None, {"THREADS": threads} if threads else None)
    if app.testing:
        raise UnsafeConfig(
            "QUIRE_ENV=testing is for tests only: it stores nothing and checks little. Use "
            "QUIRE_ENV=production, or do not set it."
        )
    if app.debug:
        raise UnsafeConfig(
            "Debug mode is only for `flask --app quire run --debug`. Unset FLASK_DEBUG."
        )
    logs.configure(app.config)
    gc.freeze()  # a full collection of everything loaded at startup would delay requests by 170 ms
    gc.set_threshold(NEW_OBJECTS)
    gc.enable()
    return app


def build_process(
    threads: int | None, host: str, address: str
) -> tuple[Flask, dict[str, Any], AbstractContextManager[None]]:
    """Create what one of several processes serves: the application, the server's options, and its services.

    Raises StartupError if code, settings and database do not match; they may have changed since the parent started.
    """
    app = create_served_app(threads)
    require_public_url(app.config, host)
    with app.app_context():
        prepare_database()
    return app, server_options(app), start_background(app, address)


def start_background(app: Flask, address: str) -> AbstractContextManager[None]:
    """Start the services beside a server that listens at `address`: the worker and others."""
    app.config["LOCAL_URL"] = address.rstrip("/")
    return running_workers(app)


def server_options(app: Flask) -> dict[str, Any]:
    """Return the settings as options of the server."""
    return {
        "clear_untrusted_proxy_headers": False,  # the application does it, under any server
        "threads": app.config["THREADS"],
        "one_processor": app.config["ONE_PROCESSOR"],
        "cors_origins": app.config["CORS_ORIGINS"],
        "max_request_body_size": app.config["MAX_CONTENT_LENGTH"] + OVER_FLASK,
        "max_upload": max_body_bytes(app.config) + OVER_FLASK,
        "trusted_proxy": app.config["TRUSTED_PROXY"],
    }


def welcome_text(address: str, demo: bool) -> str:
    """Return what a person at the console needs to know, now and after a first start."""
    words = [f"Quire is ready at {address}"]
    if demo:
        words.append(_demo_text())
    if first_admin.is_needed():
        words.append(
            f"Create the first administrator: {address}auth/setup/{first_admin.create_token()}"
        )
    else:
        first_admin.delete_token()
    return "\n".join(words)


def _demo_text() -> str:
    """Fill an empty installation and return how to sign in; leave any other as it is."""
    if not first_admin.is_needed():
        return "No sample content added: there is an administrator already."
    email, password = import_module("quire.exchange.demo").create_demo()
    return f"Sign in as {email} with the password {password} (shown only now)."


def _listen(host: str, port: int) -> socket.socket:
    try:
        return bind(host, port)
    except OSError as error:
        raise StartupError(
            f"Cannot listen on {host}, port {port}: {error.strerror or error}."
        ) from None


def _run_one(
    app: Flask, address: str, sock: socket.socket, words: str, build: Build, files: ServerFiles
) -> int:
    """Serve in this process; after a restart, supervise the process that replaces it."""
    server = Server(app, sock, **server_options(app))
    supervisor = Supervisor(build, sock, 1, files, server)
    _handle_signals(supervisor)
    click.echo(words)
    return supervisor.run_own(start_background(app, address))


def _run_several(
    build: Build, sock: socket.socket, count: int, words: str, files: ServerFiles
) -> int:
    fleet = Supervisor(build, sock, count, files)
    _handle_signals(fleet)
    return fleet.run(lambda: click.echo(words))


def _handle_signals(supervisor: Supervisor) -> None:
    for name in SIGNALS:
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: supervisor.stop())
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, lambda *_: supervisor.restart())

"""`manage.py restart`: replaces the server processes with new ones without refusing a request."""

import secrets
import time
from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext

from quire.config.running_servers import ServerFiles, running_servers
from quire.config.validation import StartupError

LOOK_SECONDS = 0.1
NO_SERVER = (
    "No server that serve.py has started runs on {}. Restart another WSGI server by its own means "
    "(gunicorn: kill -HUP <pid>), and `flask run` by hand."
)


@click.command()
@click.option(
    "--timeout",
    default=150,
    show_default=True,
    type=click.IntRange(1, 3600),
    help="Seconds to wait for the new processes.",
)
@with_appcontext
def restart(timeout: int) -> None:
    """Start new processes with the current code and settings, then let the old ones finish."""
    instance = Path(current_app.config["QUIRE_INSTANCE"])
    servers = [
        (one, one.address) for one in running_servers(instance)
    ]  # which removes its files too
    if not servers:
        raise StartupError(NO_SERVER.format(instance))
    id = secrets.token_hex(8)
    for server, _ in servers:
        server.request_restart(id)
    end = time.monotonic() + timeout
    problems = [words for one in servers if (words := _problem(*one, id, end))]
    if problems:
        raise StartupError(" ".join(problems))


def _problem(server: ServerFiles, address: str, id: str, end: float) -> str | None:
    """Return why the restart failed, or None once the server has restarted."""
    while (response := server.take_response(id)) is None:
        if time.monotonic() > end:
            return f"{address} has not responded in time; its log says more."
        if not server.is_running():
            return f"{address} has stopped."
        time.sleep(LOOK_SECONDS)
    if response["problem"]:
        return f"{address} goes on with its old processes. {response['problem']}"
    click.echo(f"{address} has restarted.")
    return None

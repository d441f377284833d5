"""`manage.py maintenance`: closes the site to everyone but administrators, and opens it again."""

import click

from quire.actor import SYSTEM
from quire.cli.context import with_database
from quire.config.validation import StartupError
from quire.declare.clock import rfc3339
from quire.store.maintenance_mode import (
    LONGEST_MESSAGE,
    Maintenance,
    begin_maintenance,
    current_maintenance,
    end_maintenance,
)


@click.group()
def maintenance() -> None:
    """Close the site for maintenance, and open it again."""


@maintenance.command("on")
@click.argument("message", default="")
@with_database
def turn_on(message: str) -> None:
    """Answer 503 to everyone but administrators; visitors see MESSAGE."""
    text = " ".join(message.split())
    if len(text) > LONGEST_MESSAGE:
        raise StartupError(f"The message is longer than {LONGEST_MESSAGE} characters.")
    click.echo(_in_words(begin_maintenance(SYSTEM, text)))


@maintenance.command("off")
@with_database
def turn_off() -> None:
    """Open the site again."""
    click.echo("Maintenance is off." if end_maintenance(SYSTEM) else "Maintenance was not on.")


@maintenance.command("status")
@with_database
def status() -> None:
    """Print whether maintenance is on, since when, and the message."""
    current = current_maintenance()
    click.echo("Maintenance is off." if current is None else _in_words(current))


def _in_words(current: Maintenance) -> str:
    words = f"Maintenance is on since {rfc3339(current.since)}"
    return f"{words}: {current.message}" if current.message else f"{words}."

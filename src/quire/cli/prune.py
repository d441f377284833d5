"""`manage.py prune`: runs the daily maintenance now."""

import click

from quire.cli.context import with_database
from quire.jobs import maintenance


@click.command()
@with_database
def prune() -> None:
    """Delete old trash, revisions and expired data; print how many of each were deleted."""
    for words, count in maintenance.prune().items():
        click.echo(f"{count:>7}  {words}")

"""`manage.py prune`: runs the daily maintenance now."""

import click

from quire.cli.context import with_database
from quire.jobs import maintenance


@click.command()
@with_database
def prune() -> None:
    """Empty the trash, thin revisions, forget what has ended; says how many of each went."""
    for words, count in maintenance.prune().items():
        click.echo(f"{count:>7}  {words}")

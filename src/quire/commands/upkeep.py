"""`manage.py prune`: the upkeep that a worker does once a day, now."""

import click

from quire.commands import with_database
from quire.jobs import upkeep


@click.command()
@with_database
def prune() -> None:
    """Empty the trash, thin revisions, forget what has ended; says how many of each went."""
    for words, count in upkeep.prune().items():
        click.echo(f"{count:>7}  {words}")

"""`manage.py import`: content from elsewhere."""

import sys
from collections.abc import Callable
from pathlib import Path

import click

from quire.commands import progress, with_database
from quire.exchange import markdown, wordpress
from quire.exchange.items import Report

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
author_option = click.option(
    "--author",
    metavar="USERNAME",
    help="Who wrote what names nobody; else the first administrator.",
)
dry_option = click.option("--dry-run", is_flag=True, help="Say what would be done and do nothing.")


@click.group()
def imports() -> None:
    """Bring content in; run again, it updates what has changed."""


@imports.command("markdown")
@click.argument("folder", metavar="DIR", type=FOLDER)
@author_option
@dry_option
@with_database
def import_markdown(folder: Path, author: str | None, dry_run: bool) -> None:
    """Import a folder of Markdown files (Jekyll, Hugo, Zola)."""
    run(markdown.load, folder, author, dry_run)


@imports.command("wordpress")
@click.argument("file", type=FILE)
@author_option
@dry_option
@with_database
def import_wordpress(file: Path, author: str | None, dry_run: bool) -> None:
    """Import a WordPress export (WXR)."""
    run(wordpress.load, file, author, dry_run)


def run(load: Callable[..., Report], source: Path, author: str | None, dry_run: bool) -> None:
    """Import, print the report. Ends with status 1 when nothing was usable."""
    with progress("Importing", 1) as bar:

        def show(done: int, total: int) -> None:
            bar.length = max(total, 1)
            bar.update(done - bar.pos)

        report = load(source, author=author, dry_run=dry_run, progress=show)
    click.echo(str(report))
    if not report.usable:
        click.echo("Error: nothing here could be imported.", err=True)
        sys.exit(1)

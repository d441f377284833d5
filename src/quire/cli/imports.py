"""`manage.py import`: content from elsewhere."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from quire.cli.context import progress_meter, with_database
from quire.exchange.archive import merge
from quire.exchange.ghost.load import load_ghost
from quire.exchange.markdown import reader
from quire.exchange.model import ImportReport
from quire.exchange.tables import command
from quire.exchange.wordpress.load import load_wordpress
from quire.store.engine import update_statistics

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
author_option = click.option(
    "--author",
    metavar="USERNAME",
    help="Author of content that names none (default: the first administrator).",
)
dry_option = click.option(
    "--dry-run", is_flag=True, help="Show what would be imported without changing anything."
)


@click.group()
def imports() -> None:
    """Import content. Run the command again to import what has changed since."""


@imports.command("markdown")
@click.argument("folder", metavar="DIR", type=FOLDER)
@author_option
@dry_option
@with_database
def import_markdown(folder: Path, author: str | None, dry_run: bool) -> None:
    """Import a folder of Markdown files (Jekyll, Hugo, Zola)."""
    run(reader.load, folder, dry_run, author=author)


@imports.command("wordpress")
@click.argument("file", type=FILE)
@author_option
@dry_option
@with_database
def import_wordpress(file: Path, author: str | None, dry_run: bool) -> None:
    """Import a WordPress export (WXR)."""
    run(load_wordpress, file, dry_run, author=author)


@imports.command("ghost")
@click.argument("file", type=FILE)
@author_option
@click.option("--url", metavar="URL", default="", help="Address of the blog, to find its images.")
@dry_option
@with_database
def import_ghost(file: Path, author: str | None, url: str, dry_run: bool) -> None:
    """Import a Ghost export (JSON)."""
    run(load_ghost, file, dry_run, author=author, url=url)


@imports.command("json")
@click.argument("file", type=FILE)
@dry_option
@with_database
def import_json(file: Path, dry_run: bool) -> None:
    """Import a file written by `manage.py export`."""
    run(merge.load, file, dry_run)


@imports.command("csv")
@click.argument("type", metavar="TYPE")
@click.argument("file", type=FILE)
@author_option
@dry_option
@with_database
def import_csv(type: str, file: Path, author: str | None, dry_run: bool) -> None:
    """Import a CSV file with one record of TYPE (such as posts) per row."""
    run(command.load, file, dry_run, kind="csv", path=type, author=author)


@imports.command("xlsx")
@click.argument("type", metavar="TYPE")
@click.argument("file", type=FILE)
@author_option
@dry_option
@with_database
def import_xlsx(type: str, file: Path, author: str | None, dry_run: bool) -> None:
    """Import the first sheet of a workbook with one record of TYPE per row."""
    run(command.load, file, dry_run, kind="xlsx", path=type, author=author)


def run(load: Callable[..., ImportReport], source: Path, dry_run: bool, **more: Any) -> None:
    """Import, and print the report; exit with status 1 if nothing could be imported."""
    with progress_meter("Importing") as show:
        report = load(source, dry_run=dry_run, progress=show, **more)
    if not dry_run:
        update_statistics()
    click.echo(str(report))
    if not report.has_content:
        click.echo("Error: nothing here could be imported.", err=True)
        sys.exit(1)

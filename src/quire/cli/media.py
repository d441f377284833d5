"""`manage.py media`: moves uploaded files from the folder to the bucket and back."""

import sys

import click
from flask import current_app

from quire.actor import SYSTEM
from quire.cli.context import progress_meter, with_database
from quire.config.validation import StartupError
from quire.store import audit
from quire.store.files.local import local_storage
from quire.store.files.relocate import RelocationReport, relocate
from quire.store.files.s3 import s3_storage


@click.group()
def media() -> None:
    """Manage uploaded files."""


@media.command("move")
@click.option(
    "--to", required=True, type=click.Choice(["bucket", "folder"]), help="Where to move the files."
)
@with_database
def move_files(to: str) -> None:
    """Move uploaded files between the folder and the bucket; this can be interrupted and run again."""
    if not current_app.config["S3_BUCKET"]:
        raise StartupError("S3_BUCKET is not set, so there is no bucket.")
    near, far = local_storage(), s3_storage()
    try:
        with progress_meter("Moving") as show:
            moved = relocate(near, far, show) if to == "bucket" else relocate(far, near, show)
    except OSError as error:
        raise StartupError(f"Stopped. Run the command again to continue: {error}") from None
    audit.record_event(SYSTEM, "move", "files", None, to, str(moved.count))
    _show_report(moved, far.name if to == "bucket" else f"folder {near.root}")


def _show_report(moved: RelocationReport, where: str) -> None:
    files = "1 file" if moved.count == 1 else f"{moved.count:,} files"
    click.echo(f"Moved {files} ({moved.size:,} bytes) to the {where}.")
    if moved.existing:
        click.echo(f"{moved.existing:,} of them were already there.")
    for name in moved.differing:
        click.echo(f"{name} is a different file there. It was left alone in both places.", err=True)
    if moved.differing:
        sys.exit(1)

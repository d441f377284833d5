"""`manage.py media`: uploaded files, from the folder into the bucket and back."""

import sys

import click
from flask import current_app

from quire.actor import SYSTEM
from quire.commands import meter, with_database
from quire.safety import Unfit
from quire.store import audit
from quire.store.blobs import folder
from quire.store.bucket import bucket
from quire.store.moving import Moved, move


@click.group()
def media() -> None:
    """Look after uploaded files."""


@media.command("move")
@click.option("--to", required=True, type=click.Choice(["bucket", "folder"]), help="Where to.")
@with_database
def move_files(to: str) -> None:
    """Move uploaded files between the folder and the bucket; may be interrupted and run again."""
    if not current_app.config["S3_BUCKET"]:
        raise Unfit("S3_BUCKET is not set, so there is no bucket.")
    near, far = folder(), bucket()
    try:
        with meter("Moving") as show:
            moved = move(near, far, show) if to == "bucket" else move(far, near, show)
    except OSError as error:
        raise Unfit(f"Stopped, run it again to go on: {error}") from None
    audit.note(SYSTEM, "move", "files", None, to, str(moved.count))
    _tell(moved, far.name if to == "bucket" else f"folder {near.root}")


def _tell(moved: Moved, where: str) -> None:
    files = "1 file" if moved.count == 1 else f"{moved.count:,} files"
    click.echo(f"Moved {files} ({moved.size:,} bytes) to the {where}.")
    if moved.known:
        click.echo(f"{moved.known:,} of them were there already.")
    for name in moved.differing:
        click.echo(f"{name} is another file there: left alone in both places.", err=True)
    if moved.differing:
        sys.exit(1)

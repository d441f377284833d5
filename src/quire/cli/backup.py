"""`manage.py backup` and `manage.py restore`: database and files in one archive, and back."""

from pathlib import Path

import click
from flask.cli import with_appcontext

from quire.backup.manifest import Manifest
from quire.backup.restore import restore as restore_backup
from quire.backup.write import make_backup
from quire.cli.context import progress_meter

FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("file", type=FILE, required=False)
@with_appcontext
def backup(file: Path | None) -> None:
    """Write database and files to FILE, by default to a new file in the folder backups."""
    with progress_meter("Backing up") as show:
        made = make_backup(file, show)
    for name in made.missing:
        click.echo(f"Warning: {name} is missing: the database refers to it.", err=True)
    click.echo(f"Wrote {made.path} ({made.bytes:,} bytes, {made.files:,} files).")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_appcontext
def restore(file: Path, yes: bool) -> None:
    """Replace database and files by those in FILE; what they replace is kept beside them."""

    def confirm(manifest: Manifest) -> None:
        words = f"Replace database and files by those of {manifest.created_at}?"
        if not yes:
            click.confirm(words, abort=True, err=True)

    with progress_meter("Restoring") as show:
        done = restore_backup(file, confirm, show)
    click.echo(f"Restored the state of {done.manifest.created_at} ({done.added:,} files added).")
    if done.replaced is not None:
        click.echo(f"What was there before is in {done.replaced}")
    click.echo("All sessions have ended. Passwords, roles and API keys are those of the backup.")

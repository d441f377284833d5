"""`manage.py backup` and `manage.py restore`: saves database and files in one archive, and restores them."""

import sys
from collections.abc import Callable
from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext

from quire.backup.manifest import FILES, Manifest
from quire.backup.restore import restore_backup
from quire.backup.verify import verify_backup
from quire.backup.write import make_backup
from quire.cli.context import progress_meter
from quire.config.types import SHORTEST_PASSPHRASE
from quire.config.validation import StartupError

passphrase_option = click.option(
    "--passphrase-stdin", is_flag=True, help="Read the passphrase from standard input."
)


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), required=False)
@click.option("--encrypt", is_flag=True, help="Encrypt it with a passphrase.")
@click.option("--verify", is_flag=True, help="Verify the backup FILE instead of writing one.")
@passphrase_option
@with_appcontext
def backup(file: Path | None, encrypt: bool, verify: bool, passphrase_stdin: bool) -> None:
    """Write the database and files to FILE, by default a new file in the backups folder."""
    if verify:
        _verify(file, encrypt, passphrase_stdin)
        return
    passphrase = _new_passphrase(passphrase_stdin) if encrypt else None
    with progress_meter("Backing up") as show:
        backup = make_backup(file, passphrase, show)
    for name in backup.missing:
        click.echo(f"Warning: {name} is missing: the database refers to it.", err=True)
    click.echo(f"Wrote {backup.path} ({backup.bytes:,} bytes, {backup.files:,} files).")


def _verify(file: Path | None, encrypt: bool, passphrase_stdin: bool) -> None:
    if file is None or encrypt:
        raise click.UsageError("--verify takes the FILE of a backup, and no --encrypt.")
    with progress_meter("Verifying") as show:
        manifest = verify_backup(file, _passphrase(passphrase_stdin), show)
    files = sum(one.name.startswith(FILES) for one in manifest.files)
    rows = sum(manifest.tables.values())
    click.echo(
        f"{file} is complete: the state of {manifest.created_at}, {rows:,} rows, {files:,} files."
    )


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--yes", is_flag=True, help="Do not ask.")
@passphrase_option
@with_appcontext
def restore(file: Path, yes: bool, passphrase_stdin: bool) -> None:
    """Replace the database and files with those in FILE; the replaced ones are kept."""

    def confirm(manifest: Manifest) -> None:
        words = f"Replace database and files by those of {manifest.created_at}?"
        if not yes:
            click.confirm(words, abort=True, err=True)

    with progress_meter("Restoring") as show:
        done = restore_backup(file, _passphrase(passphrase_stdin), confirm, show)
    click.echo(f"Restored the state of {done.manifest.created_at} ({done.added:,} files added).")
    for place in done.replaced:
        click.echo(f"What was there before is in {place}")
    click.echo("All sessions have ended. Passwords, roles and API keys are those of the backup.")
    click.echo("What was waiting to be sent then, by email or to webhooks, is not sent again.")
    if not done.knows_key:
        click.echo(
            "Warning: the backup is of an installation with another secret key. Second factors and "
            "secrets of webhooks can be read only with its file secret_key.",
            err=True,
        )


def _passphrase(from_stdin: bool) -> Callable[[], str]:
    """Return a function that asks for a backup's passphrase when it is needed, unless one is configured."""

    def ask() -> str:
        if from_stdin:
            return sys.stdin.readline().rstrip("\r\n")
        return str(current_app.config["BACKUP_PASSPHRASE"]) or _prompt(confirm=False)

    return ask


def _new_passphrase(from_stdin: bool) -> str:
    if from_stdin:
        passphrase = sys.stdin.readline().rstrip("\r\n")
    else:
        passphrase = str(current_app.config["BACKUP_PASSPHRASE"]) or _prompt(confirm=True)
    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise StartupError(f"The passphrase needs at least {SHORTEST_PASSPHRASE} characters.")
    return passphrase


def _prompt(confirm: bool) -> str:
    return str(click.prompt("Passphrase", hide_input=True, confirmation_prompt=confirm, err=True))

"""`manage.py export`: all content in one file, for import elsewhere."""

from pathlib import Path

import click

from quire.actor import SYSTEM
from quire.cli.context import progress_meter, with_database
from quire.config.validation import StartupError
from quire.exchange.archive.export import write_archive
from quire.store import audit


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--with-passwords", is_flag=True, help="Include password hashes.")
@with_database
def export(file: Path, with_passwords: bool) -> None:
    """Write all content to FILE, a zip of NDJSON; `import json` reads it."""
    with progress_meter("Exporting") as show:
        try:
            size = write_archive(file, passwords=with_passwords, progress=show)
        except OSError as error:
            raise StartupError(f"Cannot write {file} ({error.strerror}).") from None
    audit.record_event(SYSTEM, "export", "archive", None, *["passwords"] * with_passwords)
    click.echo(f"Wrote {file} ({size:,} bytes).")

"""`manage.py export`: everything in one file, to be imported elsewhere."""

from pathlib import Path

import click

from quire.actor import SYSTEM
from quire.commands import meter, with_database
from quire.exchange import exporting
from quire.safety import Unfit
from quire.store import audit


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--with-passwords", is_flag=True, help="Take the hashes of passwords along.")
@with_database
def export(file: Path, with_passwords: bool) -> None:
    """Write all content to FILE, a zip of NDJSON; `import json` reads it."""
    with meter("Exporting") as show:
        try:
            size = exporting.write(file, passwords=with_passwords, progress=show)
        except OSError as error:
            raise Unfit(f"{file} cannot be written ({error.strerror}).") from None
    audit.note(SYSTEM, "export", "archive", None, *["passwords"] * with_passwords)
    click.echo(f"Wrote {file} ({size:,} bytes).")

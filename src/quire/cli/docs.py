"""`manage.py openapi` and `manage.py settings`: documents generated from the code."""

from pathlib import Path

import click
import orjson
from flask.cli import with_appcontext

from quire.api.openapi.document import document
from quire.config import docs
from quire.config.instance_folder import open_to_everybody


def document_text() -> str:
    """Return the OpenAPI document as JSON that people can read."""
    return orjson.dumps(document(), option=orjson.OPT_INDENT_2).decode() + "\n"


@click.command()
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@with_appcontext
def openapi(file: Path | None) -> None:
    """Write the OpenAPI document of the API to FILE, or print it."""
    text = document_text()
    if file is None:
        click.echo(text, nl=False)
        return
    is_new = not file.exists()
    file.write_text(text, encoding="utf-8", newline="\n")
    if is_new:
        open_to_everybody(file)


@click.command()
def settings() -> None:
    """Regenerate docs/settings.md and .env.example."""
    for path in docs.write():
        click.echo(path)

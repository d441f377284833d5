"""`manage.py openapi` and `manage.py settings`: texts that are made from the code."""

from pathlib import Path

import click
import orjson
from flask.cli import with_appcontext

from quire import settings_text
from quire.api.openapi import document


@click.command()
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@with_appcontext
def openapi(file: Path | None) -> None:
    """Write the OpenAPI document of the API to FILE, or print it."""
    text = orjson.dumps(document(), option=orjson.OPT_INDENT_2).decode() + "\n"
    if file is None:
        click.echo(text, nl=False)
    else:
        file.write_text(text, encoding="utf-8", newline="\n")


@click.command()
def settings() -> None:
    """Write docs/settings.md and .env.example anew."""
    for path in settings_text.write():
        click.echo(path)

"""`manage.py settings` and `manage.py openapi`: texts that are made from the code."""

import click

from quire import settings_text


@click.command(hidden=True)
def settings() -> None:
    """Write docs/settings.md and .env.example anew."""
    for path in settings_text.write():
        click.echo(path)

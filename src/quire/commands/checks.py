"""`manage.py check`: is this installation sound, and with --deploy, is it fit for others to see?"""

import os
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy import text

from quire.access import setup
from quire.schema import Mismatch, refuse, state
from quire.site.own_files import broken_templates
from quire.store.blobs import blobs
from quire.store.db import reading

Finding = str | None
"""What is wrong, None when all is well."""


@click.command()
@click.option("--deploy", is_flag=True, help="Also look at what matters when others may connect.")
@with_appcontext
def check(deploy: bool) -> None:
    """Look for what is wrong; status 1 when something is."""
    bad = 0
    for name, finding in findings(deploy):
        bad += finding is not None
        click.echo(f"ok   {name}" if finding is None else f"BAD  {name}: {finding}")
    if bad:
        click.echo(f"Error: {bad} of the checks failed.", err=True)
        sys.exit(1)


def findings(deploy: bool) -> Iterator[tuple[str, Finding]]:
    """Each check's name and finding; what needs the database is left out when it does not fit."""
    schema = _schema()
    yield "database version", schema
    if schema is None:
        for look in (_database, _administrator):
            yield _title(look), look()
    for look in (_secret, _templates, _files):
        yield _title(look), look()
    if deploy:
        for look in (_environment, _address, _mail):
            yield _title(look), look()


def _title(look: Callable[[], Finding]) -> str:
    return (look.__doc__ or "").rstrip(".")


def _schema() -> Finding:
    try:
        refuse(state())
    except Mismatch as mismatch:
        return str(mismatch)
    return None


def _database() -> Finding:
    """database file."""
    with reading() as connection:
        if connection.dialect.name != "sqlite":
            return None
        found = connection.execute(text("PRAGMA quick_check(1)")).scalar()
        if found != "ok":
            return str(found)
        lost = connection.execute(text("PRAGMA foreign_key_check")).first()
        return None if lost is None else f"a row of {lost[0]} refers to nothing in {lost[2]}"


def _administrator() -> Finding:
    """administrator."""
    return "there is none; run: manage.py users create" if setup.needed() else None


def _secret() -> Finding:
    """secrets are private."""
    path = Path(current_app.config["QUIRE_INSTANCE"]) / "secret_key"
    if os.name == "nt" or not path.exists():
        return None
    return f"others may read {path}" if stat.S_IMODE(path.stat().st_mode) & 0o077 else None


def _templates() -> Finding:
    """templates of one's own."""
    return "; ".join(broken_templates(current_app)) or None


def _files() -> Finding:
    """store of files."""
    return blobs().fault()


def _environment() -> Finding:
    """environment."""
    name = current_app.config["QUIRE_ENV"]
    return None if name == "production" else f"QUIRE_ENV is {name}, not production"


def _address() -> Finding:
    """public address."""
    config = current_app.config
    if not config["PUBLIC_URL"].startswith("https://"):
        return "PUBLIC_URL is not an https address: passwords would travel in the open"
    return None if config["TRUSTED_HOSTS"] else "TRUSTED_HOSTS is not set"


def _mail() -> Finding:
    """mail."""
    config = current_app.config
    if not config["MAIL_SERVER"]:
        return "MAIL_SERVER is not set: no mail leaves this machine"
    return None if config["MAIL_DEFAULT_SENDER"] else "MAIL_DEFAULT_SENDER is not set"

"""`manage.py check`: finds problems of an installation; with --deploy, of a public one."""

import os
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy import text

from quire.auth import first_admin
from quire.backup.folder import seconds_since_backup
from quire.config.instance_folder import open_paths
from quire.config.startup_errors import one_line
from quire.declare.clock import now
from quire.errors import Problem
from quire.site.overrides import broken_templates
from quire.store.db import read_connection
from quire.store.files.storage import file_storage
from quire.store.migrations import SchemaMismatch, database_revision, require_current
from quire.store.postgresql import missing_role_settings
from quire.store.queue_admin import oldest_due
from quire.web.hosts import is_served_host

Finding = str | None
"""The problem, None if there is none."""
JOBS_WAIT = timedelta(minutes=5)
"""How long a job may wait if a worker is running."""


@click.command()
@click.option("--deploy", is_flag=True, help="Also run the checks for a public deployment.")
@with_appcontext
def check(deploy: bool) -> None:
    """Check the installation for problems; exits with status 1 if there are any."""
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
    yield "database schema", schema
    if schema is None:
        yield from map(_check_result, (_database, _role_limits, _administrator, _jobs))
    yield from map(_check_result, (_private, _templates, _files))
    yield _backup()
    if deploy:
        yield from map(_check_result, (_environment, _address, _mail))


def _check_result(finding: Callable[[], Finding]) -> tuple[str, Finding]:
    """The name of a check and what it says; one that cannot be made has found something."""
    try:
        return _title(finding), finding()
    except Problem as problem:
        return _title(finding), one_line(problem)


def _title(finding: Callable[[], Finding]) -> str:
    return (finding.__doc__ or "").rstrip(".")


def _schema() -> Finding:
    try:
        require_current(database_revision())
    except SchemaMismatch as mismatch:
        return str(mismatch)
    return None


def _database() -> Finding:
    """database integrity."""
    with read_connection() as connection:
        if connection.dialect.name != "sqlite":
            return None
        answer = connection.execute(text("PRAGMA quick_check(1)")).scalar()
        if answer != "ok":
            return str(answer)
        lost = connection.execute(text("PRAGMA foreign_key_check")).first()
        return None if lost is None else f"a row in {lost[0]} refers to a missing row in {lost[2]}"


def _role_limits() -> Finding:
    """limits of the database role."""
    if not current_app.config["DATABASE_PGBOUNCER"]:
        return None
    with read_connection() as connection:
        missing = missing_role_settings(connection)
    if not missing:
        return None
    words = "; ".join(f"ALTER ROLE CURRENT_USER SET {name} = '{one}'" for name, one in missing)
    return f"behind PgBouncer, the role needs settings of its own. Run in psql: {words}"


def _administrator() -> Finding:
    """administrator."""
    return (
        "there is none. Create one with: manage.py users create"
        if first_admin.is_needed()
        else None
    )


def _jobs() -> Finding:
    """background jobs."""
    since = oldest_due()
    if since is None or now() - since < JOBS_WAIT:
        return None
    return f"jobs have been waiting since {since:%Y-%m-%d %H:%M} UTC. Start serve.py or manage.py worker"


def _private() -> Finding:
    """file permissions."""
    folder = Path(current_app.config["QUIRE_INSTANCE"])
    open_ones = [] if os.name == "nt" else list(open_paths(folder))
    return f"other users of this machine can read {open_ones[0]}" if open_ones else None


def _templates() -> Finding:
    """custom templates."""
    return "; ".join(broken_templates(current_app)) or None


def _files() -> Finding:
    """file storage."""
    return file_storage().fault()


def _backup() -> tuple[str, Finding]:
    """The newest backup and its age; whether it is too old for what is set."""
    every, age = current_app.config["BACKUP_EVERY"], seconds_since_backup()
    name = "newest backup: " + ("none" if age is None else f"{_duration(age)} ago")
    if not every or (age is not None and age <= 2 * every):
        return name, None
    return name, (
        f"one is due every {_duration(every)}. Is serve.py or manage.py worker running? Its log says why"
    )


def _duration(seconds: float) -> str:
    """Days, or hours, or minutes."""
    for unit, length in (("d", 86_400), ("h", 3600)):
        if seconds >= 2 * length:
            return f"{seconds // length:.0f} {unit}"
    return f"{seconds // 60:.0f} min"


def _environment() -> Finding:
    """environment."""
    name = current_app.config["QUIRE_ENV"]
    return None if name == "production" else f"QUIRE_ENV is {name}, not production"


def _address() -> Finding:
    """public address."""
    config = current_app.config
    if not config["PUBLIC_URL"].startswith("https://"):
        return "PUBLIC_URL is not an https address: passwords would be sent unencrypted"
    if not config["TRUSTED_HOSTS"]:
        return "TRUSTED_HOSTS is not set"
    if not is_served_host(urlsplit(config["PUBLIC_URL"]).netloc, config["TRUSTED_HOSTS"]):
        return "the host of PUBLIC_URL is not in TRUSTED_HOSTS: readers would be refused"
    return None


def _mail() -> Finding:
    """mail."""
    config = current_app.config
    if not config["MAIL_SERVER"]:
        return "MAIL_SERVER is not set: no email is sent"
    return None if config["MAIL_DEFAULT_SENDER"] else "MAIL_DEFAULT_SENDER is not set"

"""Whether the database fits the code: an empty one is made, an older or newer one is refused."""

import re
from functools import cache
from importlib import import_module
from pathlib import Path

from flask import current_app
from sqlalchemy import inspect, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError

from quire.config import ROOT
from quire.locks import locked
from quire.safety import Unfit
from quire.store.db import db

SCRIPTS = ROOT / "alembic_migrations"
_REVISION = re.compile(r"^(down_)?revision(?:: [^=]*)? = [\"'](\w+)[\"']", re.MULTILINE)


class Mismatch(Unfit):
    """The database does not fit this code; the text has the command that mends it."""


@cache
def revisions(folder: Path) -> tuple[str, frozenset[str]]:
    """The newest revision and all of them, read from the scripts without running Alembic."""
    found: set[str] = set()
    followed: set[str] = set()
    for script in sorted((folder / "versions").glob("*.py")):
        for down, name in _REVISION.findall(script.read_text(encoding="utf-8")):
            (followed if down else found).add(name)
    heads = found - followed
    if len(heads) != 1:
        raise Mismatch(f"{folder} has {len(heads)} newest revisions; it must have one.")
    return heads.pop(), frozenset(found)


def head() -> str:
    """The revision that this code needs."""
    return revisions(SCRIPTS)[0]


def current(connection: Connection) -> str | None:
    """The revision a database is at, "" when it is empty, None when no migration made it."""
    tables = set(inspect(connection).get_table_names())
    if "alembic_version" not in tables:
        return None if tables else ""
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or ""


def state() -> str | None:
    """`current` of this application's database. Raises Mismatch when it cannot be reached."""
    try:
        with db.engine.connect() as connection:
            return current(connection)
    except OperationalError as error:
        reason = str(error.orig).strip().partition("\n")[0]
        raise Mismatch(f"The database cannot be opened: {reason}") from None


def prepare() -> None:
    """Make the tables of an empty database; raises Mismatch when another one does not fit.

    Of many processes that find it empty at once, one migrates and the others wait.
    """
    found = state()
    if found == "":
        with locked(Path(current_app.config["QUIRE_INSTANCE"]) / "migrate.lock"):
            if state() == "":
                migrate()
        found = state()
    refuse(found)


def refuse(revision: str | None) -> None:
    """Raise Mismatch unless `revision` is the newest one."""
    newest, known = revisions(SCRIPTS)
    if revision is None:
        raise Mismatch(
            "The database has tables that no migration made. If they are of this version, run: "
            "manage.py db stamp head"
        )
    if revision == newest:
        return
    if revision in known or revision == "":
        raise Mismatch("The database is older than this code. Run: manage.py db upgrade")
    raise Mismatch(
        f"This code is too old for the database (revision {revision}). Install the version of "
        "Quire that made it, or restore a backup."
    )


def migrate() -> None:
    """Bring the database to the newest revision.

    Alembic is loaded only when it is needed: it would make every start a fifth of a second longer.
    """
    import_module("quire.migrations").upgrade()

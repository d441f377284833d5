"""Installations with content, and a console to run commands on them."""

import io
from contextlib import contextmanager

import pytest

from quire.actor import SYSTEM
from quire.app import create_app
from quire.auth import session_store
from quire.auth.accounts import Account
from quire.backup import age
from quire.cli import main
from quire.records import TAGS, USERS
from quire.records.media import upload
from quire.store import instance_locks
from quire.store.db import db, read_connection
from quire.store.files.receive import receive
from quire.store.files.storage import file_storage
from quire.store.write import create
from tests.cli.conftest import Console, instance, migrated  # noqa: F401
from tests.databases import on_postgresql

# its driver takes 4 MB of each process
collect_ignore = [] if on_postgresql() else ["test_postgresql.py"]
PDF = b"%PDF-1.7\n" + b"a small document " * 20


@contextmanager
def opened():
    """The application of the instance folder in the settings."""
    with main.application().app_context():
        try:
            yield
        finally:
            db.engine.dispose()


def store_file(content=PDF, name="paper.pdf"):
    """Store a document and return its record's state."""
    with receive(io.BytesIO(content), name) as received:
        return upload(SYSTEM, received, {}).state


def column(table, name):
    """Return all values of a column, by id."""
    with read_connection() as connection:
        rows = table.select().with_only_columns(table.c[name]).order_by(table.c.id)
        return list(connection.execute(rows).scalars())


def content_of(url):
    """Return the content of the stored file with that URL."""
    with file_storage().find(url.rpartition("/")[2]).open() as file:
        return file.read()


def tree(folder):
    """Return the content of all files in a folder, by name, without locks."""
    paths = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock"]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def fill():
    """Create a signed-in user, a tag and a document; return the state of the document's record."""
    raw = {"username": "ann", "email": "ann@example.org", "password": "correct horse 7"}
    ann = create(USERS, SYSTEM, raw | {"role": "admin"}).id
    session_store.create_session(Account(ann, "ann", "admin"), "token", "a secret", 3600)
    create(TAGS, SYSTEM, {"name": "before"})
    return store_file()


@pytest.fixture(autouse=True)
def _fast(monkeypatch):
    """Make keys of encrypted files cheap, and waiting for a lock short."""
    monkeypatch.setattr(age, "WORK", 8)
    monkeypatch.setattr(instance_locks, "PATIENCE", 0.05)


class ClosingConsole(Console):
    """A console whose commands leave no connection open, as processes of their own do."""

    def __call__(self, *arguments, given=""):
        apps = []

        def noted(name=None, config=None):
            apps.append(create_app(name, dict(config or {})))
            return apps[-1]

        with self.monkeypatch.context() as patch:
            patch.setattr(main, "bare_application", noted)
            answer = super().__call__(*arguments, given=given)
        for app in apps:
            with app.app_context():
                db.engine.dispose()
        return answer


@pytest.fixture
def console(capsys, monkeypatch, instance):  # noqa: F811
    """A console on a migrated instance."""
    return ClosingConsole(capsys, monkeypatch, instance)


@pytest.fixture
def filled(instance):  # noqa: F811
    """The folder of an installation with content."""
    with opened():
        fill()
    return instance


@pytest.fixture
def archive(filled, console, tmp_path):
    """A backup of it."""
    assert console("backup", tmp_path / "backup.zip")[0] == 0
    return tmp_path / "backup.zip"

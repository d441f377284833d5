"""What every test may ask for: an application with an empty database, people, clients."""

import os
import shutil
from pathlib import Path

import pytest

from quire.access import tokens
from quire.access.accounts import Account
from quire.actor import SYSTEM
from quire.app import create_app
from quire.records import USERS
from quire.store.db import db
from quire.store.write import create_many
from tests.api.client import Client
from tests.databases import POSTGRESQL, emptied

PASSWORD = "correct horse 7"
ROLES = {"root": "admin", "mod": "moderator", "ann": "author", "abe": "author", "bob": "member"}


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory):
    """A SQLite file with tables and nothing in them, to copy for each test."""
    path = tmp_path_factory.mktemp("template") / "empty.db"
    app = create_app("testing", {"DATABASE_URL": f"sqlite:///{path.as_posix()}"})
    with app.app_context():
        db.create_all()
        with db.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        db.engine.dispose()
    return path


@pytest.fixture
def make_app(empty_database: Path, tmp_path: Path):
    """`make_app(SETTING=value)`: an application on a database of its own."""
    made = []

    def make(**settings):
        url = os.environ.get(POSTGRESQL)
        if not url:
            path = tmp_path / f"test{len(made)}.db"
            shutil.copy(empty_database, path)
            url = f"sqlite:///{path.as_posix()}"
        app = create_app("testing", {"DATABASE_URL": url, **settings})
        app.test_client_class = Client
        emptied(app)
        made.append(app)
        return app

    yield make
    for app in made:
        with app.app_context():
            db.engine.dispose()


@pytest.fixture
def app(make_app):
    """The application in its testing configuration."""
    return make_app()


@pytest.fixture
def client(app):
    """A client that nobody has signed in with."""
    return app.test_client()


@pytest.fixture
def people(app):
    """One of each role by name: their Accounts, which all have the password PASSWORD."""
    return enrol(app)


@pytest.fixture
def as_(app, people):
    """`as_("ann")`: a client with her token; `as_(None)`: an anonymous one."""
    return lambda name: signed_in(app, people[name] if name else None)


def enrol(app, names=ROLES):
    """Make users; returns their Accounts by name."""
    raws = [
        {"username": n, "email": f"{n}@example.org", "password": PASSWORD, "role": ROLES[n]}
        for n in names
    ]
    with app.app_context():
        made = create_many(USERS, SYSTEM, raws)
    return {
        raw["username"]: Account(saved.id, raw["username"], raw["role"], True, 0)
        for raw, saved in zip(raws, made, strict=True)
    }


def signed_in(app, account):
    """A client that carries the token of `account`."""
    client = app.test_client()
    if account is not None:
        with app.app_context():
            token = tokens.issue(account)["access_token"]
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        client.account = account
    return client

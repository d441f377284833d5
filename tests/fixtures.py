"""The fixtures of all tests: an application with users, and a client for each of them."""

import gc
import sqlite3
from datetime import UTC, datetime, timedelta
from itertools import count
from unittest.mock import patch

import pytest
from sqlalchemy import event

from quire.app import create_app
from quire.declare import clock
from quire.jobs.worker import run_due_jobs
from quire.records import COMMENTS
from quire.store import cache, data_versions, database_state
from quire.store.db import db
from tests import clocks, garbage, parallel  # noqa: F401 - separates the services of each process
from tests.api.client import Client
from tests.databases import Database
from tests.memory_pool import return_large_blocks
from tests.templates import CompiledTemplates
from tests.users import enrol, maker, signed_in

COMPATIBLE_APIS = {"COMPAT_JSON_SERVER": True, "COMPAT_GHOST": True}
"""Off by default; open in tests, so that what is tried at every address is tried there too."""
COMPILED_TEMPLATES = CompiledTemplates()
"""All applications of a process have the same templates, and each would compile them anew."""


def pytest_configure(config):
    """Let a process take no more memory than it uses."""
    return_large_blocks()


def pytest_collection_finish(session):
    """Exempt what a run has loaded from garbage collection, which would otherwise take half of its time."""
    garbage.freeze()
    # each application that a test creates is a reference cycle of 40,000 objects
    gc.set_threshold(20_000, 10, 3)


def pytest_runtest_logfinish():
    """Collect the garbage of a test after its report, so that the process stays small."""
    garbage.collect_if_grown()


@pytest.fixture(scope="session")
def database(tmp_path_factory):
    """The database of the tests' applications."""
    return Database(tmp_path_factory.mktemp("database"))


@pytest.fixture(scope="session")
def one_app(database):
    """The application that most tests share, each with fresh tables, and its users."""
    app = application(database.settings())
    database.apps.append(app)
    database.prepare(app)
    with clocks.an_hour_ago():
        people = enrol(app)
    database.keep(app)
    garbage.freeze()
    yield app, people
    _close(app)


@pytest.fixture(scope="session")
def one_guarded_app(one_app, database):
    """Another application, which requires our CSRF token, as all do outside of tests."""
    app = application({**database.settings(), "WTF_CSRF_ENABLED": True})
    database.apps.append(app)
    yield app
    _close(app)


@pytest.fixture
def guarded(app, one_guarded_app):
    """An application that requires our CSRF token in forms and sessions, on the same tables and users."""
    return one_guarded_app


@pytest.fixture
def app(one_app, database):
    """The application in its testing configuration, with nothing but the users."""
    database.restore(one_app[0])
    return one_app[0]


@pytest.fixture
def people(app, one_app):
    """One of each role and a second author: Accounts by name, all with the password PASSWORD."""
    return one_app[1]


@pytest.fixture
def client(app):
    """An anonymous client."""
    return app.test_client()


@pytest.fixture
def as_(app, people):
    """`as_("ann")`: a client with her token; `as_(None)`: an anonymous one."""
    return lambda name: signed_in(app, people[name] if name else None)


@pytest.fixture
def make(app):
    """`make(POSTS, title="x", ...)` creates a record as the program and returns its id."""
    return maker(app)


@pytest.fixture
def comment(make, people, content):
    """`comment("bob", body="Hi")`: a comment on the live post of the folder's `content`, approved by default."""

    def add(author=None, **more):
        id = people[author].id if author else None
        raw = {"post": content.live, "author": id, "body": "Hello.", "status": "approved"}
        return make(COMMENTS, **{**raw, "author_name": author or "", **more})

    return add


@pytest.fixture
def run_jobs(app):
    """`run_jobs()` runs all jobs that are due, as a worker would."""

    def run():
        with app.app_context():
            run_due_jobs()

    return run


@pytest.fixture
def quiet_server(app, monkeypatch):
    """Caches as on a server without other databases: on PostgreSQL, commits to any database invalidate them.

    Nothing in them expires during a test.
    """
    with app.app_context():
        engine = db.engine
    cache._entries.pop(engine, None)
    monkeypatch.setattr(cache, "MAX_AGE", timedelta(days=1))
    if engine.dialect.name == "sqlite":
        yield
        return
    commits = [object()]

    def note(connection):
        commits.append(object())

    event.listen(engine, "commit", note)
    monkeypatch.setattr(database_state, "_token", lambda connection: commits[-1])
    yield
    event.remove(engine, "commit", note)


@pytest.fixture
def statements(app, quiet_server):
    """`statements(call, *given)`: the result of the call, and the SQL statements that it sends."""

    send_together = data_versions.run_together

    def counted(call, *given):
        seen = []

        def note(connection, cursor, statement, *rest):
            seen.append(statement)

        def note_together(cursor, together):
            texts = [one.text for one in together]
            seen.extend(one for one in texts if one != "COMMIT" and "data_versions" not in one)
            send_together(cursor, together)

        with app.app_context():
            engine = db.engine
        event.listen(engine, "before_cursor_execute", note)
        try:
            with patch.object(data_versions, "run_together", note_together):
                answer = call(*given)
        finally:
            event.remove(engine, "before_cursor_execute", note)
        return answer, [one for one in seen if not one.startswith(("BEGIN", "PRAGMA"))]

    return counted


@pytest.fixture
def ticking(monkeypatch):
    """A clock that advances by a second each time it is read, as can happen between any two reads."""
    looks = count()

    class Ticking(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + timedelta(seconds=next(looks))

    monkeypatch.setattr(clock, "datetime", Ticking)


@pytest.fixture
def stop_clock(monkeypatch):
    """`stop_clock(hours=1)` stops the clock an hour after the time of the first call."""
    present = None

    def stop(**later):
        nonlocal present
        present = present or datetime.now(UTC)
        clocks.stop_clock(monkeypatch, present, **later)

    return stop


@pytest.fixture
def make_app(one_app, database):
    """`make_app(SETTING=value)`: another application on the same tables and users."""
    made = []

    def make(**settings):
        database.restore(one_app[0])
        made.append(application({**database.settings(), **settings}))
        database.apps.append(made[-1])
        return made[-1]

    yield make
    while made:
        database.apps.remove(made[-1])
        _close(made.pop())


def application(settings):
    """Create an application whose test clients check its responses."""
    app = create_app("testing", {**COMPATIBLE_APIS, **settings})
    app.test_client_class = Client
    app.jinja_env.bytecode_cache = COMPILED_TEMPLATES
    with app.app_context():
        event.listen(db.engine, "connect", _carelessly)
        garbage.engines.add(db.engine)
    return app


def _carelessly(connection, record):
    """Do not wait for the disk, which would take most of the suite's time: no test has to survive a power cut."""
    sqlite = isinstance(connection, sqlite3.Connection)
    words = "PRAGMA synchronous=OFF" if sqlite else "SET synchronous_commit TO off"
    connection.execute(words)


def _close(app):
    with app.app_context():
        db.engine.dispose()

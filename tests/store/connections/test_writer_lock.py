"""Writers who wait for SQLite's lock: readers go on, and each request waits a bounded time."""

import json
import os
import sqlite3
import threading
import urllib.error
import urllib.request
from contextlib import ExitStack, closing, contextmanager

import pytest
from flask import g

from quire.errors import Unavailable
from quire.store.connections import writer_lock
from quire.store.db import db
from quire.web.threads import BLOCKING_KEY
from tests.running_server import serving
from tests.users import signed_in

pytestmark = pytest.mark.skipif(
    bool(os.environ.get("TEST_DATABASE_URL")), reason="PostgreSQL lets many write at a time"
)


def ask(address, body=None, token=""):
    """Return the status of a response."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", "Authorization": token} if token else {}
    request = urllib.request.Request(address, data, headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            assert error.headers["Retry-After"] == "5"
            return error.code


@pytest.fixture
def other_app(make_app):
    """An application with two threads for requests, on the tables of `app`."""
    return make_app(THREADS=2)


@pytest.fixture
def token(other_app, people):
    """What proves Ann to the API."""
    return signed_in(other_app, people["ann"]).environ_base["HTTP_AUTHORIZATION"]


@pytest.fixture
def locked_file(other_app, token):
    """A lock on the database's file that somebody else holds."""
    with other_app.app_context():
        file = db.engine.url.database
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield other
        if other.in_transaction:
            other.execute("ROLLBACK")


@pytest.fixture
def writers(token):
    """`writers(address)`: eight requests that write, in threads, and the list of their statuses."""

    def start(address):
        statuses = []

        def write(number):
            post = {"title": f"Post {number}", "body": "x"}
            statuses.append(ask(f"{address}/api/v1/posts", post, token))

        threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        return threads, statuses

    return start


def test_readers_continue_while_all_writers_wait(other_app, writers, locked_file):
    with serving(other_app) as address:
        threads, statuses = writers(address)
        assert [ask(f"{address}{path}") for path in ("/healthz", "/api/v1/posts", "/")] == [200] * 3
        assert statuses == []
        locked_file.execute("ROLLBACK")
        for thread in threads:
            thread.join()
    assert statuses == [201] * 8


def test_all_waiting_writers_are_refused_after_the_same_time(
    other_app, writers, locked_file, monkeypatch
):
    monkeypatch.setattr(writer_lock, "BUSY_SECONDS", 0.5)
    with serving(other_app) as address:
        threads, statuses = writers(address)
        for thread in threads:
            thread.join(10)
        assert statuses == [503] * 8


def test_excess_writers_are_refused_immediately(other_app, writers, locked_file, monkeypatch):
    monkeypatch.setattr(writer_lock, "_queue_slots", threading.BoundedSemaphore(2))
    with serving(other_app) as address:
        threads, statuses = writers(address)
        while sum(thread.is_alive() for thread in threads) > 3:
            threads[0].join(0.05)
        assert statuses == [503] * 5
        locked_file.execute("ROLLBACK")
        for thread in threads:
            thread.join()
    assert sorted(statuses) == [201] * 3 + [503] * 5


def test_postgresql_writers_leave_a_thread_to_readers(app):
    waiting = []

    @contextmanager
    def blocking():
        waiting.append(1)
        yield

    with (
        app.test_request_context(environ_overrides={BLOCKING_KEY: blocking}),
        ExitStack() as others,
    ):
        for _ in range(app.config["THREADS"] - 1):
            others.enter_context(writer_lock.one_of_many_writers())
        assert not waiting
        g.lock_seconds = 0.1
        with pytest.raises(Unavailable), writer_lock.one_of_many_writers():
            pass
        assert waiting and writer_lock.lock_milliseconds() < 100

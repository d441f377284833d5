"""Writers that wait for one another on SQLite share a commit; each fails alone, and hears of it when all fail."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import event, insert, select, text
from sqlalchemy.exc import OperationalError

from quire.errors import TransactionConflict, Unavailable
from quire.store.connections import shared_commit, writer_lock
from quire.store.data_versions import DataVersion
from quire.store.db import db, on_commit, on_rollback, read_connection, transaction

pytestmark = pytest.mark.skipif(
    bool(os.environ.get("TEST_DATABASE_URL")), reason="PostgreSQL lets many write at a time"
)
ROWS = DataVersion.__table__


def write(name):
    with transaction() as connection:
        connection.execute(insert(ROWS), {"name": name, "shard": 0, "version": 1})


@pytest.fixture
def engine(app):
    with app.app_context():
        return db.engine


@pytest.fixture
def commits(engine):
    """The commits of the database."""
    done = []

    def note(connection):
        done.append(connection)

    event.listen(engine, "commit", note)
    yield done
    event.remove(engine, "commit", note)


@pytest.fixture
def in_threads(app, monkeypatch):
    """`in_threads(*calls)`: what each call comes to in a request of its own; the first writes until all others wait."""
    monkeypatch.setattr(shared_commit, "LONGEST_SECONDS", 60)

    def run(*calls):
        began = threading.Event()

        def first(call):
            with app.test_request_context("/"), transaction():
                began.set()
                while len(writer_lock._waiting) < len(calls) - 1:
                    threading.Event().wait(0.001)
                call()

        def other(call):
            began.wait()
            with app.test_request_context("/"):
                call()

        with ThreadPoolExecutor(len(calls)) as threads:
            futures = [threads.submit(first, calls[0])]
            futures += [threads.submit(other, call) for call in calls[1:]]
        return [one.exception() for one in futures]

    return run


@pytest.fixture
def names(app):
    """The names that are stored."""

    def read():
        with app.app_context(), read_connection() as connection:
            written = select(ROWS.c.name).where(ROWS.c.name.like("shared %"))
            return sorted(connection.execute(written).scalars())

    return read


def test_waiting_writers_share_a_commit(in_threads, names, commits):
    calls = [lambda n=n: write(f"shared {n}") for n in "123"]
    assert in_threads(*calls) == [None] * 3
    assert names() == ["shared 1", "shared 2", "shared 3"]
    assert len(commits) == 1


def test_work_after_a_commit_waits_for_it(in_threads, names, commits):
    seen = []

    def write_and_look(name):
        with transaction():
            write(name)
            on_commit(lambda: seen.append((len(commits), names())))

    in_threads(lambda: write_and_look("shared 1"), lambda: write_and_look("shared 2"))
    assert seen == [(1, ["shared 1", "shared 2"])] * 2


def test_failing_writer_is_rolled_back_alone(in_threads, names, commits):
    def fail():
        with transaction():
            write("shared 2")
            raise LookupError

    first, second = in_threads(lambda: write("shared 1"), fail)
    assert first is None and isinstance(second, LookupError)
    assert names() == ["shared 1"]
    assert len(commits) == 1


def test_first_writer_may_fail_too(in_threads, names):
    def fail():
        write("shared 1")
        raise LookupError

    first, second = in_threads(fail, lambda: write("shared 2"))
    assert isinstance(first, LookupError) and second is None
    assert names() == ["shared 2"]


def test_all_writers_get_a_commit_error(in_threads, names, engine, monkeypatch):
    undone = []

    def refuse(connection):
        raise OperationalError("COMMIT", None, Exception("disk I/O error"))

    def write_and_undo(name):
        with transaction():
            on_rollback(lambda: undone.append(name))
            write(name)

    monkeypatch.setattr(engine.dialect, "do_commit", refuse)
    calls = [lambda n=n: write_and_undo(f"shared {n}") for n in "12"]
    assert [type(one) for one in in_threads(*calls)] == [Unavailable] * 2
    assert names() == []
    assert sorted(undone) == ["shared 1", "shared 2"]


def test_all_writers_get_a_full_rollback(in_threads, names):
    def lose():
        with transaction() as connection:
            connection.execute(text("ROLLBACK"))  # as SQLite does by itself when a disk is full
            raise LookupError

    calls = lambda: write("shared 1"), lose, lambda: write("shared 3")
    first, second, third = in_threads(*calls)
    assert isinstance(first, TransactionConflict) and isinstance(second, Unavailable)
    # whoever came behind the second one had a transaction of their own
    assert names() == (["shared 3"] if third is None else [])


def test_last_writer_commits(app, names, monkeypatch):
    monkeypatch.setattr(writer_lock, "_waiting", {0})  # somebody who gives up waiting
    with app.test_request_context("/"):
        write("shared 1")
    assert names() == ["shared 1"]


def test_background_work_does_not_hold_others_up(app, in_threads, names, commits):
    def job():
        with app.app_context():
            write("shared 2")

    def other():
        thread = threading.Thread(target=job)
        thread.start()
        thread.join()

    assert in_threads(lambda: write("shared 1"), other) == [None, None]
    assert names() == ["shared 1", "shared 2"]
    assert len(commits) == 2

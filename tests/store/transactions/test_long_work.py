"""Long work lets other writers in between its batches."""

import itertools
import sqlite3
import threading
import time
from contextlib import closing

import pytest
from sqlalchemy import text

from quire.actor import SYSTEM
from quire.exchange.seed import Counts, seed_content
from quire.records import TAGS
from quire.store import audit
from quire.store.db import db, transaction
from quire.store.transactions import long_work
from quire.store.transactions.long_work import delete_in_batches, in_batches
from quire.store.write import create_many

MAX_BATCHES = 3
"""Batches that may pass before a waiting writer gets in; a starved one sees a hundred."""


def note(number):
    audit.record_event(SYSTEM, "move", "files", None, str(number))


def in_this_process(app):
    with app.app_context(), transaction() as connection:
        connection.execute(text("UPDATE settings SET tagline = 'mine'"))


def in_another_process(app):
    """Write as another process does, without the locks of this one."""
    with app.app_context():
        file = db.engine.url.database
    with closing(sqlite3.connect(file, timeout=0, isolation_level=None)) as connection:
        while True:
            try:
                connection.execute("BEGIN IMMEDIATE")
                break
            except sqlite3.OperationalError:
                time.sleep(0.003)
        connection.execute("UPDATE settings SET tagline = 'mine'")
        connection.execute("COMMIT")


@pytest.mark.parametrize("write", [in_this_process, in_another_process])
def test_waiting_writer_gets_in_within_a_few_batches(app, write):
    with app.app_context():
        if db.engine.dialect.name != "sqlite":
            pytest.skip("PostgreSQL has many writers")
        waits = sorted(batches_until_let_in(app, write) for _ in range(9))
    assert waits[4] <= MAX_BATCHES, waits


def batches_until_let_in(app, write):
    """Return the number of batches that pass after a writer begins to wait in the middle of one."""
    writer = threading.Thread(target=write, args=(app,))

    def take(number):
        note(number)
        if number == 2:
            writer.start()

    batches = enumerate(in_batches(take, itertools.count()))
    waited = next(n for n, _ in batches if (writer.ident and not writer.is_alive()) or n > 100)
    writer.join()
    return waited


def test_items_are_processed_once_and_in_order(app):
    seen = []
    with app.app_context():
        counts = list(in_batches(seen.append, range(1000)))
        assert list(in_batches(seen.append, [])) == [0]
    assert seen == list(range(1000)) and counts[-1] == 1000


def test_a_batch_is_one_transaction(app, statements, monkeypatch):
    monkeypatch.setattr(long_work, "BATCH_SECONDS", 60)  # a busy machine needs long for three

    def work():
        with app.app_context():
            return list(in_batches(note, range(3)))

    counts, sent = statements(work)
    assert counts == [3]
    assert len([one for one in sent if one.startswith("INSERT")]) == 3


def test_any_number_of_rows_is_deleted(app):
    with app.app_context():
        create_many(TAGS, SYSTEM, [{"name": f"tag {n}"} for n in range(205)])
        table = TAGS.table
        assert delete_in_batches(table, table.c.name.like("tag %")) == 205
        assert delete_in_batches(table, table.c.name.like("tag %")) == 0


def test_concurrent_seeds_wait_for_each_other(app):
    failures = []

    def seed():
        try:
            with app.app_context():
                seed_content(Counts(users=5, tags=5, posts=5, comments=5))
        except BaseException as error:
            failures.append(error)
            raise

    crew = [threading.Thread(target=seed) for _ in range(3)]
    for one in crew:
        one.start()
    for one in crew:
        one.join()
    assert not failures
    with app.app_context(), transaction() as connection:
        assert connection.execute(text("SELECT count(*) FROM tags")).scalar() == 15

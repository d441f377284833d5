"""Totals are counted once, and again after anything that could change them."""

from datetime import timedelta

import pytest

from quire.actor import ANONYMOUS, SYSTEM
from quire.declare import rules
from quire.declare.clock import now, rfc3339
from quire.declare.query import Query
from quire.records import POSTS, USERS
from quire.store import cache, database_state, read, write
from quire.store.db import db, transaction
from quire.store.lists import block_counts


@pytest.fixture
def ann(app):
    with app.app_context():
        yield write.create(USERS, SYSTEM, {"username": "zoe", "role": "author"}).id


def post(author, **values):
    values = {"published_at": rfc3339(now())} | values
    return write.create(POSTS, SYSTEM, {"title": "T", "body": "b", "author": author, **values}).id


def total(actor=ANONYMOUS, **query):
    return read.list_records(POSTS, actor, Query(**query)).total


def test_total_follows_writes_of_this_process(ann):
    assert total() == 0
    first = post(ann)
    assert total() == 1
    write.delete(POSTS, SYSTEM, first)
    assert total() == 0
    assert total(trashed=True) == 0
    assert total(SYSTEM, trashed=True) == 1


def test_unchanged_rows_are_counted_once(ann, monkeypatch):
    post(ann)
    counted = []
    real = block_counts.count_now
    monkeypatch.setattr(block_counts, "count_now", lambda *a: counted.append(1) or real(*a))
    assert [total(), total(), total()] == [1, 1, 1]
    assert len(counted) == 1


def test_list_checks_once_for_new_commits(ann, monkeypatch):
    post(ann)
    asked = []
    real = database_state._token
    monkeypatch.setattr(database_state, "_token", lambda *a: asked.append(1) or real(*a))
    listed = read.list_records(POSTS, ANONYMOUS, Query())
    assert (listed.total, len(asked)) == (1, 1)
    assert listed.feed is not None


def test_totals_are_not_cached_within_a_transaction(ann):
    with transaction():
        assert total() == 0
        post(ann)
        listed = read.list_records(POSTS, ANONYMOUS, Query())
    assert (listed.total, listed.feed) == (1, None)


def test_total_follows_writes_of_another_process_immediately(make_app):
    """Like two processes, two applications share nothing except the database."""
    one, other = make_app(), make_app()
    with other.app_context():
        author = write.create(USERS, SYSTEM, {"username": "zoe", "role": "author"}).id
    for number in range(3):
        with one.app_context():
            assert total() == number
        with other.app_context():
            post(author)
            assert total() == number + 1


def test_total_follows_manual_sql_changes_within_a_minute(ann, stop_clock):
    first = post(ann)
    assert total() == 1
    raw = db.engine.raw_connection()
    raw.cursor().execute(f"UPDATE posts SET deleted_at = updated_at WHERE id = {first}")
    raw.commit()
    raw.close()
    stop_clock(seconds=cache.MAX_AGE.total_seconds() + 1)
    assert total() == 0


def test_scheduled_post_is_counted_from_its_publication_time(ann, monkeypatch):
    later = now() + timedelta(hours=1)
    post(ann, published_at=rfc3339(later))
    assert total() == 0
    monkeypatch.setattr(rules, "now", lambda: later)
    assert total() == 1
    monkeypatch.setattr(rules, "now", lambda: later + timedelta(seconds=1))
    assert total() == 1

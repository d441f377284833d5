"""Totals of large lists outlive the process that counted them, and are right in the next one immediately."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, text

from quire.actor import ANONYMOUS, SYSTEM, Actor
from quire.declare.clock import now, rfc3339
from quire.declare.query import Query
from quire.declare.query_conditions import Condition
from quire.jobs import maintenance
from quire.records import COMMENTS, POSTS
from quire.store import cache, read, write
from quire.store.db import db, transaction
from quire.store.events.feed_position import number_commits
from quire.store.lists import block_cache, block_counts, id_blocks
from tests.store.lists.counted_posts import counting, live, new

MODERATOR = Actor("moderator", 0)


@pytest.fixture
def posts(app, people, monkeypatch):
    """Ten posts in blocks of three, treated as a large list, counted in blocks and stored."""
    monkeypatch.setattr(id_blocks, "BLOCK", 3)
    monkeypatch.setattr(block_counts, "MIN_ROWS", 1)
    clear()
    with app.app_context():
        ids = [new(people["ann"].id) for _ in range(10)]
        new(people["ann"].id, published_at=None)
        count_and_store()
        yield ids
    clear()


def clear():
    block_counts._query.cache_clear()
    id_blocks._changed_rows.cache_clear()
    end_process()


def end_process():
    """Clear the memory of the process."""
    for one in (cache._entries, block_cache._entries, block_cache._digests):
        one.clear()


def count_and_store():
    """Count twice, so that the second count is in blocks, and begin another process."""
    number_commits()
    for _ in range(2):
        for actor in (ANONYMOUS, MODERATOR):
            total(actor)
        with transaction() as connection:  # a change that changes no total
            connection.execute(text("UPDATE posts SET title = title"))
    assert total() == live() and total(MODERATOR) > live()
    block_cache.store()
    end_process()


def total(actor=ANONYMOUS, record=POSTS, **query):
    return read.list_records(record, actor, Query(**query)).total


def test_next_process_counts_nothing_again(posts, statements):
    assert stored() == 2
    for actor, number in ((ANONYMOUS, 10), (MODERATOR, 11)):
        _, seen = statements(lambda actor=actor: total(actor))
        assert not counting(seen)
        assert total(actor) == number
    number, seen = statements(lambda: total(conditions=(Condition("title", "eq", ("T",)),)))
    assert number == 10 and counting(seen)


def stored():
    with db.engine.connect() as connection:
        return connection.execute(
            select(func.count()).select_from(block_cache.StoredBlocks.__table__)
        ).scalar_one()


def test_next_process_counts_only_blocks_of_changed_rows(posts, people, statements):
    write.delete(POSTS, SYSTEM, posts[4])
    write.delete(POSTS, SYSTEM, posts[5], permanent=True)
    new(people["ann"].id)
    number_commits()
    number, seen = statements(total)
    assert number == 9 == live()
    assert 1 <= len(counting(seen)) <= 3 and all("BETWEEN" in one for one in counting(seen))


def test_next_process_counts_changes_without_events(posts):
    with transaction() as connection:
        connection.execute(text("UPDATE posts SET deleted_at = created_at WHERE id < 4"))
    assert total() == live() < 10


def test_next_process_counts_posts_published_by_schedule(posts, people, stop_clock):
    soon = rfc3339(now() + timedelta(seconds=100))
    new(people["ann"].id, published_at=soon)
    new(people["ann"].id, unpublish_at=soon)
    new(people["ann"].id, unpublish_at=soon)
    count_and_store()
    stop_clock(seconds=200)
    assert total() == 11 == live()


def test_large_lists_are_counted_in_advance(posts, statements):
    with transaction() as connection:
        connection.execute(text("DELETE FROM list_blocks"))
    maintenance.count_large_lists()
    assert stored() == 1
    end_process()
    number, seen = statements(total)
    assert number == 10 and not counting(seen)


def test_small_lists_are_not_counted_in_advance(posts, statements, monkeypatch):
    monkeypatch.setattr(block_counts, "MIN_ROWS", 1000)
    _, seen = statements(maintenance.count_large_lists)
    assert not counting(seen)


def test_totals_of_rows_shown_by_other_rows_outlive_a_process(posts, statements):
    raws = [{"post": post, "body": "b", "status": "approved"} for post in posts]
    write.create_many(COMMENTS, SYSTEM, raws)
    total(record=COMMENTS)
    write.create(COMMENTS, SYSTEM, raws[0])
    number_commits()
    assert total(record=COMMENTS) == 11
    block_cache.store()
    end_process()
    write.update(POSTS, SYSTEM, posts[0], {"published": False})
    number_commits()
    number, seen = statements(lambda: total(record=COMMENTS))
    assert number == 9
    assert counting_comments(seen)
    assert all("BETWEEN" in one for one in counting_comments(seen))


@pytest.fixture
def answered(posts):
    """A comment on each post and a reply to each comment, counted and stored."""
    raws = [{"post": post, "body": "b", "status": "approved"} for post in posts]
    comments = [one.id for one in write.create_many(COMMENTS, SYSTEM, raws)]
    answers = [{**raw, "parent": id} for raw, id in zip(raws, comments, strict=True)]
    write.create_many(COMMENTS, SYSTEM, answers)
    for _ in range(2):
        assert total(record=COMMENTS) == 20 and total(record=COMMENTS, **FIRST) == 10
        with transaction() as connection:  # a change that changes no total
            connection.execute(text("UPDATE comments SET body = body"))
    number_commits()
    assert total(record=COMMENTS) == 20 and total(record=COMMENTS, **FIRST) == 10
    block_cache.store()
    end_process()
    return comments


FIRST = {"conditions": (Condition("parent", "isnull", (True,)),)}
"""Comments that are not replies."""


def test_deleted_post_recounts_the_blocks_of_its_comments(posts, answered, statements):
    write.delete(POSTS, SYSTEM, posts[7], permanent=True)
    number_commits()
    for query, expected in (({}, 18), (FIRST, 9)):
        number, seen = statements(lambda query=query: total(record=COMMENTS, **query))
        assert number == expected
        assert 1 <= len(counting_comments(seen)) <= 2
        assert all("BETWEEN" in one for one in counting_comments(seen))


def test_deleted_comment_moves_its_replies_to_other_lists(answered, statements):
    write.delete(COMMENTS, SYSTEM, answered[0], permanent=True)
    number_commits()
    number, seen = statements(lambda: total(record=COMMENTS, **FIRST))
    assert number == 10
    assert len(counting_comments(seen)) == 2
    assert all("BETWEEN" in one for one in counting_comments(seen))


def counting_comments(seen):
    return [one for one in seen if "count(*)" in one and "FROM comments" in one]


def test_storing_again_writes_nothing_and_keeps_totals_valid(posts, statements):
    total()
    _, seen = statements(block_cache.store)
    assert not seen
    number, seen = statements(total)
    assert number == 10 and not counting(seen)


def test_number_of_stored_totals_is_limited(posts, people, monkeypatch):
    monkeypatch.setattr(block_cache, "MAX_STORED", 3)
    moments = [now() + timedelta(days=day + 1) for day in range(6)]
    for _ in range(2):
        for moment in moments:
            total(conditions=(Condition("published_at", "lt", (moment,)),))
        new(people["ann"].id)
    assert len(block_cache._entries[db.engine]) >= 6
    block_cache.store()
    assert stored() == 3


def test_stored_totals_contain_no_content(posts):
    with db.engine.connect() as connection:
        rows = connection.execute(select(block_cache.StoredBlocks.__table__)).all()
    assert {row.type for row in rows} == {"posts"}
    assert all(len(row.digest) == 64 for row in rows)

"""Totals of large lists are right after every change, although only changed blocks are counted."""

import random
from datetime import timedelta

import pytest
from sqlalchemy import text

from quire.actor import ANONYMOUS, SYSTEM, Actor
from quire.declare.clock import now, rfc3339
from quire.declare.query import Query
from quire.declare.query_conditions import Condition
from quire.records import COMMENTS, POSTS
from quire.store import read, write
from quire.store.db import db, transaction
from quire.store.events.feed_position import number_commits
from quire.store.lists import block_cache, block_counts, id_blocks
from tests.store.lists.counted_posts import counting, live, new


@pytest.fixture
def posts(app, people, monkeypatch):
    """Ten posts in blocks of three, treated as a large list."""
    monkeypatch.setattr(id_blocks, "BLOCK", 3)
    monkeypatch.setattr(block_counts, "MIN_ROWS", 1)
    block_counts._query.cache_clear()
    id_blocks._changed_rows.cache_clear()
    block_cache._entries.clear()
    with app.app_context():
        yield [new(people["ann"].id) for _ in range(10)]
    block_counts._query.cache_clear()
    id_blocks._changed_rows.cache_clear()
    block_cache._entries.clear()


def total(actor=ANONYMOUS, **query):
    return read.list_records(POSTS, actor, Query(**query)).total


def test_only_blocks_of_changed_rows_are_counted(posts, people, statements):
    total()  # now it is known to be large
    number_commits()
    new(people["ann"].id)
    assert total() == 11
    write.update(POSTS, SYSTEM, posts[4], {"published": False})
    number, seen = statements(total)
    assert number == 10
    # one block; on PostgreSQL also that of the new post, whose event has no position yet
    assert len(counting(seen)) <= 2
    assert all("BETWEEN" in one for one in counting(seen))


def test_slow_counts_of_few_rows_use_blocks(posts, people, statements, monkeypatch):
    monkeypatch.setattr(block_counts, "MIN_ROWS", 1000)
    monkeypatch.setattr(block_counts, "SLOW", 0)
    rare = {"conditions": (Condition("title", "icontains", ("wreck",)),)}
    assert total(**rare) == 0
    number_commits()
    new(people["ann"].id, title="A wreck")
    assert total(**rare) == 1
    write.update(POSTS, SYSTEM, posts[4], {"title": "Two wrecks"})
    number, seen = statements(lambda: total(**rare))
    assert number == 2
    assert counting(seen) and all("BETWEEN" in one for one in counting(seen))


def test_totals_are_right_after_random_changes(posts, people):
    chance = random.Random(7)
    ids = list(posts)
    actions = {
        "create": lambda post: ids.append(new(people["ann"].id)),
        "publish": lambda post: write.update(POSTS, SYSTEM, post, {"published": True}),
        "unpublish": lambda post: write.update(POSTS, SYSTEM, post, {"published": False}),
        "trash": lambda post: write.delete(POSTS, SYSTEM, post),
        "end": lambda post: ids.remove(post) or write.delete(POSTS, SYSTEM, post, permanent=True),
    }
    whole = total()
    for _ in range(60):
        for name in chance.choices(list(actions), k=chance.randint(1, 3)):
            actions[name](chance.choice(ids))
        whole = total()
        assert whole == live()
        assert total(Actor("admin", people["root"].id)) + total(
            Actor("admin", people["root"].id), trashed=True
        ) == len(ids)
    assert whole < len(ids)


def test_changes_without_events_recount_all_blocks(posts, people, statements):
    assert [total(), new(people["ann"].id) and total()] == [10, 11]
    with transaction() as connection:
        connection.execute(text("UPDATE posts SET deleted_at = created_at WHERE id > 0"))
    number, seen = statements(total)
    assert number == 0 and "BETWEEN" not in counting(seen)[0]


def test_many_changes_recount_all_blocks(posts, people, statements, monkeypatch):
    monkeypatch.setattr(id_blocks, "MAX_BLOCKS", 1)
    id_blocks._changed_rows.cache_clear()
    total()
    new(people["ann"].id)
    total()
    for _ in range(3):
        new(people["ann"].id)
    number, seen = statements(total)
    assert number == 14 and "BETWEEN" not in counting(seen)[0]
    id_blocks._changed_rows.cache_clear()


def test_scheduled_publication_recounts_its_block(posts, people, statements, stop_clock):
    soon = rfc3339(now() + timedelta(seconds=100))
    new(people["ann"].id, published_at=soon)
    new(people["ann"].id, published_at=soon)
    new(people["ann"].id, unpublish_at=soon)
    assert total() == 11
    new(people["ann"].id)
    assert total() == 12
    number_commits()
    new(people["ann"].id)
    assert total() == 13
    stop_clock(seconds=30)
    assert total() == 13
    stop_clock(seconds=110)
    number, seen = statements(total)
    assert number == 14 == live()
    assert counting(seen) and all("BETWEEN" in one for one in counting(seen))
    stop_clock(seconds=30)  # one clock of several is slow
    assert total() == 13 == live()


def test_scheduled_publication_shows_the_comments_below(posts, people, stop_clock):
    soon = rfc3339(now() + timedelta(seconds=100))
    later = new(people["ann"].id, published_at=soon)
    raws = [{"post": post, "body": "b", "status": "approved"} for post in (*posts, later, later)]
    write.create_many(COMMENTS, SYSTEM, raws)
    assert comments_total() == 10
    write.create(COMMENTS, SYSTEM, raws[0])
    assert comments_total() == 11
    stop_clock(seconds=101)
    assert comments_total() == 13


def test_periodic_recounts_use_single_blocks(posts, people, statements, stop_clock):
    total()
    new(people["ann"].id)
    total()
    for minute in range(1, 4):
        stop_clock(seconds=61 * minute)
        number, seen = statements(total)
        assert number == 11
        assert all("BETWEEN" in one for one in counting(seen))
        # the old block counted longest ago, and the rows after the last block
        assert len(counting(seen)) <= 2 or db.engine.dialect.name != "sqlite"


def by_hand(statement):
    raw = db.engine.raw_connection()
    raw.cursor().execute(statement)
    raw.commit()
    raw.close()


def test_manual_sql_changes_are_counted_within_minutes(posts, people, stop_clock):
    total()
    new(people["ann"].id)
    total()
    by_hand(f"UPDATE posts SET deleted_at = updated_at WHERE id IN ({posts[0]}, {posts[9]})")
    columns = [column.name for column in POSTS.table.c if column.name not in ("id", "slug")]
    names = ", ".join(columns)
    by_hand(
        f"INSERT INTO posts (id, slug, {names}) SELECT id + 100, 'copy', {names} FROM posts WHERE id = 5"
    )
    for minute in range(1, 6):
        stop_clock(seconds=61 * minute)
        number = total()
    assert number == 10 == live()


def test_deletable_events_are_not_relied_on(posts, people, statements, stop_clock, app):
    total()
    new(people["ann"].id)
    total()
    stop_clock(seconds=app.config["CHANGES_DAYS"] * 86_400)
    number, seen = statements(total)
    assert number == 11
    assert any("BETWEEN" not in one for one in counting(seen))


def test_filters_on_other_tables_are_counted_as_a_whole(posts, people, statements):
    by_name = (Condition("author.username", "eq", ("ann",)),)
    assert total(conditions=by_name) == 10
    new(people["ann"].id)
    number, seen = statements(lambda: total(conditions=by_name))
    assert number == 11 and "BETWEEN" not in counting(seen)[0]


def comments_total(actor=ANONYMOUS):
    return read.list_records(COMMENTS, actor, Query()).total


def visible_comments():
    with db.engine.connect() as connection:
        posts = "SELECT id FROM posts WHERE deleted_at IS NULL AND published_at <= :now"
        words = f"SELECT count(*) FROM comments WHERE status = 'approved' AND post_id IN ({posts})"
        moment = now() if connection.dialect.name != "sqlite" else rfc3339(now())
        return connection.execute(text(words), {"now": moment}).scalar_one()


def test_rows_shown_by_other_rows_are_counted_in_blocks(posts, people, statements):
    raws = [{"post": post, "body": "b", "status": "approved"} for post in posts for _ in range(3)]
    write.create_many(COMMENTS, SYSTEM, raws)
    chance = random.Random(5)
    assert comments_total() == 30
    write.create(COMMENTS, SYSTEM, raws[0])
    assert comments_total() == 31
    number_commits()
    comments_total()
    write.update(POSTS, SYSTEM, posts[4], {"published": False})
    number, seen = statements(comments_total)
    assert number == 28
    counts = [one for one in seen if "count(*)" in one and "FROM comments" in one]
    # on PostgreSQL also those of all comments, whose events had no position when they were counted
    limit = 4 if db.engine.dialect.name == "sqlite" else 12
    assert 1 <= len(counts) <= limit and all("BETWEEN" in one for one in counts)
    for _ in range(30):
        post, verb = chance.choice(posts), chance.randrange(3)
        if verb == 2:
            write.create(COMMENTS, SYSTEM, {**raws[0], "post": post})
        else:
            write.update(POSTS, SYSTEM, post, {"published": bool(verb)})
        assert comments_total() == visible_comments()


def test_many_rows_shown_by_one_row_recount_all_blocks(posts, statements, monkeypatch):
    monkeypatch.setattr(id_blocks, "MAX_BLOCKS", 1)
    id_blocks._changed_rows.cache_clear()
    raws = [{"post": posts[0], "body": "b", "status": "approved"} for _ in range(5)]
    write.create_many(COMMENTS, SYSTEM, raws)
    comments_total()
    write.update(POSTS, SYSTEM, posts[1], {"title": "N"})
    comments_total()
    number_commits()
    write.update(POSTS, SYSTEM, posts[0], {"published": False})
    number, seen = statements(comments_total)
    assert number == 0 and any("GROUP BY" in one and "BETWEEN" not in one for one in seen)
    id_blocks._changed_rows.cache_clear()


def test_comments_are_counted_by_the_index_of_their_posts(posts, statements):
    raws = [{"post": post, "body": "b", "status": "approved"} for post in posts]
    write.create_many(COMMENTS, SYSTEM, raws)
    for expected in (10, 11):  # as a whole, then in blocks
        number, seen = statements(comments_total)
        counts = [one for one in seen if "count(*)" in one and "FROM comments" in one]
        assert number == expected and counts
        hint = "INDEXED BY ix_comments_below"
        assert all(hint in one for one in counts) or db.engine.dialect.name != "sqlite"
        write.create(COMMENTS, SYSTEM, raws[0])

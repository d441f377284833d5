"""Deep pages of large lists are found from a nearby start, and are right after every change."""

import random
from datetime import timedelta

import pytest
from sqlalchemy import text

from quire.actor import ANONYMOUS, SYSTEM, Actor
from quire.declare.clock import now, rfc3339
from quire.declare.query import Query
from quire.records import POSTS
from quire.store import read, write
from quire.store.db import transaction
from quire.store.events.feed_position import number_commits
from quire.store.lists import block_cache, block_counts, page_starts

MODERATOR = Actor("moderator", 0)


def clear():
    block_cache._entries.clear()
    page_starts._lists.clear()
    for statements in (page_starts._next_key, block_counts._query):
        statements.cache_clear()


@pytest.fixture
def author(app, people, monkeypatch):
    """Ann's id; her thirty posts are treated as a large list, in blocks of four."""
    monkeypatch.setattr(block_counts, "MIN_ROWS", 1)
    monkeypatch.setattr(page_starts, "BLOCK", 4)
    monkeypatch.setattr(page_starts, "MIN_OFFSET", 3)
    monkeypatch.setattr(page_starts, "PAUSE", timedelta(0))
    clear()
    with app.app_context():
        for number in range(30):
            new(people["ann"].id, number)
        yield people["ann"].id
    clear()


def new(author, number):
    published_at = rfc3339(now() - timedelta(days=number % 7, minutes=number))
    raw = {"title": f"T{number % 5}", "body": "b", "author": author, "published_at": published_at}
    return write.create(POSTS, SYSTEM, raw).id


def ids(page, actor=ANONYMOUS, per_page=3, **query):
    rows = read.list_records(POSTS, actor, Query(page=page, per_page=per_page, **query)).rows
    return [row["id"] for row in rows]


def whole(actor=ANONYMOUS, **query):
    return ids(1, actor, 100, **query)


def check_all_pages(actor, **query):
    in_order = whole(actor, **query)
    ids(3, actor, **query)  # now the list is known to be large
    assert any(page_starts._lists.values())
    for page in range(1, len(in_order) // 3 + 2):
        assert ids(page, actor, **query) == in_order[3 * page - 3 : 3 * page], page


@pytest.mark.parametrize("actor", [ANONYMOUS, MODERATOR])
def test_every_page_is_the_right_part_of_the_list(author, actor):
    check_all_pages(actor)


@pytest.mark.parametrize("sort", ["title", "-title", "created_at", "-updated_at"])
def test_every_page_of_a_list_sorted_by_an_index_is_right(author, sort):
    check_all_pages(ANONYMOUS, sort=(sort,))


@pytest.mark.parametrize("sort", [("-views",), ("comment_count",), ("title", "-views")])
def test_unindexed_orders_and_orders_without_events_have_no_starts(author, sort):
    in_order = whole(sort=sort)
    assert ids(5, sort=sort) == in_order[12:15]
    assert not any(page_starts._lists.values())


def test_pages_are_right_after_random_changes(author):
    chance = random.Random(11)
    posts = whole(MODERATOR)

    def change(post):
        kind = chance.randrange(6)
        if kind == 0:
            posts.append(new(author, chance.randrange(40)))
        elif kind == 1:
            write.update(POSTS, SYSTEM, post, {"title": f"T{chance.randrange(9)}"})
        elif kind == 2:
            at = rfc3339(now() - timedelta(hours=chance.randrange(200)))
            write.update(POSTS, SYSTEM, post, {"published_at": at})
        elif kind == 3:
            write.update(POSTS, SYSTEM, post, {"published": False})
        elif kind == 4:
            write.delete(POSTS, SYSTEM, post)
            posts.remove(post)
        else:
            write.delete(POSTS, SYSTEM, post, permanent=True)
            posts.remove(post)

    for _ in range(25):
        for post in chance.sample(posts, chance.randrange(1, 3)):
            if chance.random() < 0.5:
                number_commits()
            change(post)
        check_all_pages(ANONYMOUS)
        check_all_pages(ANONYMOUS, sort=("-title",))


def test_deep_page_is_read_from_a_nearby_start(author, statements):
    ids(5)
    ids(5)
    rows, sent = statements(ids, 6)
    assert rows == whole()[15:18]
    assert len(sent) == 1 and "sorted_at, posts.id) <" in sent[0]


def test_only_blocks_of_changed_rows_are_counted_again(author, statements):
    post = whole()[10]
    number_commits()
    ids(5)
    ids(5)
    write.update(POSTS, SYSTEM, post, {"published": False})
    rows, sent = statements(ids, 6)
    assert rows == whole()[15:18]
    between = [one for one in sent if "count(*)" in one and "GROUP BY" not in one]
    assert 1 <= len(between) <= 4


def test_manual_sql_changes_rebuild_the_starts(author):
    ids(5)
    ids(5)
    with transaction() as connection:
        connection.execute(text("DELETE FROM posts WHERE id IN (3, 4, 9)"))
    check_all_pages(ANONYMOUS)

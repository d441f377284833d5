"""Lists of posts with one tag, read in the link index with the usual order and permissions."""

from datetime import timedelta

import pytest

from quire.actor import ANONYMOUS, SYSTEM, Actor
from quire.declare.clock import now, rfc3339
from quire.declare.query import Query
from quire.declare.query_conditions import Condition
from quire.records import POSTS
from quire.store import read, write
from quire.store.db import db
from tests.query_plans import query_plans

SEA = Condition("tags.name", "eq", ("Sea",))
ALL = Condition("id", "gt", (0,))


def ago(hours):
    return rfc3339(now() - timedelta(hours=hours))


@pytest.fixture
def posts(app, people):
    """Posts with and without the tag, each with its own time: live, scheduled, draft, archived or trashed."""
    with app.app_context():
        for number in range(24):
            at = None if number % 7 == 3 else ago((number * 5) % 24 - 1)
            raw = {"title": f"T{number}", "body": "b", "published_at": at}
            raw["tags"] = [["sea", "sky"], ["sea"], ["sky"], []][number % 4]
            if number % 11 == 5 and at is not None:
                raw["published_at"], raw["unpublish_at"] = ago(40), ago(2)
            author = people["ann" if number % 3 else "bob"].id
            id = write.create(POSTS, SYSTEM, raw | {"author": author}).id
            if number % 13 == 4:
                write.delete(POSTS, SYSTEM, id)
        yield


def pages(actor, *conditions, **more):
    """Return the ids of all pages of three, each with its total and whether it has neighbours."""
    queries = (Query(page=n, per_page=3, conditions=conditions, **more) for n in range(1, 10))
    listed = [read.list_records(POSTS, actor, query) for query in queries]
    return [
        ([row["id"] for row in one.rows], one.total, one.has_next, one.has_prev) for one in listed
    ]


def people_who_read(people):
    return [ANONYMOUS, Actor("author", people["ann"].id, "ann"), Actor("moderator", 0), SYSTEM]


@pytest.mark.parametrize("sub", ["tags.name", "tags.slug", "tags.id", "tags"])
@pytest.mark.parametrize("more", [{}, {"trashed": True}, {"panel": True}])
def test_link_index_gives_the_same_pages_as_a_row_filter(posts, people, sub, more):
    value = 1 if sub in ("tags", "tags.id") else "sea"
    by_link = Condition(sub, "eq", (value,))
    for actor in people_who_read(people):
        expected = pages(actor, by_link, ALL, **more)
        assert pages(actor, by_link, **more) == expected
    assert expected[0][1] > 0


def test_cursors_work_in_both_directions(posts):
    whole = [id for ids, *_ in pages(SYSTEM, SEA) for id in ids]
    query = Query(page=None, per_page=4, conditions=(SEA,))
    one, seen = read.list_records(POSTS, SYSTEM, query), []
    while one.next_cursor:
        seen += [row["id"] for row in one.rows]
        one = read.list_records(
            POSTS, SYSTEM, Query(page=None, per_page=4, conditions=(SEA,), cursor=one.next_cursor)
        )
    assert [*seen, *(row["id"] for row in one.rows)] == whole
    back = read.list_records(
        POSTS, SYSTEM, Query(page=None, per_page=4, conditions=(SEA,), cursor=one.prev_cursor)
    )
    assert [row["id"] for row in back.rows] == whole[-len(one.rows) - 4 : -len(one.rows)]


@pytest.mark.parametrize(
    "change",
    [{"published": False}, {"published_at": "2020-01-01T00:00:00Z"}, {"tags": ["sky"]}, {"tags": ["sea", "shore"]},
     {"unpublish_at": "2100-01-01T00:00:00Z"}, {"title": "Else", "author": "bob"}, {"tags": []}],
)  # fmt: skip
def test_links_follow_changes_of_their_post(posts, people, change):
    id = pages(SYSTEM, SEA)[0][0][0]
    write.update(POSTS, SYSTEM, id, change)
    for actor in people_who_read(people):
        assert pages(actor, SEA) == pages(actor, SEA, ALL)
    assert links_that_differ() == []


def test_links_follow_their_post_into_and_out_of_the_trash(posts):
    id = pages(ANONYMOUS, SEA)[0][0][0]
    before = pages(ANONYMOUS, SEA)
    write.delete(POSTS, SYSTEM, id)
    assert pages(ANONYMOUS, SEA)[0][1] == before[0][1] - 1 and links_that_differ() == []
    write.act(POSTS, SYSTEM, id, "restore")
    assert pages(ANONYMOUS, SEA) == before and links_that_differ() == []


def links_that_differ():
    many, table = POSTS.field("tags").many, POSTS.table
    assert many.copied == ("sorted_at", "deleted_at", "published_at", "unpublish_at", "author_id")
    with db.engine.connect() as connection:
        rows = connection.execute(
            table.join(many.table, many.table.c.source_id == table.c.id).select()
        ).mappings()
        return [
            row for row in rows
            if any(row[many.table.c[name]] != row[table.c[name]] for name in many.copied)
        ]  # fmt: skip


@pytest.mark.parametrize("number", [1, 2])
def test_pages_and_totals_are_read_from_the_link_index(posts, number):
    rare, query = (
        ("seqscan", "sort", "bitmapscan"),
        Query(page=number, per_page=3, conditions=(SEA,)),
    )
    plans = query_plans(
        db.engine, lambda: read.list_records(POSTS, ANONYMOUS, query), "target_id", rare
    )
    assert plans and all("ix_posts_tags_target_id" in plan for plan in plans)


@pytest.mark.parametrize(
    "conditions",
    [(Condition("tags.name", "ne", ("sea",)),), (Condition("tags.name", "contains", ("se",)),),
     (Condition("tags.id", "isnull", (True,)),), (Condition("tags.name", "in", ("sea", "sky")),)],
)  # fmt: skip
def test_other_tag_filters_are_applied_to_the_rows(posts, conditions):
    assert pages(ANONYMOUS, *conditions) == pages(ANONYMOUS, *conditions, ALL)

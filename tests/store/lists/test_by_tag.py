"""Lists by tag and more: few posts are collected by id, many are scanned in the order of the list."""

from datetime import timedelta

import pytest

from quire.actor import ANONYMOUS, SYSTEM, Actor
from quire.declare.clock import now, rfc3339
from quire.declare.query import Query
from quire.declare.query_conditions import Condition
from quire.records import POSTS
from quire.store import read, write
from quire.store.lists import search_extent
from tests.databases import on_postgresql

SEA = (Condition("tags.name", "eq", ("Sea",)), Condition("comments_open", "eq", (True,)))

pytestmark = pytest.mark.skipif(on_postgresql(), reason="PostgreSQL plans by the numbers of rows")


@pytest.fixture
def posts(app, people):
    """Twenty posts with different times, most of them tagged and some of them drafts."""
    with app.app_context():
        for number in range(20):
            at = (
                None if number % 7 == 3 else rfc3339(now() - timedelta(hours=(number * 3) % 20 + 1))
            )
            tags = [["sea", "sky"], ["sea"], ["sky"], []][number % 4]
            raw = {"title": f"T{number}", "body": "b", "tags": tags, "published_at": at}
            write.create(POSTS, SYSTEM, raw | {"author": people["ann"].id})
        yield


@pytest.fixture
def many(monkeypatch):
    """Treat any number of posts with a tag as many."""
    monkeypatch.setattr(search_extent, "MIN_LINKED", 1)
    monkeypatch.setattr(search_extent, "LINKED_PER_ROW", 0)


def page(number, actor=ANONYMOUS, conditions=SEA, **more):
    listed = read.list_records(
        POSTS, actor, Query(page=number, per_page=2, conditions=conditions, **more)
    )
    return [row["id"] for row in listed.rows], listed.total, listed.has_next, listed.has_prev


def pages(actor, conditions=SEA):
    return [page(number, actor, conditions) for number in range(1, 9)]


@pytest.mark.parametrize("actor", [ANONYMOUS, Actor("moderator", 0)])
@pytest.mark.parametrize(
    "conditions",
    [SEA, (Condition("tags.name", "in", ("sea", "Sky")),), (Condition("tags.id", "in", (1, 2)),),
     (*SEA, Condition("title", "ne", ("T4",))), (*SEA, Condition("tags.slug", "eq", ("sky",)))],
)  # fmt: skip
def test_collecting_by_id_and_scanning_give_the_same_pages(posts, request, actor, conditions):
    gathered = pages(actor, conditions)
    request.getfixturevalue("many")
    assert pages(actor, conditions) == gathered
    assert gathered[0][1] > 2


def test_few_tagged_posts_are_collected_by_id(posts, statements):
    seen = statements(page, 1)[1]
    asked = [one for one in seen if "posts_tags" in one and "SELECT posts.id" in one]
    assert asked and all("INDEXED BY ix_posts_visible" in one for one in asked)
    assert not any("EXISTS (SELECT posts_tags" in one for one in seen)


def test_many_tagged_posts_are_scanned_in_list_order(posts, many, statements):
    seen = statements(page, 1)[1]
    assert any("EXISTS (SELECT posts_tags" in one for one in seen)


ANN = (Condition("author.username", "eq", ("ann",)),)


@pytest.mark.parametrize("conditions", [SEA, ANN, (*SEA, *ANN)])
@pytest.mark.parametrize("sort", ["-created_at", "created_at", "-views", "title", "-updated_at"])
def test_sorted_pages_are_equal_for_few_and_many_posts(posts, request, conditions, sort):
    few = [page(n, conditions=conditions, sort=(sort,)) for n in range(1, 9)]
    request.getfixturevalue("many")
    assert [page(n, conditions=conditions, sort=(sort,)) for n in range(1, 9)] == few
    assert few[0][1] > 2


@pytest.mark.parametrize("conditions", [SEA, ANN])
def test_many_posts_are_scanned_in_the_requested_order(posts, many, statements, conditions):
    moderator = Actor("moderator", 0)
    seen = statements(lambda: page(1, moderator, conditions, sort=("-created_at",)))[1]
    rows = [one for one in seen if "AS key_0" in one]
    assert rows and all("INDEXED BY ix_posts_created_at" in one for one in rows)


def test_few_posts_of_an_author_use_the_author_index(posts, statements):
    moderator = Actor("moderator", 0)
    seen = statements(lambda: page(1, moderator, ANN, sort=("-created_at",)))[1]
    rows = [one for one in seen if "AS key_0" in one]
    assert rows and all("INDEXED BY ix_posts_listed_by_author" in one for one in rows)


OWN = {"conditions": (), "panel": True}


@pytest.mark.parametrize("sort", ["-created_at", "created_at", "-views", "title", "-updated_at"])
def test_sorted_own_posts_are_equal_for_few_and_many_posts(posts, people, request, sort):
    ann = Actor("author", people["ann"].id, "ann")
    few = [page(n, ann, sort=(sort,), **OWN) for n in range(1, 9)]
    request.getfixturevalue("many")
    assert [page(n, ann, sort=(sort,), **OWN) for n in range(1, 9)] == few
    assert few[0][1] > 2


def test_many_own_posts_are_scanned_in_the_requested_order(posts, people, many, statements):
    ann = Actor("author", people["ann"].id, "ann")
    seen = statements(lambda: page(1, ann, sort=("-created_at",), **OWN))[1]
    rows = [one for one in seen if "AS key_0" in one]
    assert rows and all("INDEXED BY ix_posts_created_at" in one for one in rows)


def test_few_own_posts_are_sorted_without_an_index(posts, people, statements):
    ann = Actor("author", people["ann"].id, "ann")
    seen = statements(lambda: page(1, ann, sort=("-created_at",), **OWN))[1]
    rows = [one for one in seen if "AS key_0" in one]
    assert rows and not any("INDEXED BY" in one for one in rows)

"""Texts are sorted as people expect, in the same order on both databases, by an index."""

import random

import pytest

from quire.actor import ANONYMOUS, SYSTEM, Actor
from quire.declare.query import Query
from quire.declare.record import REGISTRY
from quire.records import CATEGORIES, COMMENTS, POSTS, TAGS
from quire.store import read
from quire.store.db import db
from quire.store.write import create_many, update
from tests.query_plans import query_plans

INDEX = [
    '"Quoted"', "9 tips", "10 tips", "100% wool", "Äpfel im Schlafrock", "apple", "APPLE", "ápple",
    "apple pie", "back\\slash", "Banana bread", "cherry tart", "ÉCLAIR", "eclairs", "egg", "Łódź",
    "lumen", "Straße", "under_score", "Zebra", "ζῷον", "яблоко", "今日",
]  # fmt: skip


@pytest.fixture
def context(app):
    with app.app_context():
        yield


@pytest.fixture
def shuffled(context, people):
    """Posts, tags and categories with these names, created in random order except for equal names."""
    names = random.Random(1).sample(INDEX, len(INDEX))
    equal = iter(["apple", "APPLE", "ápple"])
    names = [next(equal) if name in ("apple", "APPLE", "ápple") else name for name in names]
    common = {"author": people["ann"].id, "body": "x", "published_at": "2026-01-01T00:00:00Z"}
    create_many(POSTS, SYSTEM, [{"title": name, **common} for name in names])
    for record in (TAGS, CATEGORIES):
        create_many(record, SYSTEM, [{"name": name} for name in names if name.lower() != "apple"])


def sorted_names(record, **query):
    return [
        row[record.title_field] for row in read.list_records(record, SYSTEM, Query(**query)).rows
    ]


def test_lists_are_sorted_by_sort_keys(shuffled):
    assert sorted_names(POSTS, sort=("title",), per_page=100) == INDEX
    assert sorted_names(POSTS, sort=("-title",), per_page=100) == INDEX[::-1]
    named = [name for name in INDEX if name.lower() != "apple"]
    for record in (TAGS, CATEGORIES):
        assert sorted_names(record, sort=("name",), per_page=100) == named


def test_pages_and_cursors_follow_the_same_order(shuffled, as_):
    pages = [sorted_names(POSTS, sort=("title",), per_page=4, page=n + 1) for n in range(6)]
    assert [title for page in pages for title in page] == INDEX
    for sort, expected in (("title", INDEX), ("-title", INDEX[::-1])):
        cursor, seen = "", []
        while cursor is not None:
            query = {"sort": sort, "per_page": 4, "cursor": cursor}
            answer = as_(None).get("posts", query_string=query).json
            seen += [post["title"] for post in answer["posts"]]
            cursor = answer["next_cursor"]
        assert seen == expected


def test_sort_key_follows_its_text(shuffled):
    id = read.find_id(POSTS, SYSTEM, title="Zebra")
    update(POSTS, SYSTEM, id, {"title": "aardvark"})
    assert sorted_names(POSTS, sort=("title",), per_page=6)[5] == "Äpfel im Schlafrock"
    assert sorted_names(POSTS, sort=("title",), per_page=6)[4] == "aardvark"


def test_tags_of_a_post_are_sorted(shuffled, people):
    tags = ["Zebra", "Äpfel im Schlafrock", "cherry tart", "10 tips", "9 tips"]
    id = read.find_id(POSTS, SYSTEM, title="egg")
    update(POSTS, SYSTEM, id, {"tags": tags})
    named = [tag["name"] for tag in read.get_record(POSTS, ANONYMOUS, id)["tags"]]
    assert named == ["9 tips", "10 tips", "Äpfel im Schlafrock", "cherry tart", "Zebra"]


BY_TEXT = [
    (record, field.name)
    for record in REGISTRY.values()
    for field in record.fields
    if field.sort_key_column is not None
]


def test_sortable_texts_have_a_sort_key():
    assert {f"{record.path}.{name}" for record, name in BY_TEXT} >= {
        "posts.title", "posts.slug", "pages.title", "tags.name", "categories.name",
        "users.username", "users.email", "media.original_name", "redirects.path", "api_keys.name",
    }  # fmt: skip


@pytest.mark.parametrize("actor", [SYSTEM, ANONYMOUS], ids=["all", "public"])
@pytest.mark.parametrize(
    ("record", "name"),
    [
        *BY_TEXT,
        (POSTS, "published_at"),
        (POSTS, "created_at"),
        (POSTS, "views"),
        (COMMENTS, "created_at"),
    ],
)
def test_sort_order_comes_from_an_index(context, record, name, actor):
    if record.allows(actor, "read") is False:
        pytest.skip("nobody may see it")
    column = record.field(name).order_column.name
    for sort in (name, f"-{name}"):
        plan = _plan(lambda s=sort: read.list_records(record, actor, Query(sort=(s,), count=False)))
        if db.engine.dialect.name == "sqlite":
            assert f"INDEX ix_{record.table.name}_{column}" in plan
            # only the page is sorted, after the rows were found by the index
            assert "TEMP B-TREE" not in plan.partition("INTEGER PRIMARY KEY")[0]
        # PostgreSQL has nulls last in one direction of an index alone
        elif not (record.field(name).nullable and sort.startswith("-")):
            assert f"ix_{record.table.name}_{column}" in plan


@pytest.mark.parametrize("name", ["title", "slug", "views"])
def test_deep_sorted_page_skips_rows_in_a_covering_index(context, name):
    query = Query(sort=(name,), page=400, count=False)
    plan = _plan(lambda: read.list_records(POSTS, ANONYMOUS, query))
    column = POSTS.field(name).order_column.name
    if db.engine.dialect.name == "sqlite":
        assert f"COVERING INDEX ix_posts_{column}" in plan
    else:
        assert f"Index Only Scan using ix_posts_{column}" in plan


def _plan(call):
    """Return the query plan of the last statement of the call."""
    return query_plans(db.engine, call, without=("seqscan", "bitmapscan", "sort"))[-1]


@pytest.mark.parametrize("query", [{"page": 1}, {"page": 3}, {"page": None}])
@pytest.mark.parametrize("role", ["anonymous", "moderator"])
def test_default_order_comes_from_an_index(app, people, make, role, query):
    with app.app_context():
        for number in range(12):
            make(POSTS, title=f"T{number}", body="b", author=people["ann"].id, published=True)
        asked = Query(per_page=5, **query)
        rare = ("seqscan", "sort", "bitmapscan")
        plans = query_plans(
            db.engine, lambda: read.list_records(POSTS, Actor(role, None), asked), "key_0", rare
        )
    assert len(plans) == 1 and "ix_posts_listed" in plans[0]
    # the page itself may be sorted once more, as PostgreSQL reports
    assert "TEMP B-TREE" not in plans[0].partition("SCAN found")[0]
    assert plans[0].count("Sort Key") <= 1

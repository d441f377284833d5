"""Filters that match few rows of a large list use an index instead of a scan."""

from datetime import UTC, datetime

import pytest

from quire.actor import ANONYMOUS, SYSTEM, Actor
from quire.admin.dashboard.counts import home_counts, latest_own_posts
from quire.declare.query import Query
from quire.declare.query_conditions import Condition
from quire.records import COMMENTS, POSTS, REVISIONS
from quire.store import read, write
from quire.store.db import db
from tests.query_plans import query_plans

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
CASES = [
    (COMMENTS, Condition("created_at", "gte", (LONG_AGO,)), "ix_comments_created_at"),
    (POSTS, Condition("category.slug", "eq", ("sea",)), "ix_posts_category_id"),
    (POSTS, Condition("author.username", "eq", ("ann",)), "ix_posts_listed_by_author"),
    (POSTS, Condition("published_at", "gte", (LONG_AGO,)), "ix_posts_published_at"),
]


@pytest.fixture(autouse=True)
def post(app, people):
    with app.app_context():
        if db.engine.dialect.name != "sqlite":
            pytest.skip("PostgreSQL knows how many rows there are")
        raw = {"title": "x", "body": "x", "author": "ann", "published": True}
        post = write.create(POSTS, SYSTEM, raw).id
        for _ in range(3):
            write.create(COMMENTS, SYSTEM, {"post": post, "body": "x", "author": "ann"})
        yield post


@pytest.mark.parametrize(("record", "condition", "index"), CASES)
def test_rows_of_a_filter_are_found_by_its_index(record, condition, index):
    query = Query(conditions=(condition,), panel=True, page=1)
    plans = query_plans(db.engine, lambda: read.list_records(record, SYSTEM, query), "AS found")
    assert f"USING INDEX {index}" in plans[-1] or f"USING COVERING INDEX {index}" in plans[-1]


@pytest.mark.parametrize("case", CASES[1:3])
def test_category_and_author_lists_use_a_covering_index(case):
    record, condition, index = case
    query = Query(conditions=(condition,), page=1)
    count, page = query_plans(
        db.engine, lambda: read.list_records(record, ANONYMOUS, query), "count"
    )
    for plan in (count, page):
        assert f"SEARCH posts USING COVERING INDEX {index} (" in plan and "deleted_at=?" in plan
    assert page.count("TEMP B-TREE") == 1  # that of the rows which are shown


def test_filtered_rows_keep_the_sort_order_across_pages(post):
    condition = Condition("created_at", "gte", (LONG_AGO,))
    query = Query(conditions=(condition,), sort=("-id",), page=1, per_page=2)
    found = [
        read.list_records(COMMENTS, SYSTEM, Query(**{**query.__dict__, "page": page}))
        for page in (1, 2)
    ]
    ids = [row["id"] for page in found for row in page.rows]
    assert ids == sorted(ids, reverse=True) and len(ids) == 3
    assert (found[0].total, found[0].has_next, found[1].has_next) == (3, True, False)


def test_revisions_of_a_record_are_found_by_index(post):
    conditions = (Condition("type", "eq", ("posts",)), Condition("record_id", "eq", (post,)))
    query = Query(conditions=conditions, sort=("-id",), page=1)
    plans = query_plans(db.engine, lambda: read.list_records(REVISIONS, SYSTEM, query), "AS found")
    assert "ix_revisions_record (type=? AND record_id=?)" in plans[-1]


def test_dashboard_scans_no_table(people):
    plans = query_plans(db.engine, lambda: home_counts(Actor("admin", 1, "root")), "UNION")
    assert "SEARCH posts USING INDEX ix_posts_created_at" in plans[0]
    assert (
        "SEARCH posts USING INDEX ix_posts_author_id (author_id=? AND published_at=?)" in plans[0]
    )
    assert "SCAN posts" not in plans[0] and "SCAN comments" not in plans[0]


def test_own_posts_are_found_by_the_author_index(people):
    ann = Actor("author", people["ann"].id, "ann")
    plans = query_plans(db.engine, lambda: latest_own_posts(POSTS, ann, 6), "UNION")
    for state in ("published_at=?", "published_at>?"):
        assert f"SEARCH posts USING INDEX ix_posts_author_id (author_id=? AND {state})" in plans[0]
    assert "SCAN posts" not in plans[0] and "ix_posts_listed" not in plans[0]

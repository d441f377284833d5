"""The archive by month: the posts that the public sees, by month in UTC."""

import random
from collections import Counter

import pytest

from quire.actor import ANONYMOUS, SYSTEM
from quire.declare.clock import now, rfc3339
from quire.declare.record import REGISTRY
from quire.declare.rules import rule_params
from quire.records import POSTS
from quire.site import archive_queries, sitemap
from quire.store import write
from quire.store.db import db, read_connection
from quire.store.events.feed_position import number_commits
from quire.store.lists import block_cache, id_blocks
from tests.query_plans import query_plans
from tests.site.conftest import soup


@pytest.fixture
def monthly_posts(make, people):
    """Posts at the edges of months, and some that are not public."""
    moments = ("2025-12-31T23:59:59Z", "2026-01-01T00:00:00Z", "2026-01-31T23:59:59Z",
               "2026-02-01T00:00:00Z", "2099-05-01T00:00:00Z", None)  # fmt: skip
    for moment in moments:
        make(POSTS, title=f"At {moment}", body="x", author=people["ann"].id, published_at=moment)


def test_months_are_listed_newest_first_with_counts(visitor, monthly_posts):
    for name in (None, "root"):
        page = soup(visitor(name).get("/archive"))
        assert [h.text for h in page.main.find_all("h2")] == ["2026", "2025"]
        rows = [" ".join(row.text.split()) for row in page.select(".rows li")]
        assert rows == ["February 2026 1 post", "January 2026 2 posts", "December 2025 1 post"]
        assert page.select_one(".rows a")["href"] == "/archive/2026/02"


def test_month_lists_its_posts(client, monthly_posts):
    page = soup(client.get("/archive/2026/01"))
    titles = [h.text for h in page.select(".entry h2")]
    assert titles == ["At 2026-01-31T23:59:59Z", "At 2026-01-01T00:00:00Z"]
    assert "2 posts" in page.select_one(".count").text
    assert (
        soup(client.get("/archive/2025/12")).select_one(".entry h2").text.startswith("At 2025-12")
    )


@pytest.mark.parametrize(
    "place", ["2099/05", "2024/01", "2026/13", "2026/00", "0000/01", "2026/1", "x/y"]
)
def test_other_months_are_404(client, monthly_posts, place):
    assert client.get(f"/archive/{place}").status_code == 404


def test_empty_archive_says_so(client):
    assert "Nothing has been published" in client.get("/archive").text
    assert soup(client.get("/")).footer.find("a", href="/archive")


@pytest.fixture
def in_blocks(app, monkeypatch):
    """Facts about posts are collected in blocks of two ids."""
    caches = (archive_queries._block_query, sitemap._block_query, id_blocks._changed_rows)
    for module in (id_blocks, sitemap):
        monkeypatch.setattr(module, "BLOCK", 2)
    monkeypatch.setattr(sitemap, "PART", 4)
    monkeypatch.setattr(block_cache, "MIN_BLOCKS", 1)
    for one in caches:
        one.cache_clear()
    block_cache._entries.clear()
    with app.app_context():
        yield
    block_cache._entries.clear()
    for one in caches:
        one.cache_clear()


def new_post(author, number):
    raw = {"title": "T", "body": "b", "author": author}
    return write.create(POSTS, SYSTEM, {**raw, "published_at": f"2025-{number:02}-03T04:05:06Z"}).id


def test_months_and_parts_stay_right_after_any_changes(people, in_blocks):
    chance = random.Random(3)
    live = {new_post(people["ann"].id, number): number for number in range(1, 13)}
    for _ in range(40):
        post, month = chance.choice(list(live)), chance.randrange(1, 13)
        kind = chance.randrange(4)
        if kind == 0:
            live[new_post(people["ann"].id, month)] = month
        elif kind == 1 and len(live) > 1:
            write.delete(POSTS, SYSTEM, post, permanent=bool(chance.randrange(2)))
            del live[post]
        else:
            write.update(POSTS, SYSTEM, post, {"published_at": f"2025-{month:02}-09T00:00:00Z"})
            live[post] = month
        if chance.randrange(2):
            number_commits()
        counted = {one.month: one.posts for one in archive_queries.posts_by_month()}
        assert counted == Counter(live.values())
        parts = [number for path, number, _ in sitemap.parts() if path == "posts"]
        assert parts == sorted({(id - 1) // 4 + 1 for id in live})


def test_change_only_recounts_its_block(people, in_blocks, statements):
    posts = [new_post(people["ann"].id, number) for number in range(1, 10)]
    number_commits()
    archive_queries.posts_by_month()
    write.update(POSTS, SYSTEM, posts[3], {"published_at": "2024-01-01T00:00:00Z"})
    number_commits()
    months, seen = statements(archive_queries.posts_by_month)
    assert [(one.year, one.month) for one in months][-2:] == [(2025, 1), (2024, 1)]
    assert months[-1].changed <= rfc3339(now())
    gathering = [one for one in seen if "max(posts.updated_at)" in one]
    assert len(gathering) == 1 and "BETWEEN" in gathering[0]


def test_block_is_read_by_ids(app):
    posts = REGISTRY["posts"]
    for query in (archive_queries._block_query(), sitemap._block_query(posts)):
        values = {**rule_params(ANONYMOUS), "first_id": 1, "last_id": 2}

        def gather(query=query, values=values):
            with read_connection() as connection:
                connection.execute(query.part, values)

        with app.app_context():
            plan = query_plans(db.engine, gather, "max(posts.updated_at)", ("seqscan",))[0]
            by_ids = "INTEGER PRIMARY KEY (rowid>? AND rowid<?)"
            expected = by_ids if db.engine.dialect.name == "sqlite" else "id >="
        assert expected in plan, plan

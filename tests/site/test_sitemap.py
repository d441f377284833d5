"""The sitemap: the public content and nothing else, in parts of a size that crawlers accept."""

from xml.etree import ElementTree

import pytest

from quire.actor import SYSTEM
from quire.declare.clock import now, rfc3339
from quire.records import POSTS, TAGS
from quire.site import archive_queries, sitemap
from quire.store import read
from quire.store.db import db
from quire.store.lists import id_blocks
from tests.query_plans import query_plans

SPACE = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


def places(client, path="/sitemap.xml"):
    """Return every `loc` with its `lastmod`."""
    response = client.get(path)
    assert response.status_code == 200 and response.mimetype == "application/xml"
    tree = ElementTree.fromstring(response.data)
    return {one.find(f"{SPACE}loc").text: one.find(f"{SPACE}lastmod").text for one in tree}


def everything(client):
    return {
        place: at
        for part in places(client)
        for place, at in places(client, part.removeprefix("http://localhost")).items()
    }


def test_sitemap_lists_public_pages(visitor, content, app):
    with app.app_context():
        changed = read.get_record(POSTS, SYSTEM, content.live)["updated_at"]
    for name in (None, "root"):
        found = everything(visitor(name))
        assert {one.removeprefix("http://localhost") for one in found} == {
            "/posts/live", "/posts/abes", "/pages/about", "/tags/sea", "/categories/field-notes",
            "/authors/ann", "/authors/abe", "/", "/archive", "/archive/2026/01",
        }  # fmt: skip
        assert found["http://localhost/posts/live"] == changed
        for place in (
            "/",
            "/archive",
            "/archive/2026/01",
        ):  # that of the newest post, which was created later
            assert changed <= found[f"http://localhost{place}"] <= rfc3339(now())


def test_site_without_posts_lists_its_home_page(client):
    assert list(everything(client)) == ["http://localhost/"]


def test_each_listed_url_responds(client, content):
    for place in everything(client):
        assert client.get(place.removeprefix("http://localhost")).status_code == 200


def test_parts_by_ranges_of_ids(client, make, people, monkeypatch):
    monkeypatch.setattr(sitemap, "PART", 2)
    for module in (sitemap, id_blocks):
        monkeypatch.setattr(module, "BLOCK", 1)
    sitemap._block_query.cache_clear()
    for number in range(5):
        raw = {"title": f"N{number}", "body": "x", "author": people["ann"].id}
        make(POSTS, **raw, published_at=None if number in (2, 3) else "2026-01-02T10:00:00Z")
    parts = [place for place in places(client) if "posts" in place]
    assert parts == [f"http://localhost/sitemap-posts-{number}.xml" for number in (1, 3)]
    assert list(places(client, "/sitemap-posts-1.xml")) == [
        "http://localhost/posts/n0", "http://localhost/posts/n1",
    ]  # fmt: skip
    assert client.get("/sitemap-posts-2.xml").status_code == 404
    sitemap._block_query.cache_clear()


@pytest.mark.parametrize(
    "part", ["posts-2", "comments-1", "nothing-1", "lists-2", "posts-0", "posts-x"]
)
def test_other_parts_are_404(client, content, part):
    assert client.get(f"/sitemap-{part}.xml").status_code == 404


def test_urls_are_escaped(client, make, people):
    make(TAGS, name="a", slug="größe")
    make(POSTS, title="T", body="x", tags=["a"], author=people["ann"].id,
         published_at="2026-01-02T10:00:00Z")  # fmt: skip
    place = next(iter(places(client, "/sitemap-tags-1.xml")))
    assert place == "http://localhost/tags/gr%C3%B6%C3%9Fe"
    assert client.get(place.removeprefix("http://localhost")).status_code == 200


def test_robots_names_the_sitemap(make_app, client):
    assert "Sitemap: http://localhost/sitemap.xml" in client.get("/robots.txt").text
    known = make_app(PUBLIC_URL="https://example.org").test_client()
    assert "Sitemap: https://example.org/sitemap.xml" in known.get("/robots.txt").text


def test_part_takes_one_statement(statements, client, content):
    client.get("/robots.txt")  # checks what has changed
    response, asked = statements(client.get, "/sitemap-posts-1.xml")
    assert response.status_code == 200 and len(asked) == 1


def test_posts_are_collected_from_indexes_alone(app):
    """Rows are long, and the answers are gathered again after each change."""
    for gather in (sitemap.parts, archive_queries.posts_by_month):
        with app.app_context():
            without = ("seqscan", "bitmapscan")
            plan = query_plans(db.engine, gather, "max(posts.updated_at)", without)[0]
            dialect = db.engine.dialect.name
        expected = "COVERING INDEX" if dialect == "sqlite" else "Index Only Scan"
        assert f"{expected} " in plan and "ix_posts_listed" in plan, plan


@pytest.mark.parametrize("record", sitemap.public_types().values(), ids=lambda one: one.path)
def test_part_is_read_by_ids(app, record):
    table = record.table.name
    with app.app_context():
        dialect = db.engine.dialect.name
        plan = query_plans(db.engine, lambda: sitemap.part(record, 2))[0]
    if dialect == "sqlite":
        assert f"SEARCH {table} USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)" in plan, plan
    else:
        assert "id >=" in plan and "id <=" in plan and f"pk_{table}" in plan, plan

"""Next to a post: related posts, the reading time, metadata for programs."""

import json

import pytest
from sqlalchemy import func, insert, select

from quire.actor import SYSTEM
from quire.declare.clock import now
from quire.records import CATEGORIES, PAGES, POSTS, SETTINGS
from quire.site.related_posts import find_related
from quire.store import read
from quire.store.db import db, transaction
from quire.store.write import update
from quire.web.html import reading_minutes
from tests.clocks import EARLIER, FUTURE, PAST
from tests.databases import on_postgresql
from tests.query_plans import query_plans, sqlite_steps
from tests.site.conftest import soup


@pytest.fixture
def make_post(make, people):
    """`make_post("Title", "tag", ...)`: a published post."""

    def made(title, *tags, **more):
        raw = {"body": "x", "author": people["ann"].id, "published_at": PAST}
        return make(POSTS, **{**raw, "title": title, "tags": list(tags), **more})

    return made


def beside(client, slug):
    return [one.text for one in soup(client.get(f"/posts/{slug}")).select(".related a")]


def test_posts_with_most_shared_tags_come_first_then_the_newest(client, make_post):
    make_post("One", "a", "b", "c")
    make_post("Two shared", "a", "b", published_at=EARLIER)
    make_post("Old", "a", published_at=EARLIER)
    make_post("New", "c")
    make_post("Older", "b", published_at="2020-01-01T00:00:00Z")
    make_post("Other", "z")
    assert beside(client, "one") == ["Two shared", "New", "Old"]
    assert beside(client, "other") == []


def test_only_public_posts_are_related(visitor, make_post):
    make_post("One", "a")
    make_post("Draft", "a", published_at=None)
    make_post("Later", "a", published_at=FUTURE)
    make_post("Gone", "a", deleted_at=PAST)
    for name in (None, "ann", "root"):
        assert beside(visitor(name), "one") == []


def tagged(first, number, author):
    """Return the ids of that many published posts with all tags of the first one."""
    with db.engine.connect() as connection:
        begin = connection.execute(select(func.max(POSTS.table.c.id))).scalar() + 1
    listed = {"author_id": author, "published_at": now(), "sorted_at": now()}
    row = {"body": "x", "body_html": "x", **listed}
    ids = range(begin, begin + number)
    tags = [one["id"] for one in read.get_record(POSTS, SYSTEM, first)["tags"]]
    links = [{"source_id": id, "target_id": tag, **listed} for id in ids for tag in tags]
    with transaction() as connection:
        rows = [{**row, "id": id, "title": f"N{id}", "slug": f"n{id}"} for id in ids]
        connection.execute(insert(POSTS.table), rows)
        connection.execute(insert(POSTS.field("tags").many.table), links)
    return tags


def test_cost_does_not_depend_on_the_number_of_posts(app, make_post, people):
    if on_postgresql():
        pytest.skip("SQLite tells how many instructions it runs")
    first = make_post("One", "a", "b")
    with app.app_context():
        tags = tagged(first, 600, people["ann"].id)
        few = sqlite_steps(lambda: find_related(first, tags, 3))
        tagged(first, 5_000, people["ann"].id)
        newest = [one["id"] for one in find_related(first, tags, 2)]
        assert newest[0] > newest[1] > 5_000
        assert sqlite_steps(lambda: find_related(first, tags, 3)) < 1.2 * few


def test_uses_of_each_tag_are_read_in_index_order(app, make_post):
    first = make_post("One", "a", "b")
    with app.app_context():
        tags = [one["id"] for one in read.get_record(POSTS, SYSTEM, first)["tags"]]
        rare = ("seqscan", "sort", "bitmapscan")
        (plan,) = query_plans(db.engine, lambda: find_related(first, tags, 3), "posts_tags", rare)
    assert plan.count("ix_posts_tags_target_id") == 2 and "Sort Key: posts_tags" not in plan


@pytest.mark.parametrize(
    ("text", "minutes"), [("", 1), ("word " * 100, 1), ("word " * 690, 3), ("字" * 2300, 5)]
)
def test_minutes(text, minutes):
    assert reading_minutes(text) == minutes


def test_reading_time_is_shown(client, make_post):
    make_post("Long", body="word " * 700)
    assert "3 min read" in soup(client.get("/posts/long")).select_one(".byline").text
    assert "min read" not in client.get("/").text


def told(page, name):
    return [one["content"] for one in page.find_all("meta", property=name)]


def test_link_previews(app, client, make_post, make):
    category = make(CATEGORIES, name="Field & notes")
    id = make_post("Salt & <b>", "sea", "shore", category=category, excerpt='A "few" words')
    page = soup(client.get("/posts/salt-b?utm=1"))
    assert told(page, "og:title") == ["Salt & <b>"] and told(page, "og:type") == ["article"]
    assert told(page, "og:url") == ["http://localhost/posts/salt-b"]
    assert told(page, "og:description") == ['A "few" words']
    assert told(page, "article:published_time") == [PAST]
    assert told(page, "article:tag") == ["sea", "shore"]
    assert told(page, "article:section") == ["Field & notes"]
    assert told(page, "og:site_name") == ["Quire"]
    home = soup(client.get("/"))
    assert told(home, "og:type") == ["website"] and told(home, "og:title") == ["Welcome"]
    with app.app_context():
        update(POSTS, SYSTEM, id, {"published_at": None})
    assert client.get("/posts/salt-b").status_code == 404


def description(page):
    return page.find("meta", {"name": "description"})["content"]


def test_search_engines_get_the_seo_fields(client, make_post):
    seo = {"seo_title": "Salt & <sea>", "seo_description": "d" * 300}
    make_post("Salt", "sea", excerpt="In short", **seo)
    page = soup(client.get("/posts/salt"))
    assert page.title.text == "Salt & <sea> · Quire" and page.h1.text == "Salt"
    assert told(page, "og:title") == ["Salt & <sea>"]
    assert told(page, "og:description") == [description(page)] == ["d" * 300]
    found = json.loads(page.find("script").text)
    assert (found["headline"], found["description"]) == ("Salt & <sea>", "d" * 300)
    assert page.select_one(".lead").text == "In short"
    assert "Salt & <sea>" not in client.get("/feed.atom").text
    assert soup(client.get("/")).select_one(".entry h2").text == "Salt"


def test_without_seo_fields_they_get_the_excerpt_or_the_first_words(client, make_post):
    make_post("Short", excerpt="In short")
    make_post("Bare", body="# Of\n\n*salt* & sea")
    for slug, words in (("short", "In short"), ("bare", "Of salt & sea")):
        page = soup(client.get(f"/posts/{slug}"))
        assert told(page, "og:description") == [description(page)] == [words]
        assert json.loads(page.find("script").text)["description"] == words


def test_pages_have_metadata_for_search_engines(client, make):
    make(PAGES, title="Imprint", body="Who *we* are", published_at=PAST)
    make(PAGES, title="Us", body="x", published_at=PAST, seo_title="About us", seo_description="d")
    plain, told_otherwise = (soup(client.get(f"/pages/{slug}")) for slug in ("imprint", "us"))
    assert (plain.title.text, description(plain)) == ("Imprint · Quire", "Who we are")
    assert (told_otherwise.title.text, told_otherwise.h1.text) == ("About us · Quire", "Us")
    assert told(told_otherwise, "og:description") == [description(told_otherwise)] == ["d"]
    assert told(told_otherwise, "og:title") == ["About us"]


def test_preview_has_the_draft_title(client, app, as_, make_post):
    id = make_post("Salt")
    as_("ann").patch(f"posts/{id}/draft", json={"seo_title": "New salt"})
    link = as_("ann").post(f"posts/{id}/previews").json["url"].removeprefix("http://localhost")
    assert soup(client.get(link)).title.text == "New salt · Quire"


def test_hidden_posts_have_no_metadata(visitor, content):
    page = soup(visitor("ann").get("/posts/draft"))
    assert told(page, "og:title") == [] and page.find("script") is None


def test_json_ld_cannot_break_out_of_its_element(app, client, make_post):
    evil = "</script><script>alert(1)</script>"
    with app.app_context():
        update(SETTINGS, SYSTEM, 1, {"site_name": evil[:100], "tagline": evil[:100]})
    make_post("T " + evil, evil[:100], slug="evil", excerpt=evil)
    text = client.get("/posts/evil").text
    scripts = soup(client.get("/posts/evil")).find_all("script")
    assert len(scripts) == 1 and "<script>alert" not in text
    found = json.loads(scripts[0].text)
    assert found["@type"] == "BlogPosting" and found["headline"] == "T " + evil
    assert found["datePublished"] == PAST and found["author"]["name"] == "ann"
    site = json.loads(soup(client.get("/")).find("script").text)
    assert (site["@type"], site["name"]) == ("WebSite", evil[:100])

"""Feeds read by third-party programs: feedparser and reader follow a site through all its changes."""

import io
import json
from datetime import datetime, timedelta
from importlib import import_module
from xml.etree import ElementTree

import feedparser
import pytest

from quire.actor import SYSTEM
from quire.declare.clock import now, rfc3339
from quire.records import CATEGORIES, POSTS, PROFILES, SETTINGS, TAGS
from quire.store import read, write
from quire.web.caching import PUBLIC
from tests.clocks import EARLIER, FUTURE, PAST
from tests.running_server import serving
from tests.sample_images import picture
from tests.site.conftest import soup

FORMATS = ("atom", "rss", "json")
BODY = "One & *two* <b>three</b>\n\n[four](/about) [five](#six) ![seven](/uploads/7.png)\n\n\x0bx"


@pytest.fixture
def change(app):
    """`change(record, id, field=value)` edits a record as the program."""

    def changed(record, id, **raw):
        with app.app_context():
            return write.update(record, SYSTEM, id, raw)

    return changed


@pytest.fixture
def rich(make, people):
    """A post with everything that could go wrong in a feed."""
    return make(
        POSTS, title="Salt & <Pepper>", body=BODY, author=people["ann"].id, published_at=PAST,
        category=make(CATEGORIES, name="Field & notes"), tags=["sea", "shore"], excerpt="A \"few\".",
    )  # fmt: skip


def parsed(client, path="/feed.atom"):
    response = client.get(path)
    assert response.status_code == 200
    kind = {"content-type": response.headers["Content-Type"]}
    return feedparser.parse(response.data, response_headers=kind)


@pytest.mark.parametrize("form", ["atom", "rss"])
def test_feedparser_reads_every_part_of_a_post(client, rich, change, people, app, form):
    change(POSTS, rich, comments_open=False)
    found = parsed(client, f"/feed.{form}")
    assert not found.bozo, found.get("bozo_exception")
    assert found.version == {"atom": "atom10", "rss": "rss20"}[form]
    one = found.entries[0]
    assert one.link == "http://localhost/posts/salt-pepper"
    assert one.author == "ann"
    with app.app_context():
        post = read.get_record(POSTS, SYSTEM, rich)
    assert datetime(*one.published_parsed[:6]).isoformat() + "Z" == PAST
    assert datetime(*one.updated_parsed[:6]).isoformat() + "Z" == post["updated_at"]
    assert {tag.get("label") or tag.term for tag in one.tags} == {"Field & notes", "sea", "shore"}
    content = one.content[0].value
    for word in ("three", "http://localhost/about", "http://localhost/posts/salt-pepper#six",
                 "http://localhost/uploads/7.png"):  # fmt: skip
        assert word in content
    assert 'A "few".' in one.summary and found.feed.link == "http://localhost/"


def test_xml_contains_exactly_what_was_written(client, rich):
    atom = "{http://www.w3.org/2005/Atom}"
    entry = ElementTree.fromstring(client.get("/feed.atom").data).find(f"{atom}entry")
    assert entry.find(f"{atom}title").text == "Salt & <Pepper>"
    assert "<p>One &amp; <em>two</em> <b>three</b></p>" in entry.find(f"{atom}content").text
    item = ElementTree.fromstring(client.get("/feed.rss").data).find("channel/item")
    assert item.find("title").text == "Salt & <Pepper>"
    assert item.find("guid").attrib == {"isPermaLink": "false"}
    assert item.find("guid").text == entry.find(f"{atom}id").text


def test_json_feed(client, rich):
    response = client.get("/feed.json")
    assert response.mimetype == "application/feed+json"
    found = json.loads(response.data)
    assert found["version"] == "https://jsonfeed.org/version/1.1"
    assert found["feed_url"] == "http://localhost/feed.json"
    item = found["items"][0]
    assert item["id"] == parsed(client).entries[0].id
    assert (item["title"], item["date_published"]) == ("Salt & <Pepper>", PAST)
    assert item["authors"] == [{"name": "ann", "url": "http://localhost/authors/ann"}]
    assert item["tags"] == ["Field & notes", "sea", "shore"]


@pytest.mark.parametrize("form", FORMATS)
def test_feed_contains_only_live_posts(visitor, content, form):
    for name in (None, "ann", "root"):
        text = visitor(name).get(f"/feed.{form}").text
        assert "canarylive" in text and "canaryabes" in text
        for hidden in ("draft", "later", "archived", "trashed", "secret"):
            assert f"canary{hidden}" not in text


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("place", ["/tags/sea", "/categories/field-notes", "/authors/ann"])
def test_feeds_of_tags_categories_and_authors(client, content, place, form):
    text = client.get(f"{place}/feed.{form}").text
    assert "canarylive" in text and ("canaryabes" in text) == (place != "/authors/ann")
    assert client.get(f"{place}x/feed.{form}").status_code == 404


def test_covers_are_included(client, content, change, as_):
    sent = as_("root").post("media", data={"file": (io.BytesIO(picture()), "a.png")})
    change(POSTS, content.live, cover=sent.json["id"])
    address = "http://localhost" + sent.json["url"]
    for form in ("atom", "rss"):
        assert parsed(client, f"/feed.{form}").entries[0].media_content[0]["url"] == address
    items = json.loads(client.get("/feed.json").data)["items"]
    assert items[0]["image"] == address and "image" not in items[1]
    page = soup(client.get("/posts/live"))
    assert page.find("meta", property="og:image")["content"] == address
    assert json.loads(page.find("script").text)["image"] == address


def test_empty_site_has_a_feed(client):
    for form in FORMATS:
        assert client.get(f"/feed.{form}").status_code == 200
    found = parsed(client)
    assert not found.bozo and found.entries == [] and found.feed.updated
    assert client.get("/feed.xml").status_code == 404


def test_feed_has_at_most_twenty_posts_newest_first(client, make, people):
    for number in range(22):
        when = f"2026-01-{number + 1:02}T10:00:00Z"
        make(POSTS, title=f"N{number}", body="x", author=people["ann"].id, published_at=when)
    titles = [one.title for one in parsed(client).entries]
    assert titles == [f"N{number}" for number in range(21, 1, -1)]


def test_urls_are_absolute(make_app, people):
    app = make_app(PUBLIC_URL="https://example.org")
    with app.app_context():
        raw = {"title": "Live", "body": "x", "author": people["ann"].id, "published_at": PAST}
        write.create(POSTS, SYSTEM, raw)
    found = parsed(app.test_client())
    assert found.entries[0].link == "https://example.org/posts/live"
    assert found.feed.links[0].href == "https://example.org/feed.atom"


def test_unchanged_feed_is_304(client, content, change):
    first = client.get("/feed.atom")
    assert first.headers["Cache-Control"] == PUBLIC
    by_tag = {"If-None-Match": first.headers["ETag"]}
    by_time = {"If-Modified-Since": first.headers["Last-Modified"]}
    for known in (by_tag, by_tag | by_time):
        again = client.get("/feed.atom", headers=known)
        assert again.status_code == 304 and not again.data
        assert again.headers["ETag"] == first.headers["ETag"]
    assert client.get("/feed.rss", headers=by_tag).status_code == 200
    change(POSTS, content.abes, title="Abes 2")
    assert client.get("/feed.atom", headers=by_tag).status_code == 200
    old = {"If-Modified-Since": "Thu, 01 Jan 2026 00:00:00 GMT"}
    assert client.get("/feed.atom", headers=old).status_code == 200


def test_last_modified_only_counts_if_it_is_ours(app, client, content, monkeypatch):
    later = now() + timedelta(hours=1)
    monkeypatch.setattr("quire.site.feeds.now", lambda: later)
    first = client.get("/feed.atom")
    known = {"If-Modified-Since": first.headers["Last-Modified"]}
    assert client.get("/feed.atom", headers=known).status_code == 304
    far = {"If-Modified-Since": "Thu, 01 Jan 2099 00:00:00 GMT"}
    assert client.get("/feed.atom", headers=far).status_code == 200


CHANGES = {
    "post": lambda change, ids: change(POSTS, ids.abes, title="New"),
    "site": lambda change, ids: change(SETTINGS, 1, site_name="New"),
    "tag": lambda change, ids: change(TAGS, ids.sea, name="ocean"),
    "category": lambda change, ids: change(CATEGORIES, ids.category, name="New"),
    "author": lambda change, ids: change(PROFILES, ids.profile, display_name="Ann Archer"),
    "hidden": lambda change, ids: change(POSTS, ids.live, published_at=None),
    "shown": lambda change, ids: change(POSTS, ids.draft, published_at=PAST),
}


@pytest.mark.parametrize("what", CHANGES)
def test_every_visible_change_appears_immediately(app, client, content, change, people, what):
    with app.app_context():
        content.sea = read.find_id(TAGS, SYSTEM, slug="sea")
        content.profile = read.find_id(PROFILES, SYSTEM, user_id=people["ann"].id)
    before = {form: client.get(f"/feed.{form}") for form in FORMATS}
    CHANGES[what](change, content)
    for form in FORMATS:
        after = client.get(f"/feed.{form}")
        assert after.headers["ETag"] != before[form].headers["ETag"]
        assert after.data != before[form].data


def test_unrelated_changes_do_not_change_a_feed(client, content, change):
    before = client.get("/feed.atom")
    change(POSTS, content.draft, title="Another draft")
    assert client.get("/feed.atom").headers["ETag"] == before.headers["ETag"]


def test_posts_appear_and_disappear_by_schedule(client, content, change, stop_clock):
    soon = now() + timedelta(hours=1)
    change(POSTS, content.later, published_at=rfc3339(soon))
    change(POSTS, content.abes, unpublish_at=rfc3339(soon))
    assert {one.title for one in parsed(client).entries} == {"Live", "Abes"}
    stop_clock(hours=1)
    assert {one.title for one in parsed(client).entries} == {"Live", "Later"}


def test_cached_feed_takes_no_statements(client, content, statements):
    for _ in range(20):  # each connection of the pool
        client.get("/feed.atom")
    _, asked = statements(client.get, "/feed.atom")
    assert asked == []


@pytest.fixture
def follower(app):
    """A reader that has subscribed to the Atom and the RSS feed of a running site."""
    # loaded here, since it takes 4 MB of each process
    library = import_module("reader")
    with serving(app) as url, library.make_reader(":memory:") as reader:
        for form in ("atom", "rss"):
            reader.add_feed(f"{url}/feed.{form}")
        yield reader


def seen(reader, form):
    reader.update_feeds(scheduled=False)
    feed = next(one.url for one in reader.get_feeds() if one.url.endswith(form))
    return {one.id: one for one in reader.get_entries(feed=feed)}


@pytest.mark.parametrize("form", ["atom", "rss", "json"])
def test_reader_follows_edits_slugs_and_withdrawals(app, follower, content, change, form):
    if form == "json":
        port = next(iter(follower.get_feeds())).url.rpartition("/")[0]
        follower.add_feed(f"{port}/feed.json")
    first = seen(follower, form)
    assert sorted(one.title for one in first.values()) == ["Abes", "Live"]
    id = next(one.id for one in first.values() if one.title == "Live")
    change(POSTS, content.live, title="Alive", slug="quite-another", body="edited")
    after = seen(follower, form)
    assert after.keys() == first.keys() and after[id].title == "Alive"
    assert after[id].link.endswith("/posts/quite-another")
    assert "edited" in after[id].content[0].value
    change(POSTS, content.live, published_at=None)
    with app.app_context():
        write.delete(POSTS, SYSTEM, content.abes, permanent=True)
    seen(follower, form)
    assert not any(one.last_exception for one in follower.get_feeds())
    change(POSTS, content.live, published_at=EARLIER)
    again = seen(follower, form)
    assert (
        again.keys() == first.keys()
    )  # restored posts are recognized, and nothing is listed twice


def test_pages_link_to_their_feeds(client, content):
    links = soup(client.get("/")).find_all("link", type="application/atom+xml")
    assert [link["href"] for link in links] == ["/feed.atom"]
    for place in ("/tags/sea", "/categories/field-notes", "/authors/ann"):
        own = soup(client.get(f"{place}?page=1")).find_all("link", type="application/atom+xml")[1]
        assert client.get(own["href"]).status_code == 200 and own["href"].startswith(place)
    assert FUTURE  # scheduled far ahead, so never in a feed

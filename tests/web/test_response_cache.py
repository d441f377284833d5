"""The response cache: hits need no SQL, are never stale and never reach the wrong client."""

import threading
import tracemalloc
from datetime import timedelta

import orjson
import pytest
from flask.testing import FlaskClient

from quire.actor import SYSTEM
from quire.declare.clock import now, rfc3339
from quire.monitoring.counters import RESPONSE_LOOKUPS, counters
from quire.records import COMMENTS, PAGES, POSTS, SETTINGS, TAGS, USERS
from quire.site import view_counter
from quire.store import data_versions, write
from quire.store.maintenance_mode import begin_maintenance, end_maintenance
from quire.web import response_cache
from quire.web.response_cache import ResponseCache

KEPT = (
    "/api/v1/posts", "/api/v1/posts?sort=-title&fields=id,title", "/api/v1/posts/1", "/api/v1/comments",
    "/api/v1/openapi.json", "/", "/?page=1", "/posts/first", "/tags/sea", "/authors/ann", "/archive",
    "/pages/about", "/feed.atom", "/feed.rss", "/feed.json", "/tags/sea/feed.atom", "/sitemap.xml",
    "/sitemap-posts-1.xml",
)  # fmt: skip
OWN = {"x-request-id", "date", "x-changes-cursor"}
"""Headers that may differ between two responses; a cursor contains the second of its creation."""
BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"}


def fill(people):
    """Create a post with a tag and a page, which the paths above show."""
    author, moment = people["ann"].id, rfc3339(now() - timedelta(hours=1))
    raw = {"title": "First", "body": "b" * 2000, "tags": ["sea"], "author": author}
    write.create(POSTS, SYSTEM, {**raw, "published_at": moment})
    write.create(PAGES, SYSTEM, {"title": "About", "body": "us", "published_at": moment})


@pytest.fixture
def site(app, people):
    with app.app_context():
        fill(people)
    return app


@pytest.fixture
def client(site):
    """A client that stores no cookies and accepts compressed responses."""
    return FlaskClient(site, site.response_class, use_cookies=False)


def hits():
    return counters.snapshot().get((RESPONSE_LOOKUPS, "hit"), [0])


def shown(response):
    return {k.lower(): v for k, v in response.headers.items() if k.lower() not in OWN}


@pytest.mark.parametrize("path", KEPT)
@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_cached_response_needs_no_sql(site, client, statements, path, coding):
    headers = {"Accept-Encoding": coding}
    first = client.get(path, headers=headers)
    again, seen = statements(lambda: client.get(path, headers=headers))
    assert (first.status_code, seen) == (200, [])
    assert again.data == first.data and shown(again) == shown(first)
    assert again.headers["X-Request-Id"] != first.headers["X-Request-Id"]
    head, seen = statements(lambda: client.head(path, headers=headers))
    assert (head.status_code, head.data, seen) == (200, b"", [])
    assert shown(head) == shown(first)


@pytest.mark.parametrize("path", KEPT)
@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_not_modified_response_needs_no_sql(site, client, statements, path, coding):
    headers = {"Accept-Encoding": coding}
    sent = {**headers, "If-None-Match": client.get(path, headers=headers).headers["ETag"]}
    again, seen = statements(lambda: client.get(path, headers=sent))
    assert (again.status_code, again.data, seen) == (304, b"", [])
    without = site.response_cache
    site.response_cache = None
    try:
        slow = client.get(path, headers=sent)
    finally:
        site.response_cache = without
    assert slow.status_code == 304
    assert shown(again).items() >= {k: v for k, v in shown(slow).items() if k != "vary"}.items()
    assert set(again.vary) == set(slow.vary)


def test_conditional_request_fills_the_cache(site, client, statements):
    tag = client.get("/api/v1/posts").headers["ETag"]
    write_post(site, "Second")
    assert client.get("/api/v1/posts", headers={"If-None-Match": tag}).status_code == 200
    answer, seen = statements(lambda: client.get("/api/v1/posts"))
    assert (answer.json["total"], seen) == (2, [])


def write_post(app, title, **more):
    with app.app_context():
        raw = {"title": title, "body": "b", "author": 1, "published_at": rfc3339(now())}
        return write.create(POSTS, SYSTEM, {**raw, **more}).id


CHANGES = {
    "/api/v1/posts": lambda: write.update(POSTS, SYSTEM, 1, {"title": "Changed"}),
    "/api/v1/posts/1": lambda: write.delete(POSTS, SYSTEM, 1),
    "/api/v1/comments": lambda: approved_comment(),
    "/api/v1/posts?fields=id,comment_count": lambda: approved_comment(),
    "/api/v1/tags?fields=id,post_count": lambda: write.act(POSTS, SYSTEM, 1, "unpublish"),
    "/": lambda: write.update(SETTINGS, SYSTEM, 1, {"site_name": "Changed"}),
    "/posts/first": lambda: approved_comment(),
    "/tags/sea": lambda: write.update(TAGS, SYSTEM, 1, {"description": "Changed"}),
    "/authors/ann": lambda: write.update(USERS, SYSTEM, write_as["ann"], {"bio": "Changed"}),
    "/pages/about": lambda: write.delete(PAGES, SYSTEM, 1, permanent=True),
    "/feed.atom": lambda: write.update(POSTS, SYSTEM, 1, {"body": "Changed"}),
    "/sitemap-posts-1.xml": lambda: write.update(POSTS, SYSTEM, 1, {"slug": "changed"}),
}


write_as = {}
"""User ids, for CHANGES."""


def approved_comment():
    raw = {"post": 1, "author": write_as["ann"], "body": "b"}
    write.act(COMMENTS, SYSTEM, write.create(COMMENTS, SYSTEM, raw).id, "approve")


@pytest.mark.parametrize("path", CHANGES)
def test_change_in_one_process_is_visible_immediately_in_another(
    app, guarded, people, path, monkeypatch
):
    """Like two processes, two applications share nothing except the database."""
    monkeypatch.setitem(write_as, "ann", people["ann"].id)
    with app.app_context():
        fill(people)
    readers = app.test_client(), guarded.test_client()
    before = [[reader.get(path).data for reader in readers] for _ in range(2)][1]
    with app.app_context():
        CHANGES[path]()
    after = [reader.get(path) for reader in readers]
    assert before[0] == before[1] and after[0].status_code == after[1].status_code
    assert all(one.data != before[0] for one in after)


def test_scheduled_publication_is_exact_to_the_second(site, client, stop_clock):
    times = {"published_at": 30, "unpublish_at": 50}
    stop_clock()
    start = now()
    write_post(
        site, "Later", **{k: rfc3339(start + timedelta(seconds=v)) for k, v in times.items()}
    )
    totals = []
    for seconds in (0, 29, 31, 49, 51):
        stop_clock(seconds=seconds)
        totals.append(client.get("/api/v1/posts?fields=title").json["total"])
    assert totals == [1, 1, 2, 2, 1]


def test_personal_responses_are_neither_cached_nor_served_from_it(site, client, as_, people):
    client.get("/api/v1/posts")
    before = hits()
    assert client.get("/api/v1/posts", headers={"Authorization": "Bearer x"}).status_code == 401
    assert client.get("/api/v1/posts", headers={"X-API-Key": "x"}).status_code == 401
    assert as_("ann").get("/api/v1/posts").headers["Cache-Control"].startswith("private")
    browser = site.test_client()
    page = browser.get("/auth/login")
    assert "Set-Cookie" in page.headers and browser.get("/auth/login").status_code == 200
    assert browser.get("/").headers["Cache-Control"].startswith("private")
    assert client.get("/api/v1/posts", headers={"Host": "evil.example"}).status_code == 400
    assert hits() == before
    assert not any(key[0].startswith("/auth/") for key in site.response_cache._answers)


VARIANTS = (
    {"headers": {"Cookie": "user_prefs=theme=dark"}},
    {"headers": {"Host": "127.0.0.1"}},
    {"base_url": "https://localhost/"},
    {"headers": {"Accept-Encoding": "br"}},
)


@pytest.mark.parametrize("variant", VARIANTS)
def test_relevant_request_headers_are_part_of_the_cache_key(site, client, variant):
    plain = client.get("/posts/first")
    assert shown(client.get("/posts/first", **variant)) != shown(plain)
    assert client.get("/posts/first").data == plain.data


def test_unknown_cookies_and_origins_still_hit_the_cache(site, client, statements):
    client.get("/")
    sent = {"Cookie": "_ga=1; other=2", "Origin": "https://elsewhere.example"}
    assert statements(lambda: client.get("/", headers=sent))[1] == []


def test_listed_origin_may_read_a_cached_response(make_app, people):
    app = make_app(CORS_ORIGINS=["https://app.example.org"])
    client = app.test_client()
    allowed = [
        client.get("/api/v1/posts", headers={"Origin": origin}).headers.get(
            "Access-Control-Allow-Origin"
        )
        for origin in ("https://app.example.org", "https://other.example") * 2
    ]
    assert allowed == ["https://app.example.org", None] * 2


def test_responses_with_unknown_parameters_are_not_cached(site, client):
    site.response_cache._answers.clear()
    for number in range(3):
        assert client.get(f"/?utm={number}").status_code == 200
        assert client.get(f"/api/v1/posts?utm={number}").status_code == 400
    assert len(site.response_cache._answers) == 0


def test_rate_limits_count_cached_responses(make_app, people):
    client = make_app(RATELIMIT_ENABLED=True, RATELIMIT_API="4/minute").test_client()
    answers = [client.get("/api/v1/posts") for _ in range(5)]
    assert [one.status_code for one in answers] == [200] * 4 + [429]
    assert [one.headers["RateLimit-Remaining"] for one in answers] == ["3", "2", "1", "0", "0"]
    assert client.get("/").status_code == 200


def test_maintenance_mode_blocks_cached_responses(site, client):
    assert client.get("/").status_code == 200
    with site.app_context():
        begin_maintenance(SYSTEM, "Soon back.")
    assert client.get("/").status_code == 503
    with site.app_context():
        end_maintenance(SYSTEM)
    assert client.get("/").status_code == 200


def test_views_of_cached_pages_are_counted(site, client):
    view_counter._counted.clear()
    for sent in (BROWSER, BROWSER, {"User-Agent": "curl/8"}, BROWSER):
        client.get("/posts/first", headers=sent)
    client.head("/posts/first", headers=BROWSER)
    assert view_counter._counted == {1: 3}
    view_counter._counted.clear()


def test_cache_size_of_zero_disables_the_cache(make_app, people):
    app = make_app(RESPONSE_CACHE_BYTES=0)
    assert app.response_cache is None and app.test_client().get("/api/v1/posts").status_code == 200


class Unchanged:
    """A database in which only `version` changes."""

    def __init__(self):
        self.version, self.now, self.until = 0, now(), now() + timedelta(days=1)

    def state(self, environ):
        return self

    def versions_of(self, names):
        return {"all": self.version}

    def has(self, versions):
        return versions == {"all": self.version}

    def collect_reads(self):
        return data_versions.collect_reads()


def request(path):
    return {
        "REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": "", "HTTP_HOST": "localhost",
        "HTTP_ACCEPT_ENCODING": "identity", "wsgi.url_scheme": "http", "quire.if_none_match": "",
    }  # fmt: skip


def answering(body, made):
    def inner(environ, start_response):
        made.append(environ["PATH_INFO"])
        control = "public, max-age=0, must-revalidate, s-maxage=60"
        start_response("200 OK", [("Content-Length", str(len(body))), ("Cache-Control", control)])
        return [body]

    return inner


def test_cache_memory_is_bounded(app):
    kept, made = ResponseCache(app, 120_000, Unchanged(), ()), []
    for path in (f"/{number}" for number in range(100)):
        kept.respond(request(path), lambda *_: None, answering(b"x" * 9000, made))
    assert kept._answers.currsize <= 120_000 and 10 < len(kept._answers) < 20
    kept.respond(request("/large"), lambda *_: None, answering(b"x" * 20_000, made))
    assert not any(key[0] == "/large" for key in kept._answers)


def test_medium_sized_uncompressed_bodies_are_stored_compressed(app):
    kept, made = ResponseCache(app, 1_000_000, Unchanged(), ()), []
    sizes = {"/short": 1000, "/packed": 5000, "/long": 20_000}
    for path, size in sizes.items():
        kept.respond(request(path), lambda *_: None, answering(b"x" * size, made))
    coded = {**request("/packed"), "HTTP_ACCEPT_ENCODING": "gzip"}
    kept.respond(coded, lambda *_: None, answering(b"x" * 5000, made))
    lengths = [len(answer.stored) for answer in kept._answers.values()]
    assert lengths == [1000, lengths[1], 20_000, 5000] and lengths[1] < 100
    for path, size in sizes.items():
        assert kept.respond(request(path), lambda *_: None, None) == [b"x" * size]


def test_concurrent_misses_compute_the_response_once(app):
    database, made, waiting = Unchanged(), [], threading.Barrier(4)
    kept = ResponseCache(app, 100_000, database, ())
    make = answering(b"x", made)
    kept.respond(request("/"), lambda *_: None, make)
    database.version = 1

    def ask():
        waiting.wait()
        kept.respond(request("/"), lambda *_: None, make)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(made) == 2


def test_cached_body_takes_no_more_memory_than_its_length():
    written = orjson.dumps("x" * 2000)  # with as much unused memory after its end
    tracemalloc.start()
    try:
        kept = response_cache._join([written])
        bytes_taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept == written and len(kept) <= bytes_taken < len(kept) + 500

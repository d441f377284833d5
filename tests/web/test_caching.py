"""Which responses shared caches may store, for how long and under which tags."""

from datetime import timedelta

import pytest

from quire.actor import SYSTEM
from quire.declare.clock import now, rfc3339
from quire.records import COMMENTS, PAGES, POSTS
from quire.site.content import about
from quire.store.write import update
from quire.web.caching import PUBLIC, TAG_BYTES, cache_tag
from tests.users import give_session

PAST = "2026-01-02T10:00:00Z"
API = [
    "/api/v1/posts", "/api/v1/posts?fields=title&per_page=5", "/api/v1/posts/{post}", "/api/v1/tags/1",
    "/api/v1/posts/by-slug/live", "/api/v1/posts/{post}/comments", "/api/v1/settings",
    "/api/v1/posts/counts?by=status",
]  # fmt: skip
PAGES_OF_THE_SITE = [
    "/", "/posts/live", "/tags/sea", "/authors/ann", "/archive", "/archive/2026/01", "/about",
    "/feed.atom", "/tags/sea/feed.json", "/sitemap.xml", "/sitemap-posts-1.xml", "/theme.css",
]  # fmt: skip
DOCUMENTS = ["/api/v1/openapi.json", "/api/v1/docs"]
NOT_PUBLIC = [
    "/search?q=live", "/api/v1/search?q=live", "/auth/login", "/auth/register", "/display", "/nowhere",
    "/api/v1/changes", "/api/v1/csrf-token", "/api/v1/posts/99", "/api/v1/users/me", "/dashboard",
    "/theme/dark", "/posts/LIVE", "/healthz", "/api/v1/posts/export",
]  # fmt: skip


@pytest.fixture
def post(make, people):
    """A post of Ann's with a tag and a comment, and a page about the site."""
    live = {"published_at": PAST, "author": people["ann"].id, "slug": "live", "tags": ["sea"]}
    id = make(POSTS, title="Live", body="Text.", **live)
    make(COMMENTS, post=id, author=people["bob"].id, body="Hello.", status="approved")
    make(PAGES, title="About", body="us", published_at=PAST)
    return id


def tags_of(response):
    return response.headers["Cache-Tag"].split(", ")


@pytest.mark.parametrize("path", [*API, *PAGES_OF_THE_SITE, *DOCUMENTS])
def test_public_content_is_cacheable_by_shared_caches(client, post, path):
    path = path.format(post=post)
    for method in ("GET", "HEAD"):
        response = client.open(path, method=method)
        assert (response.status_code, response.headers["Cache-Control"]) == (200, PUBLIC)
        assert "Set-Cookie" not in response.headers
        assert {"Authorization", "Cookie", "X-API-Key"} <= set(response.headers["Vary"].split(", "))
        assert "nonce" not in response.headers["Content-Security-Policy"]
    known = {"If-None-Match": response.headers["ETag"]}
    again = client.get(path, headers=known)
    assert (again.status_code, again.headers["Cache-Control"]) == (304, PUBLIC)
    assert again.headers.get("Cache-Tag") == response.headers.get("Cache-Tag")
    assert set(again.headers["Vary"].split(", ")) == set(response.headers["Vary"].split(", "))


@pytest.mark.parametrize("path", NOT_PUBLIC)
def test_other_responses_are_not_cacheable_by_shared_caches(client, post, path):
    headers = client.get(path).headers
    control = headers["Cache-Control"]
    assert "public" not in control and ("private" in control or control == "no-store")
    assert "Cache-Tag" not in headers


def test_responses_to_requests_with_credentials_are_private(app, client, as_, post, people):
    for path in (*API, "/api/v1/posts/export"):
        response = as_("bob").get(path.format(post=post))
        assert response.headers["Cache-Control"] in ("private, no-store", "no-store")
        assert "Cache-Tag" not in response.headers
    for cookie in (app.config["SESSION_COOKIE_NAME"], app.config["REMEMBER_COOKIE_NAME"]):
        client.set_cookie(cookie, "broken")
        for path in ("/", "/posts/live", "/feed.atom", "/api/v1/posts"):
            response = client.get(path)
            assert response.status_code == 200
            assert response.headers["Cache-Control"] == "private, no-store", (cookie, path)
        client.delete_cookie(cookie)
    give_session(app, client, people["bob"])
    for path in PAGES_OF_THE_SITE:
        assert client.get(path).headers["Cache-Control"] == "private, no-store", path


def test_response_to_a_post_request_is_private(client, post):
    response = client.post("/api/v1/posts/query", json={})
    assert (response.status_code, response.headers["Cache-Control"]) == (200, "private, no-store")


def test_response_that_sets_a_cookie_is_private(app, client, post, monkeypatch):
    def hand_out(response):
        response.set_cookie("taste", "sweet")
        return response

    with monkeypatch.context() as patch:
        patch.setitem(app.after_request_funcs, None, [hand_out, *app.after_request_funcs[None]])
        response = client.get("/posts/live")
    assert response.headers["Cache-Control"] == "private, no-store"
    assert "Cache-Tag" not in response.headers


@pytest.mark.parametrize("word", ["csp_nonce", "csrf_token"])
def test_page_with_a_nonce_or_csrf_token_is_private(app, post, word):
    with app.test_request_context("/about"):
        app.preprocess_request()
        assert app.jinja_env.globals[word]()
        response = app.process_response(about())
    assert response.headers["Cache-Control"] in ("private, no-cache", "private, no-store")


def test_assets_do_not_depend_on_cookies(client):
    page = client.get("/").text
    address = page.partition('rel="stylesheet" href="')[2].partition('"')[0]
    headers = client.get(address).headers
    assert "immutable" in headers["Cache-Control"] and headers["Vary"] == "Accept-Encoding"


def test_cache_tags_name_the_records_shown(app, client, post, people):
    ann, bob = (f"users-{people[name].id}" for name in ("ann", "bob"))
    about_post = ["posts", f"posts-{post}"]
    expected = {
        f"/api/v1/posts/{post}": {*about_post, "users", ann, "tags", "tags-1"},
        f"/api/v1/posts/{post}?fields=title": {*about_post},
        f"/api/v1/posts/{post}?fields=author": {*about_post, "users", ann},
        f"/api/v1/posts/{post}/comments": {*about_post, "comments", "comments-1", "users", bob},
        "/api/v1/posts/counts?by=status": {"posts"},
        "/feed.atom": {*about_post, "users", ann, "tags", "tags-1", "profiles", "settings"},
        "/archive": {"posts", "settings", "appearance", "pages", "profiles"},
    }
    for path, tags in expected.items():
        assert set(tags_of(client.get(path))) == tags, path
    included = tags_of(client.get("/api/v1/posts?include=comments.author"))
    assert {"comments", "comments-1", bob} <= set(included)
    inside = tags_of(client.get(f"/api/v1/posts/{post}?include=author.profile"))
    assert any(one.startswith("profiles-") for one in inside)
    page = tags_of(client.get("/posts/live"))
    assert {*about_post, "comments-1", ann, bob, "tags-1", "settings", "pages"} <= set(page)
    assert {"users", ann, f"posts-{post}"} <= set(tags_of(client.get("/authors/ann")))
    assert tags_of(client.get("/api/v1/posts")) == tags_of(client.get("/api/v1/posts"))


def test_too_many_cache_tags_are_shortened_to_record_types(client):
    shown = {"posts": dict.fromkeys(range(1000)), "tags": {1: None}}
    assert cache_tag(shown, ["settings"]) == "posts, tags, settings"
    assert cache_tag({"posts": {0: None, 1: None}, "tags": {}}) == "posts, posts-0, posts-1, tags"
    assert len(cache_tag({"posts": dict.fromkeys(range(300))})) <= TAG_BYTES


def test_scheduled_publication_shortens_the_shared_lifetime(app, client, make, people):
    soon = rfc3339(now() + timedelta(seconds=40))
    make(POSTS, title="Soon", body="Text.", author=people["ann"].id, published_at=soon)
    for path in ("/api/v1/posts", "/", "/feed.atom", "/sitemap.xml"):
        control = client.get(path).headers["Cache-Control"]
        start, _, seconds = control.rpartition("=")
        assert start == "public, max-age=0, must-revalidate, s-maxage" and int(seconds) <= 40
    with app.app_context():
        later = {"published_at": rfc3339(now() + timedelta(hours=1))}
        update(POSTS, SYSTEM, 1, later)
    assert client.get("/api/v1/posts").headers["Cache-Control"] == PUBLIC

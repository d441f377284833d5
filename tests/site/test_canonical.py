"""One URL for each page: other spellings redirect to it, and no page has two URLs."""

from unicodedata import normalize
from urllib.parse import quote, unquote

import pytest

from quire.records import PAGES, POSTS, REDIRECTS, TAGS
from tests.clocks import PAST
from tests.site.conftest import soup
from tests.users import give_session

PAGES_WITH_ONE_ADDRESS = [
    "/posts/live", "/pages/about", "/about", "/tags/sea", "/categories/field-notes", "/authors/ann",
    "/archive", "/archive/2026/01", "/search", "/feed.atom", "/feed.rss", "/feed.json",
    "/tags/sea/feed.atom", "/categories/field-notes/feed.rss", "/authors/ann/feed.json",
    "/sitemap.xml", "/sitemap-posts-1.xml", "/robots.txt", "/healthz", "/theme.css",
    "/auth/login", "/auth/register", "/auth/reset",
]  # fmt: skip


def ask(client, address, method="GET", **more):
    """Send a request like `client.get`, with paths that look like hosts left as they are."""
    path, _, query = address.partition("?")
    environ = {"PATH_INFO": unquote(path), "QUERY_STRING": query}
    return client.open("/", method=method, environ_overrides=environ, **more)


def spellings(path):
    """Yield the forms of a path that people, old links and other programs use."""
    yield from (f"{path}/", f"{path}//", f"/{path}", f"///{path}/", path.upper(), path.title())
    yield f"{path.upper()}/"
    yield path.replace("/", "//")


@pytest.mark.parametrize("path", PAGES_WITH_ONE_ADDRESS)
def test_other_spellings_redirect_to_the_canonical_url(client, content, path):
    assert client.get(path).status_code == 200
    for spelling in spellings(path):
        for query in ("", "?page=1&utm_source=a%20b"):
            got = ask(client, spelling + query)
            assert (got.status_code, got.location) == (301, path + query), spelling
            assert "private" in got.headers["Cache-Control"]
        assert ask(client, spelling, "HEAD").location == path


def test_programs_are_redirected_too(client, content):
    headers = {"Accept": "application/json"}
    assert client.get("/feed.json/", headers=headers).location == "/feed.json"
    assert client.get("/nothing/", headers=headers).json["code"] == "not_found"


@pytest.mark.parametrize(
    "path",
    ["/posts/nothing/", "/POSTS/NOTHING", "/tags/nothing/feed.atom/", "/authors/nobody/", "/nothing/",
     "/archive/2026/13/", "/archive/1999/01/", "/sitemap-nothing-1.xmlx/", "/posts/live/x/", "/static/x/"],
)  # fmt: skip
def test_unknown_paths_stay_404(client, content, path):
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("name", ["draft", "later", "archived", "trashed"])
def test_hidden_records_are_not_revealed(app, client, content, people, name):
    for spelling in spellings(f"/posts/{name}"):
        assert ask(client, spelling).status_code == 404, spelling
    give_session(app, client, people["ann"])
    if client.get(f"/posts/{name}").status_code == 200:
        assert client.get(f"/posts/{name.upper()}/").location == f"/posts/{name}"


@pytest.mark.parametrize(
    "path",
    ["//evil.example", "//evil.example/", "///evil.example/posts/live", "//evil.example/%2e%2e/posts/live",
     "/\\evil.example/", "/%5cevil.example/", "/%2f%2fevil.example/", "//localhost@evil.example/about/",
     "/http://evil.example/", "//%0d%0aevil/", "//evil.example//about"],
)  # fmt: skip
def test_no_spelling_redirects_to_another_host(client, content, path):
    got = ask(client, path)
    assert got.status_code in (400, 404) or (
        got.status_code == 301
        and got.location.startswith("/")
        and got.location[1:2] not in ("/", "\\")
    )


def test_changes_are_not_redirected(client, content):
    assert client.post("/posts/live/", data={}).status_code == 404


def test_secrets_are_case_sensitive(client, content):
    for path in ("/preview/AbC", "/auth/reset/AbC", "/uploads/AbC.png", "/custom/A.css"):
        got = client.get(path)
        assert got.status_code == 404, path
    assert client.get("/auth/reset/AbC/").location == "/auth/reset/AbC"


def test_slug_with_capitals(client, make, people):
    raw = {"author": people["ann"].id, "body": "x", "published_at": PAST}
    make(POSTS, title="One", slug="Apple-Pie", **raw)
    assert client.get("/posts/Apple-Pie").status_code == 200
    assert client.get("/posts/Apple-Pie/").location == "/posts/Apple-Pie"
    make(POSTS, title="Two", slug="apple-pie", **raw)
    assert [client.get(f"/posts/{slug}").status_code for slug in ("Apple-Pie", "apple-pie")] == [
        200,
        200,
    ]
    assert client.get("/posts/APPLE-PIE").location == "/posts/apple-pie"


def test_url_has_one_normal_form(client, make):
    make(TAGS, name="Caf\u00e9", slug="caf\u00e9")
    apart = quote(normalize("NFD", "/tags/caf\u00e9"))
    assert client.get("/tags/caf%C3%A9").status_code == 200
    assert client.get(apart + "?page=1").location == "/tags/caf%C3%A9?page=1"
    assert client.get(f"{apart}/feed.atom").location == "/tags/caf%C3%A9/feed.atom"


def test_usernames_are_redirected_to_their_spelling(client, content):
    for path in ("/authors/ANN", "/authors/Ann/feed.atom"):
        got = client.get(f"{path}?page=1")
        assert (got.status_code, got.location) == (301, f"{path.lower()}?page=1")


@pytest.mark.parametrize("stored", ["/2019/05/Apple.html", "/blog/apple/", "/blog/apple"])
def test_old_urls_redirect_with_and_without_a_slash(client, content, make, stored):
    make(REDIRECTS, path=stored, target="/posts/live")
    for spelling in (stored.rstrip("/"), f"{stored.rstrip('/')}/"):
        got = client.get(f"{spelling}?utm_source=x")
        assert (got.status_code, got.location) == (301, "/posts/live?utm_source=x")
    if stored.islower():
        assert client.get(stored.upper()).location == "/posts/live"


def test_query_is_joined_to_the_target_of_a_redirect(client, content, make):
    make(REDIRECTS, path="/a", target="/search?q=sea#results")
    make(REDIRECTS, path="/b", target="https://example.org/b")
    make(REDIRECTS, path="/c", target="/posts/live", permanent=False)
    assert client.get("/a?page=2").location == "/search?q=sea&page=2#results"
    assert client.get("/b?page=2").location == "https://example.org/b"
    assert client.get("/c/").status_code == 302
    assert client.get("/c?x=" + "y" * 5000).location == "/posts/live"


def test_no_redirect_leads_to_itself(client, content, make):
    make(REDIRECTS, path="/x", target="/X")
    assert client.get("/X").status_code == 404
    assert client.get("/x").location == "/X"


def test_long_query_is_not_repeated(client, content):
    assert client.get("/posts/live/?x=" + "y" * 5000).status_code == 404


def test_about_names_the_page_as_canonical(make_app, make):
    client = make_app(PUBLIC_URL="https://example.org").test_client()
    make(PAGES, title="About", body="us", published_at=PAST)
    for path in ("/about", "/pages/about"):
        found = soup(client.get(path)).find("link", rel="canonical")
        assert found["href"] == "https://example.org/pages/about"


def test_paths_are_resolved_with_few_statements(client, content, statements):
    for path in ("/posts/LIVE/", "/nothing/at/all/", "/authors/ANN/", "/tags/SEA/feed.atom/"):
        _, asked = statements(client.get, path)
        assert len(asked) <= 9, (path, len(asked))


def test_old_url_is_found_in_any_form(client, content, make):
    make(REDIRECTS, path="/caf\u00e9", target="/posts/live")
    for path in ("/caf\u00e9", "/cafe\u0301/", "/CAF\u00c9"):
        assert client.get(path).location == "/posts/live", path

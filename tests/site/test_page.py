"""The layout of pages: colours, headers, assets, metadata for search engines and assistive technology."""

import re
from itertools import pairwise

import html5lib
import pytest

from quire.actor import SYSTEM
from quire.records import PAGES, SETTINGS
from quire.site.routes import ADDRESSES
from quire.store.write import update
from quire.web.caching import PUBLIC
from tests.clocks import PAST
from tests.site.conftest import sign_in, soup
from tests.users import give_session

PAGES_OF_ALL_KINDS = [
    "/archive", "/archive/2026/01",
    "/", "/posts/live", "/pages/about", "/about", "/tags/sea", "/categories/field-notes",
    "/authors/ann", "/search?q=canary", "/auth/login", "/auth/register", "/nowhere", "/?page=x",
]  # fmt: skip


@pytest.mark.parametrize("path", PAGES_OF_ALL_KINDS)
def test_every_page_is_well_formed(client, content, comment, path):
    comment("bob", body="# Big\n\n### Small")
    response = client.get(path)
    page = soup(response)
    assert page.html["lang"] == "en" and page.title.text.endswith(" · Quire")
    assert len(page.find_all("h1")) == 1
    levels = [int(h.name[1]) for h in page.find_all(re.compile("^h[1-6]$"))]
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert all(page.body.find(name) for name in ("header", "main", "footer", "nav"))
    assert page.body.find("a")["href"] == "#content" and page.find(id="content").name == "main"
    ids = [tag["id"] for tag in page.find_all(id=True)]
    assert len(ids) == len(set(ids))
    for label in page.find_all("label"):
        assert label["for"] in ids
    data = {"type": "application/ld+json"}
    run = [one for one in page.find_all("script") if one not in page.find_all("script", data)]
    assert all(one["src"].startswith("/static/") for one in run)
    assert not page.find_all(style=True)
    assert not [t for t in page.find_all(True) for a in t.attrs if a.startswith("on")]
    for tag in page.find_all(["link", "img"]):
        assert (tag.get("href") or tag.get("src")).startswith("/")


@pytest.mark.parametrize("path", PAGES_OF_ALL_KINDS)
@pytest.mark.parametrize("name", [None, "ann"])
def test_every_page_is_valid_html(visitor, content, comment, path, name):
    comment("bob", body="- a\n- b\n\n| a | b |\n|---|---|\n| `c` | d |\n\n<details>x</details>")
    html5lib.HTMLParser(strict=True).parse(visitor(name).get(path).text)


@pytest.mark.parametrize(
    "path",
    ["/display", "/dashboard", "/profile", "/profile/password", "/profile/email", "/profile/two-factor",
     "/profile/passkeys", "/profile/sessions", "/profile/keys", "/profile/delete"],
)  # fmt: skip
def test_every_account_page_is_valid_html(visitor, people, path):
    response = visitor("ann").get(path)
    assert response.status_code == 200
    html5lib.HTMLParser(strict=True).parse(response.text)


@pytest.mark.parametrize("path", PAGES_OF_ALL_KINDS)
def test_every_page_has_its_headers(client, content, path):
    headers = client.get(path).headers
    policy = headers["Content-Security-Policy"]
    parts = dict(one.strip().partition(" ")[::2] for one in policy.split(";"))
    assert "unsafe" not in policy and "object-src" not in parts
    assert {parts[name] for name in ("default-src", "frame-ancestors", "base-uri")} == {"'none'"}
    assert {parts[name] for name in ("style-src", "form-action", "connect-src")} == {"'self'"}
    # a response that a shared cache gives to many must not contain a nonce that all of them would know
    is_public = headers["Cache-Control"] == PUBLIC
    assert is_public != path.startswith(("/auth/", "/search", "/nowhere", "/?page=x"))
    nonce = "" if is_public else " 'nonce-"
    assert parts["script-src"].startswith(f"'self'{nonce}") and "Server" not in headers
    assert ("nonce" in policy) == bool(nonce)
    assert headers["X-Content-Type-Options"] == "nosniff" and headers["X-Request-Id"]
    assert headers["Cache-Control"] and "Cookie" in headers["Vary"]


@pytest.mark.parametrize(
    ("address", "hsts"),
    [("https://example.org", "max-age=31536000; includeSubDomains"), ("http://example.org", None)],
)
def test_hsts_is_sent(make_app, address, hsts):
    client = make_app(PUBLIC_URL=address).test_client()
    for path in ("/", "/api/v1/posts", "/nowhere", "/static/site.css", "/healthz"):
        assert client.get(path).headers.get("Strict-Transport-Security") == hsts, path


def test_public_pages_are_revalidated_and_private_ones_not_stored(app, client, people, content):
    response = client.get("/posts/live")
    assert response.headers["Cache-Control"] == PUBLIC
    again = client.get("/posts/live", headers={"If-None-Match": response.headers["ETag"]})
    assert again.status_code == 304 and not again.data
    assert "Set-Cookie" not in response.headers
    browser = sign_in(app, "ann")
    for path in ("/", "/posts/draft", "/about"):
        private = browser.get(path)
        assert private.headers["Cache-Control"] == "private, no-store"
        assert "ETag" not in private.headers
    for path in ("/auth/login", "/auth/register"):
        assert client.get(path).headers["Cache-Control"] == "private, no-store"


def test_anonymous_readers_get_no_cookie(guarded, content):
    client = guarded.test_client()
    for path in PAGES_OF_ALL_KINDS:
        if not path.startswith("/auth/"):
            assert "Set-Cookie" not in client.get(path).headers, path


def test_session_makes_a_page_private(app, client, people, content):
    give_session(app, client, people["ann"])
    response = client.get("/posts/draft")
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "private, no-store"


def test_token_gives_no_access_to_pages(as_, content):
    response = as_("ann").get("/posts/draft")
    assert response.status_code == 401
    assert response.headers["Cache-Control"] == "no-store"


def test_assets_are_cached_under_versioned_urls(client):
    page = soup(client.get("/"))
    addresses = [link["href"] for link in page.find_all("link", rel=["stylesheet", "icon"])]
    assert len(addresses) == 3
    for address in addresses:
        response = client.get(address)
        assert response.status_code == 200
        assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        response.close()
        other = client.get(address[:-1])
        assert "immutable" not in other.headers.get("Cache-Control", "")
        other.close()
    assert client.get("/static/none.css?v=x").status_code == 404


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_theme_is_chosen(client, content, theme):
    response = client.get(f"/theme/{theme}?next=/posts/live")
    assert (response.status_code, response.location) == (302, "/posts/live")
    cookie = response.headers["Set-Cookie"]
    assert cookie.startswith(f"user_prefs=theme={theme};")
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Path=/" in cookie
    page = soup(client.get("/"))
    assert page.html["data-theme"] == theme
    assert page.find("a", href=f"/theme/{theme}?next=/")["aria-current"] == "true"
    client.get("/theme/auto")
    assert "data-theme" not in soup(client.get("/")).html.attrs


def test_unknown_preferences_are_not_stored(client):
    client.set_cookie("user_prefs", "evil=1&theme=light")
    assert "evil" not in client.get("/theme/dark").headers["Set-Cookie"]


@pytest.mark.parametrize(
    ("sent", "referrer", "back"),
    [
        ("//e", None, "/"),
        ("/\\e", "http://localhost/about", "/about"),
        (None, "http://localhost/search?q=x%20y", "/search?q=x%20y"),
        (None, "http://evil.example/about", "/"),
        (None, "http://localhost//evil.example", "/"),
        (None, "http://[", "/"),
        (None, None, "/"),
    ],
)
def test_theme_form_leads_back_to_a_page_of_this_site(client, sent, referrer, back):
    query = {"next": sent} if sent else {}
    headers = {"Referer": referrer} if referrer else {}
    assert client.get("/theme/dark", query_string=query, headers=headers).location == back


def test_pages_link_back_to_themselves(client, content):
    page = soup(client.get("/search?q=a%26b&x=%C3%BC"))
    address = page.footer.find("a", string="Light")["href"]
    assert client.get(address).location == "/search?q=a%26b&x=%C3%BC"
    broken = soup(client.get("/gr%C3%BC%C3%9Fe?x")).footer.find("a", string="Light")["href"]
    assert client.get(broken).location == "/gr%C3%BC%C3%9Fe?x"


def test_menu_has_public_pages_in_their_order(app, client, content, make):
    make(PAGES, title="Boats", body="x", position=2, published_at=PAST)
    with app.app_context():
        update(PAGES, SYSTEM, content.about, {"position": 3})
    for name in (None, "mod"):
        browser = sign_in(app, name)
        page = soup(browser.get("/pages/boats"))
        names = [a.text for a in page.header.find_all("a")]
        assert names[1:3] == ["Boats", "About"] and "Secret" not in names
        assert page.header.find("a", {"aria-current": "page"}).text == "Boats"


def test_site_name_comes_from_the_settings(app, client):
    with app.app_context():
        update(SETTINGS, SYSTEM, 1, {"site_name": "<Slow> Harbour", "tagline": "Tides & bread"})
    page = soup(client.get("/"))
    assert page.h1.text == "Welcome to <Slow> Harbour"
    assert page.find("meta", {"name": "description"})["content"] == "Tides & bread"


def test_descriptions(client, content, make, people):
    page = soup(client.get("/posts/live"))
    assert page.find("meta", {"name": "description"})["content"] == "canarylive"
    assert soup(client.get("/categories/field-notes")).find("meta", {"name": "description"})


def test_canonical_url_is_absolute_if_the_public_url_is_known(make_app):
    app = make_app(PUBLIC_URL="https://example.org")
    client = app.test_client()
    page = soup(client.get("/?utm_source=x"))
    assert page.find("link", rel="canonical")["href"] == "https://example.org/"
    assert soup(client.get("/nowhere")).find("link", rel="canonical") is None
    assert "Secure" in client.get("/theme/dark").headers["Set-Cookie"]


def test_later_pages_have_canonical_urls_of_their_own(make_app):
    client = make_app(PUBLIC_URL="https://example.org").test_client()
    page = soup(client.get("/?page=1&x=y"))
    assert page.find("link", rel="canonical")["href"] == "https://example.org/"


def test_without_a_public_url_there_is_no_canonical_url(client):
    assert soup(client.get("/")).find("link", rel="canonical") is None


def test_health_and_robots(client):
    response = client.get("/healthz")
    assert response.get_json() == {"status": "ok"}
    assert response.headers["Cache-Control"] == "no-store"
    robots = client.get("/robots.txt")
    assert robots.mimetype == "text/plain"
    assert "Disallow: /admin/" in robots.text and "Disallow: /\n" not in robots.text


def test_every_url_answers_head(client, content):
    for path in ("/", "/posts/live", "/healthz", "/robots.txt", "/search", "/about"):
        response = client.head(path)
        assert response.status_code == 200 and not response.data


def test_each_view_is_registered_once():
    names = [view.__name__ for _, view, _ in ADDRESSES]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("path", ["/", "/posts/live", "/pages/about", "/search?q=canary"])
def test_content_has_a_lang_attribute_if_the_page_differs(client, content, path):
    page = soup(client.get(path, headers={"Accept-Language": "de"}))
    assert page.html["lang"] == "de"
    parts = page.main.select(".prose, .summary, article h1, article h2, h2[dir]")
    assert parts and {one.get("lang") for one in parts} == {"en"}
    assert soup(client.get(path)).main.find(lang=True) is None

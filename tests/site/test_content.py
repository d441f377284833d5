"""Posts, pages and lists for each reader: hidden content is shown nowhere and not counted."""

import pytest

from quire.actor import SYSTEM
from quire.records import POSTS, PROFILES, SETTINGS, TAGS, USERS
from quire.store import read
from quire.store.write import update
from tests.clocks import EARLIER, PAST
from tests.site.conftest import soup

EVERYBODY = [None, "bob", "ann", "abe", "mod", "root"]
HIDDEN = ("draft", "later", "archived", "trashed", "secret")
LISTS = [
    "/", "/tags/sea", "/categories/field-notes", "/authors/ann", "/search?q=canary",
    "/search?q=Draft", "/search?q=canarytrashed", "/nowhere", "/about",
]  # fmt: skip


@pytest.mark.parametrize("name", EVERYBODY)
def test_lists_show_only_public_posts(visitor, content, name):
    browser = visitor(name)
    for path in LISTS:
        page = soup(browser.get(path))
        for echo in page.select("title, footer, input"):  # the query is shown again
            echo.extract()
        for word in HIDDEN:
            assert f"canary{word}" not in str(page), path
            assert f"/{word}" not in str(page), path


@pytest.mark.parametrize(
    ("slug", "readers"),
    [
        ("live", EVERYBODY),
        ("draft", ["ann", "mod", "root"]),
        ("later", ["ann", "mod", "root"]),
        ("archived", ["ann", "mod", "root"]),
        ("trashed", []),
    ],
)
def test_post_is_shown_to_those_who_may_read_it(visitor, content, slug, readers):
    for name in EVERYBODY:
        response = visitor(name).get(f"/posts/{slug}")
        assert response.status_code == (200 if name in readers else 404), name
        assert (f"canary{slug}" in response.text) == (name in readers)


@pytest.mark.parametrize(
    ("slug", "words"),
    [("draft", "Draft"), ("later", "readers do not see this yet"), ("archived", "No longer")],
)
def test_hidden_post_is_marked_and_not_indexed(visitor, content, slug, words):
    page = soup(visitor("ann").get(f"/posts/{slug}"))
    assert words in page.select_one(".state").text
    assert page.find("meta", {"name": "robots", "content": "noindex"})
    assert "Comments are closed" in page.text
    live = soup(visitor("ann").get("/posts/live"))
    assert live.select_one(".state") is None and not live.find("meta", {"name": "robots"})


def test_pages_and_about(visitor, content, client):
    assert client.get("/about").status_code == 200
    assert "us" in client.get("/pages/about").text
    assert client.get("/pages/secret").status_code == 404
    assert "canarysecret" in visitor("mod").get("/pages/secret").text
    assert visitor("ann").get("/pages/secret").status_code == 404


def test_about_is_404_without_such_a_page(client):
    assert client.get("/about").status_code == 404


def test_home_of_an_empty_site(client):
    page = soup(client.get("/"))
    assert "Welcome to Quire" in page.h1.text
    assert "Nothing has been published" in page.text
    assert "Write the first post" not in page.text


def test_home_of_an_empty_site_guides_its_administrator(visitor):
    links = {one.text: one["href"] for one in soup(visitor("root").get("/")).main.select("a")}
    assert links == {"Write the first post": "/admin/posts/new/", "Admin panel": "/admin/"}
    assert "Write the first post" not in visitor("mod").get("/").text


def test_home_shows_the_newest_posts_with_details(app, client, content, people):
    with app.app_context():
        profile = read.find_id(PROFILES, SYSTEM, user_id=people["abe"].id)
        update(PROFILES, SYSTEM, profile, {"display_name": "Abe Archer"})
    page = soup(client.get("/"))
    first, second = page.select("article.entry")
    assert (first.h2.text, second.h2.text) == ("Live", "Abes")
    assert first.time["datetime"] == PAST and first.time.text == "2 January 2026"
    assert "Abe Archer" in second.text and second.find("a", href="/authors/abe")
    assert first.find("a", href="/categories/field-notes")


def test_pages_of_a_list(app, client, content, make, people):
    for number in range(4):
        make(POSTS, title=f"Old {number}", body="x", author=people["ann"].id, published_at=EARLIER)
    with app.app_context():
        update(SETTINGS, SYSTEM, 1, {"posts_per_page": 2})
    one, two, three = (soup(client.get(f"/?page={number}&utm=x")) for number in (1, 2, 3))
    assert one.find("link", rel="prev") is None
    assert one.find("link", rel="next")["href"] == "/?utm=x&page=2"
    assert two.find("a", rel="prev")["href"] == "/?utm=x"
    assert two.find("a", rel="next")["href"] == "/?utm=x&page=3"
    assert three.find("a", rel="next") is None
    titles = [h2.text for page in (one, two, three) for h2 in page.select("article h2")]
    assert len(titles) == len(set(titles)) == 6
    assert client.get("/?page=4").status_code == 404


@pytest.mark.parametrize("path", ["/tags/sea", "/categories/field-notes"])
def test_list_pages_have_a_count(client, content, path):
    page = soup(client.get(path))
    assert "2 posts" in page.select_one(".count").text
    assert len(page.select("article.entry")) == 2


def test_tag_without_posts(client, content):
    assert "0 posts" in client.get("/tags/unused").text
    assert client.get("/tags/none").status_code == 404
    assert client.get("/categories/none").status_code == 404


def test_tag_with_only_hidden_posts_shows_none(app, client, content, make, people):
    make(POSTS, title="Quiet", body="x", author=people["ann"].id, tags=["whisper"])
    page = client.get("/tags/whisper")
    assert "0 posts" in page.text and "Quiet" not in page.text


def test_author_page(app, client, content, people):
    with app.app_context():
        ann = people["ann"].id
        update(USERS, SYSTEM, ann, {"bio": "Counts waves."})
        profile = read.find_id(PROFILES, SYSTEM, user_id=ann)
        links = {"website": "https://ann.example/", "links": ["https://social.example/@ann"]}
        update(PROFILES, SYSTEM, profile, {"display_name": "Ann A.", "location": "Pier", **links})
    page = soup(client.get("/authors/ann"))
    assert page.h1.text == "Ann A." and "Counts waves." in page.text and "Pier" in page.text
    assert page.find("a", href="https://ann.example/").text == "ann.example"
    assert "1 post" in page.select_one(".facts").text
    assert "example.org" not in page.text, "addresses are never shown"


def test_any_spelling_of_a_username_redirects(client, content):
    response = client.get("/authors/ANN")
    assert (response.status_code, response.location) == (301, "/authors/ann")


def test_members_have_no_author_page_but_see_their_own(visitor, content):
    assert visitor().get("/authors/bob").status_code == 404
    assert visitor("ann").get("/authors/bob").status_code == 404
    assert visitor("bob").get("/authors/bob").status_code == 200
    assert visitor("mod").get("/authors/bob").status_code == 200


def test_html_in_titles_is_escaped(client, make, people):
    title = "<script>alert(1)</script> & <b>bold</b>"
    make(POSTS, title=title, slug="odd", body="x", author=people["ann"].id, published_at=PAST)
    make(TAGS, name="<i>tag</i>", slug="it")
    for path in ("/", "/posts/odd", "/tags/it", "/search?q=alert"):
        page = soup(client.get(path))
        assert all(one["type"] == "application/ld+json" for one in page.find_all("script"))
        assert page.main.find(["b", "i"]) is None
    assert soup(client.get("/posts/odd")).h1.text == title


def test_editors_have_a_link_to_the_panel(visitor, content):
    edit = f"/admin/posts/edit/?id={content.live}"
    for name, may in ((None, False), ("bob", False), ("abe", False), ("ann", True), ("mod", True)):
        page = soup(visitor(name).get("/posts/live"))
        assert bool(page.find("a", href=edit)) == may, name
        assert bool(page.find("a", href="/admin/")) == (name in ("ann", "abe", "mod"))
    assert soup(visitor("mod").get("/about")).find(
        "a", href=f"/admin/pages/edit/?id={content.about}"
    )


def test_search_covers_everything_with_a_page(client, content):
    page = soup(client.get("/search?q=canarylive"))
    assert "1 result" in page.select_one(".count").text
    assert page.find("a", href="/posts/live") and page.mark.text == "canarylive"
    kinds = {p.text for p in soup(client.get("/search?q=a")).select(".result .kicker")}
    assert {"Author", "Page", "Post"} <= kinds
    assert "No results" in client.get("/search?q=zzzzz").text
    assert client.get("/search").status_code == 200
    assert client.get("/search?q=%20").status_code == 200


def test_search_error_keeps_what_was_typed(client):
    words = "long " * 60
    response = client.get("/search", query_string={"q": words})
    assert response.status_code == 400
    field = soup(response).find(id="q")
    assert field["value"] == words[:200] and field["aria-describedby"] == "q-error"
    assert "200 characters" in soup(response).find(id="q-error").text


@pytest.mark.parametrize(
    ("path", "limit"),
    [("/", 3), ("/posts/live", 5), ("/pages/about", 2), ("/tags/sea", 6), ("/authors/ann", 8),
     ("/search?q=canary", 3), ("/auth/login", 1), ("/healthz", 0), ("/robots.txt", 0)],
)  # fmt: skip
def test_pages_take_few_statements(app, statements, visitor, content, comment, path, limit):
    if (
        path not in ("/healthz", "/robots.txt")
        and "sqlite" not in app.config["SQLALCHEMY_DATABASE_URI"]
    ):
        limit += (
            5  # cached facts are valid until anything changes in the cluster: check, read, check
        )
    for name in ("bob", "ann", None):
        comment(name)
    visitors = visitor(None), visitor("bob")
    for extra, client in enumerate(visitors):  # a signed-in user is looked up once
        if path == "/auth/login" and extra:
            continue
        # facts that all pages share are read once by each connection of the pool
        found = [statements(client.get, path) for _ in range(12)]
        assert {response.status_code for response, _ in found} == {200}
        seen = min((seen for _, seen in found), key=len)
        assert len(seen) <= limit + extra, seen

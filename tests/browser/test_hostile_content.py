"""500 hostile texts in every field that users fill in: no page and no feed runs any of them.

The content security policy would stop scripts that are not escaped, so the browser is told to ignore it here.
"""

import io
from types import SimpleNamespace

import pytest
from PIL import Image

from quire.actor import SYSTEM, Actor
from quire.app import create_app
from quire.auth.accounts import Account
from quire.records import (
    CATEGORIES,
    COMMENTS,
    PAGES,
    POSTS,
    PROFILES,
    REDIRECTS,
    SETTINGS,
    TAGS,
    USERS,
)
from quire.store import read, write
from quire.store.db import db
from tests.browser.conftest import PASSWORD, Visit
from tests.browser.payloads import payloads
from tests.running_server import serving
from tests.users import give_session

pytestmark = pytest.mark.browser

TEXTS = payloads()
LINES = ["".join(c if c.isprintable() else " " for c in text) for text in TEXTS]
FEW = LINES[::20]
AT_ONCE = 5
LISTED = (
    "posts",
    "comments",
    "tags",
    "categories",
    "users",
    "profiles",
    "pages",
    "redirects",
    "media",
)


def fill(app):
    """Create content that consists of the texts."""
    db.create_all()
    write.create(USERS, SYSTEM, person(0, "admin"))
    authors = [
        write.create(USERS, SYSTEM, person(n, "author", line)) for n, line in enumerate(FEW, 1)
    ]
    for author, line in zip(authors, FEW, strict=True):
        profile = read.find_id(PROFILES, SYSTEM, user_id=author.id)
        write.update(PROFILES, SYSTEM, profile, {"display_name": line[:80], "location": line[:80]})
    named = [{"name": f"{line[:40]} {n}", "description": line} for n, line in enumerate(LINES)]
    tags = [saved.id for saved in write.create_many(TAGS, SYSTEM, named)]
    write.create_many(CATEGORIES, SYSTEM, named[:100])
    pages = write.create_many(PAGES, SYSTEM, [page(n) for n in range(0, 500, 20)])
    redirects = [{"path": f"/old-{n}", "target": f"/?q={n}"} for n in range(5)]
    write.create_many(REDIRECTS, SYSTEM, redirects)
    posts = write.create_many(POSTS, SYSTEM, [post(n, authors, tags) for n in range(500)])
    said = [
        {"post": posts[n - n % AT_ONCE].id, "body": text} for n, text in enumerate(TEXTS)
    ]  # fmt: skip
    write.create_many(COMMENTS, Actor("author", authors[0].id, authors[0].state["username"]), said)
    write.update(
        SETTINGS, SYSTEM, 1, {"site_name": FEW[2], "tagline": FEW[7], "posts_per_page": 100}
    )
    return SimpleNamespace(pages=pages, posts=posts, authors=authors)


def person(number, role, bio=""):
    name = f"person-{number}"
    raw = {"username": name, "email": f"{name}@example.com", "password": PASSWORD}
    return {**raw, "role": role, "bio": bio}


def page(number):
    body = "\n\n".join(TEXTS[number : number + 20])
    return {"title": LINES[number], "body": body, "published_at": "2026-01-01T00:00:00Z"}


def post(number, authors, tags):
    """Return a post with a line as its title and excerpt; every fifth post contains five texts, with their tags."""
    first = number % AT_ONCE == 0
    return {
        "title": LINES[number],
        "excerpt": LINES[number],
        "body": "\n\n".join(TEXTS[number : number + AT_ONCE]) if first else "x",
        "tags": tags[number : number + AT_ONCE] if first else [],
        "author": authors[number % len(authors)].id,
        # posts with texts come first in lists and feeds
        "published_at": f"2026-{6 if first else 1:02}-{1 + number % 28:02}T00:00:00Z",
    }


def upload(app, author):
    """Upload images whose names and descriptions are the texts."""
    client = app.test_client()
    client.checked = False
    give_session(app, client, Account(author.id, "person-1", "author"))
    picture = io.BytesIO()
    Image.new("RGB", (8, 8)).save(picture, "PNG")
    for n, line in enumerate(FEW):
        name = f"{line} {n}.png".replace("/", "_").replace("\\", "_")
        file = (io.BytesIO(picture.getvalue() + bytes([n])), name)
        client.post("/api/v1/media", data={"file": file, "alt": line})


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A running Quire full of such content."""
    folder = tmp_path_factory.mktemp("hostile")
    settings = {"SQLALCHEMY_DATABASE_URI": f"sqlite:///{folder / 'q.db'}", "QUIRE_INSTANCE": folder}
    app = create_app("testing", settings)
    with app.app_context():
        made = fill(app)
    upload(app, made.authors[0])
    with serving(app) as url:
        yield SimpleNamespace(app=app, url=url, **vars(made))


@pytest.fixture
def look(chromium, hostile):
    """`look(name, paths)`: visit pages as a user, without the content security policy; no script of a text may run."""
    visits = []

    def look(name, paths):
        one = Visit(chromium, hostile, bypass_csp=True)
        visits.append(one)
        ran = []
        one.page.on("dialog", lambda dialog: (ran.append(one.page.url), dialog.dismiss()))
        if name:
            one.sign_in(name)
        for path in paths:
            answer = one.page.goto(path, wait_until="domcontentloaded")
            assert answer.status in (200, 404), path
            one.page.mouse.move(300, 300)
            assert one.page.url.startswith(hostile.url), path
            assert "1337" not in one.page.inner_text(":root"), path
        assert ran == []

    yield look
    for one in visits:
        one.context.close()


def test_script_would_be_noticed(chromium, hostile):
    one, ran = Visit(chromium, hostile, bypass_csp=True), []
    one.page.on("dialog", lambda dialog: (ran.append(dialog.message), dialog.dismiss()))
    one.page.goto("/")
    one.page.evaluate("document.body.innerHTML = '<img src=x onerror=alert(1)>'")
    one.page.wait_for_timeout(500)
    one.context.close()
    assert ran == ["1"]


def test_pages_for_readers(look, hostile):
    slugs = [one.state["slug"] for one in hostile.posts]
    look(None, [f"/?page={n}" for n in range(1, 6)] + [f"/posts/{one}" for one in slugs[::AT_ONCE]])


def test_pages_about_people_and_words(look, hostile):
    people = [f"/authors/{one.state['username']}" for one in hostile.authors]
    found = [f"/search?q={line}".replace("#", "%23").replace("%3", "%253") for line in LINES[::25]]
    pages = [f"/pages/{one.state['slug']}" for one in hostile.pages]
    look(None, [*people, *found, *pages, "/archive", "/nowhere"])


def test_feeds(look):
    look(None, ["/feed.atom", "/feed.rss", "/feed.json", "/sitemap.xml", "/robots.txt"])


def test_lists_of_the_panel(look):
    pages = [f"/admin/{kind}/?page={n}" for kind in LISTED for n in (0, 1)]
    look("person-0", ["/admin/", *pages, "/admin/audit_events/", "/admin/revisions/"])


def test_records_in_the_panel(look, hostile):
    some = [one.id for one in hostile.posts[::25]]
    kinds = [
        f"/admin/{kind}/{verb}/?id={id}"
        for kind in LISTED
        for verb in ("edit", "details")
        for id in (1, 2)
    ]
    look(
        "person-0",
        [f"/admin/posts/{verb}/?id={id}" for id in some for verb in ("edit", "details")] + kinds,
    )

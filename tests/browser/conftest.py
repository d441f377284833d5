"""A running Quire with content, Chromium, and the checks that every page has to pass."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from playwright.sync_api import sync_playwright

from quire.actor import SYSTEM, Actor
from quire.app import create_app
from quire.auth import session_store, sessions
from quire.auth.accounts import Account
from quire.auth.registration import invite
from quire.declare.clock import now
from quire.records import CATEGORIES, COMMENTS, PAGES, POSTS, SETTINGS, USERS, WEBHOOKS
from quire.records.webhooks import add_deliveries
from quire.security.tokens import new_secret
from quire.store import read, write
from quire.store.db import db, transaction
from tests.running_server import serving

CHROMIUM = "/usr/bin/chromium-headless-shell"  # halves the work of Chromium, which otherwise draws its own window too
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
ALL_RULES = "{ rules: { 'target-size': { enabled: true } } }"
"""Those of WCAG 2.2 and of good practice; that one is off by itself."""
COLOURS = "{ runOnly: ['color-contrast', 'link-in-text-block'] }"
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
PASSWORD = "a long enough password"
PEOPLE = {"ada": "admin", "moe": "moderator", "ann": "author", "mia": "member"}
TITLES = [
    "Ten ways to mend a fishing net", "The patience of lighthouses", "Tide tables for beginners",
    "What the harbour master knows", "Ropes, knots and other friends", "A winter on the island",
    "Letters from the ferry", "مرحبا بالبحر", "How to read a cloud", "Salt",
]  # fmt: skip
BODY = """The tide comes *twice* a day, and nobody has ever asked it to.

## Before you start

Look at the water, then at the sky, then at the water again.

- a knife
- twine, two colours
- patience
"""


def _fill(app):
    with app.app_context():
        db.create_all()
        people = {
            name: write.create(
                USERS,
                SYSTEM,
                {
                    "username": name,
                    "email": f"{name}@example.com",
                    "password": PASSWORD,
                    "role": role,
                },
            ).id
            for name, role in PEOPLE.items()
        }
        write.update(SETTINGS, SYSTEM, 1, {"site_name": "Harbour Notes"})
        for name in ("Sea", "Shore", "Weather"):
            write.create(CATEGORIES, SYSTEM, {"name": name})
        _write(people)
        _send(people)
        invite("zoe@example.com", "author", SYSTEM)


def _write(people):
    mia = Actor("member", people["mia"], "mia")
    for number, title in enumerate(TITLES * 3):
        moment = f"2026-{1 + number % 9:02}-{1 + number % 27:02}T09:30:00Z"
        raw = {
            "title": title,
            "body": BODY,
            "author": people["ann" if number % 3 else "ada"],
            "category": ("sea", "shore", "weather", None)[number % 4],
            "tags": ["boats", "nets", "weather"][: number % 4],
            "published_at": (moment, moment, None, "2099-01-01T10:00:00Z")[number % 4],
        }
        post = write.create(POSTS, SYSTEM, raw)
        if post.state["status"] == "published":
            write.create(
                COMMENTS,
                mia,
                {"post": post.id, "body": f"I did not know that, thank you ({number})."},
            )
    write.create(
        PAGES, SYSTEM, {"title": "About", "body": BODY, "published_at": "2026-01-01T10:00:00Z"}
    )


def _send(people):
    """Create a webhook with a delivery of each status, and a disabled one."""
    raw = {"url": "https://example.org/a/rather/long/address/of/a/hook", "owner": people["ada"]}
    hook = write.create(WEBHOOKS, SYSTEM, {**raw, "events": ["posts.*", "comments.approved"]}).id
    write.create(WEBHOOKS, SYSTEM, {**raw, "events": ["*"], "is_active": False})
    about = {"webhook_id": hook, "event": "posts.published", "type": "posts", "event_at": now()}
    done = {"attempts": 12, "response_ms": 10_000, "error": f"No connection: {'refused ' * 20}"}
    with transaction() as connection:
        add_deliveries(connection, [{**about, "record_id": 1, "next_attempt_at": now()}])
        for status, more in (("delivered", {"response_status": 204}), ("failed", done)):
            values = {"status": status, "attempts": 1, "response_status": None, "error": None}
            add_deliveries(connection, [{**about, "record_id": 2, **values, **more}])


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """A running Quire: its application and its address."""
    path = tmp_path_factory.mktemp("browser") / "quire.db"
    config = {"SQLALCHEMY_DATABASE_URI": f"sqlite:///{path}", "WTF_CSRF_ENABLED": True}
    app = create_app("testing", config)
    _fill(app)
    with serving(app) as url:
        yield SimpleNamespace(app=app, url=url)


@pytest.fixture(scope="session")
def chromium():
    """The browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


class Visit:
    """One user on one device; `complaints` are the messages of the browser's console."""

    def __init__(self, chromium, site, **device):
        self.site, self.complaints = site, []
        self.context = chromium.new_context(base_url=site.url, **device)
        self.context.set_default_timeout(10_000)
        self.page = self.context.new_page()
        self.page.click = self._click
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _click(self, selector):
        """Click, and wait until the resulting page has loaded.

        Playwright itself only waits for the first byte of a new page.
        """
        type(self.page).click(self.page, selector)
        self.page.wait_for_load_state()

    def _note(self, message):
        expected = "Failed to load resource: the server responded"  # expected refusals
        if message.type in ("error", "warning") and not message.text.startswith(expected):
            self.complaints.append(message.text)

    def sign_in(self, name):
        """Sign in without the page, with a session that the server would create."""
        app = self.site.app
        with app.app_context():
            user = read.find_id(USERS, SYSTEM, username=name)
            one, secret = read.get_record(USERS, SYSTEM, user), new_secret()
            session_store.create_session(
                Account(user, name, one["role"]), sessions.KIND, secret, 3600
            )
        signer = app.session_interface.get_signing_serializer(app)
        value = signer.dumps({"_user_id": secret, "_fresh": True})
        cookie = {"name": app.config["SESSION_COOKIE_NAME"], "value": value, "url": self.site.url}
        self.context.add_cookies([cookie])

    def look_at(self, paths):
        """Check that pages have one heading and no findings in any theme and width."""
        for path in paths:
            self.page.goto(path)
            assert self.page.locator("h1").count() == 1, path
            assert self.findings() == [], path

    def findings(self):
        """Return what axe finds on this page, light and dark, on a desktop and on a phone, and whether it is too wide.

        A page is loaded once for all four, and only colours are checked again in dark mode.
        """
        found = []
        for name, viewport in (("desk", DESK), ("phone", PHONE)):
            self.page.set_viewport_size(viewport)
            wide = self.overflow() > 0
            height = self.page.evaluate("document.documentElement.scrollHeight")
            # the whole page in one window, since sticky bars cover what is scrolled below them
            self.page.set_viewport_size({**viewport, "height": max(height, viewport["height"])})
            for scheme, options in (("light", ALL_RULES), ("dark", COLOURS)):
                self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
                found += [(name, scheme, *one) for one in self.axe(options)]
            found += [(name, "wider than the window")] if wide else []
        return found

    def overflow(self):
        """Return by how many pixels the page is wider than the window."""
        return self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")

    def axe(self, options="{}"):
        """Return what axe finds on the page now; it bypasses the content security policy, as developer tools do."""
        session = self.context.new_cdp_session(self.page)
        session.send("Runtime.evaluate", {"expression": f"if (!window.axe) {{ {AXE} }}"})
        run = f"axe.run(document, {options}).then(found => JSON.stringify(found.violations))"
        asked = {"expression": run, "awaitPromise": True, "returnByValue": True}
        found = json.loads(session.send("Runtime.evaluate", asked)["result"]["value"])
        return [(one["id"], [node["html"] for node in one["nodes"]]) for one in found]


@pytest.fixture
def visit(chromium, site):
    """`visit("ada", viewport=...)` is a visit with that user signed in."""
    visits = []

    def start(name=None, **device):
        device.setdefault("viewport", {"width": 1280, "height": 900})
        one = Visit(chromium, site, **device)
        visits.append(one)
        if name:
            one.sign_in(name)
        return one

    yield start
    for one in visits:
        one.context.close()
    assert [text for one in visits for text in one.complaints] == []


@pytest.fixture
def made(site):
    """`made(title=...)` creates a post of ann's and returns its id."""

    def make(**more):
        raw = {"title": "A post for a test", "body": "Words.", "author": "ann", **more}
        with site.app.app_context():
            return write.create(POSTS, SYSTEM, raw).id

    return make


@pytest.fixture
def post(site):
    """`post(7)` is the stored post."""

    def find(id):
        with site.app.app_context():
            return read.get_record(POSTS, SYSTEM, id)

    return find

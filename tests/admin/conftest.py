"""Content in every state, and a browser-like client for each user."""

from pathlib import Path
from shutil import rmtree
from types import SimpleNamespace

import pytest

from quire.actor import SYSTEM, Actor
from quire.records import CATEGORIES, COMMENTS, PAGES, POSTS, TAGS
from quire.store import read as store_read
from quire.store import write
from tests.users import give_session

BODY = "The *tide* comes and goes."
LIVE = "2026-01-01T10:00:00Z"


def fill(app, people):
    """Create posts in every state, comments and a page; return the ids of all these and of the users by name."""
    ids = {name: one.id for name, one in people.items()}
    with app.app_context():
        write.create(CATEGORIES, SYSTEM, {"name": "Sea and shore"})
        write.create(TAGS, SYSTEM, {"name": "nets, fishing"})
        posts = {
            "live": {
                "title": "Tide tables", "author": "ann", "published_at": LIVE,
                "category": "sea-and-shore", "tags": ["boats"],
            },
            "draft": {"title": "Half a thought", "author": "ann"},
            "later": {"title": "Not yet", "author": "abe", "published_at": "2099-01-01T10:00:00Z"},
            "abes": {"title": "Abe's nets", "author": "abe", "published_at": LIVE},
            "formula": {"title": "=HYPERLINK(1)", "author": "abe"},
        }  # fmt: skip
        for name, raw in posts.items():
            ids[name] = write.create(POSTS, SYSTEM, {"body": BODY, **raw}).id
        page = {"title": "About", "body": BODY, "published_at": LIVE}
        ids["page"] = write.create(PAGES, SYSTEM, page).id
        bob = Actor("member", ids["bob"], "bob")
        said = {"comment": ("live", "Nice one"), "abes_comment": ("abes", "So so")}
        for name, (post, body) in said.items():
            ids[name] = write.create(COMMENTS, bob, {"post": ids[post], "body": body}).id
    return SimpleNamespace(**ids)


class Browser:
    """A client that is signed in by session; `get` and `post` take paths below /admin/."""

    def __init__(self, app, account=None):
        self.client = app.test_client()
        if account is not None:
            give_session(app, self.client, account)

    def get(self, path="", **more):
        return self.client.get(f"/admin/{path}", **more)

    def post(self, path, data=None, **more):
        return self.client.post(f"/admin/{path}", data=data or {}, **more)


@pytest.fixture(scope="session")
def load_ids(one_app, database):
    return database.keep_content(*one_app, "admin", fill)


@pytest.fixture
def ids(app, people, load_ids):
    return load_ids(app, people)


@pytest.fixture
def browser(app, ids, people):
    """`browser("ann")` is a client signed in as ann; `browser()` is one signed out."""
    return lambda name=None: Browser(app, people[name] if name else None)


@pytest.fixture
def admin(browser):
    return browser("root")


@pytest.fixture
def state(app):
    """`state(POSTS, 7)` is the stored record."""

    def read(record, id):
        with app.app_context():
            return store_read.get_record(record, SYSTEM, id)

    return read


@pytest.fixture
def backups(app):
    """The folder of backups, empty before and after."""
    folder = Path(app.config["QUIRE_INSTANCE"]) / "backups"
    rmtree(folder, ignore_errors=True)
    yield folder
    rmtree(folder, ignore_errors=True)

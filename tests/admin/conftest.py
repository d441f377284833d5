"""A Quire with people of every role and some content, and a browser-like client for each of them."""

from types import SimpleNamespace

import pytest
from quire.access.accounts import account
from quire.access.sessions import SessionUser
from quire.actor import SYSTEM, Actor
from quire.records import CATEGORIES, COMMENTS, PAGES, POSTS, TAGS, USERS
from quire.store import read as store_read, write

PEOPLE = {"root": "admin", "mod": "moderator", "ann": "author", "ben": "author", "mia": "member"}
BODY = "The *tide* comes and goes."


def fill(app):
    """People, posts in every state, comments, a page; answers their ids by name."""
    with app.app_context():
        ids = {
            name: write.create(
                USERS, SYSTEM,
                {"username": name, "email": f"{name}@example.com", "password": "long enough one", "role": role},
            ).id
            for name, role in PEOPLE.items()
        }
        write.create(CATEGORIES, SYSTEM, {"name": "Sea and shore"})
        write.create(TAGS, SYSTEM, {"name": "nets, fishing"})

        def post(title, author, **more):
            raw = {"title": title, "body": BODY, "author": ids[author], **more}
            return write.create(POSTS, SYSTEM, raw).id

        live = "2026-01-01T10:00:00Z"
        ids["live"] = post("Tide tables", "ann", published_at=live, category="sea-and-shore", tags=["boats"])
        ids["draft"] = post("Half a thought", "ann")
        ids["later"] = post("Not yet", "ben", published_at="2099-01-01T10:00:00Z")
        ids["bens"] = post("Ben's nets", "ben", published_at=live)
        ids["formula"] = post("=HYPERLINK(1)", "ben")
        ids["page"] = write.create(PAGES, SYSTEM, {"title": "About", "body": BODY, "published_at": live}).id
        mia = Actor("member", ids["mia"], "mia")
        ids["comment"] = write.create(COMMENTS, mia, {"post": ids["live"], "body": "Nice one"}).id
        ids["bens_comment"] = write.create(COMMENTS, mia, {"post": ids["bens"], "body": "So so"}).id
    return SimpleNamespace(**ids)


class Browser:
    """A signed-in client; `get` and `post` take paths below /admin/."""

    def __init__(self, app, user_id=None):
        self.app, self.client = app, app.test_client()
        if user_id is not None:
            with app.app_context():
                found = account_of(user_id)
                name = SessionUser(found).get_id()
            with self.client.session_transaction() as session:
                session["_user_id"], session["_fresh"] = name, True

    def get(self, path="", **more):
        return self.client.get(f"/admin/{path}", **more)

    def post(self, path, data=None, **more):
        return self.client.post(f"/admin/{path}", data=data or {}, **more)


def account_of(user_id):
    """The account as a session needs it, whatever its epoch is."""
    for epoch in range(10):
        found = account(user_id, epoch)
        if found is not None:
            return found
    raise LookupError(user_id)


@pytest.fixture
def ids(app):
    return fill(app)


@pytest.fixture
def browser(app, ids):
    """`browser("ann")` is a client signed in as ann, `browser()` one signed out."""

    def sign_in(name=None):
        return Browser(app, getattr(ids, name) if name else None)

    return sign_in


@pytest.fixture
def admin(browser):
    return browser("root")


@pytest.fixture
def state(app):
    """`state(POSTS, 7)` is the record as the program sees it."""

    def read(record, id):
        with app.app_context():
            return store_read.one(record, SYSTEM, id)

    return read


@pytest.fixture
def guarded_app(make_app):
    """With CSRF checks on, as in production."""
    return make_app(WTF_CSRF_ENABLED=True)

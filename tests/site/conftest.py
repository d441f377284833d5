"""A site with content in every state, and visitors who sign in through the form."""

from types import SimpleNamespace

import pytest
from bs4 import BeautifulSoup

from quire.records import CATEGORIES, PAGES, POSTS, TAGS
from tests.clocks import EARLIER, FUTURE, PAST
from tests.users import PASSWORD, maker


def fill(app, people):
    """Create Ann's posts in every state, one of Abe's, pages, a category and tags; return their ids by name."""
    make = maker(app)
    category = make(CATEGORIES, name="Field notes", description="What was seen.")
    make(TAGS, name="unused")

    def post(title, author="ann", **more):
        raw = {"title": title, "body": f"canary{title.lower()}", "author": people[author].id}
        shared = {"tags": ["sea"], "category": category}
        return make(POSTS, **raw, **shared, **more)

    return SimpleNamespace(
        live=post("Live", published_at=PAST),
        draft=post("Draft"),
        later=post("Later", published_at=FUTURE),
        archived=post("Archived", published_at=EARLIER, unpublish_at=PAST),
        trashed=post("Trashed", published_at=PAST, deleted_at=PAST),
        abes=post("Abes", "abe", published_at=EARLIER),
        about=make(PAGES, title="About", body="us", published_at=PAST),
        secret=make(PAGES, title="Secret", body="canarysecret"),
        category=category,
    )


@pytest.fixture(scope="session")
def load_content(one_app, database):
    return database.keep_content(*one_app, "site", fill)


@pytest.fixture
def content(app, people, load_content):
    """Content in every state; ids by name."""
    return load_content(app, people)


def sign_in(app, name):
    """Return a client that has sent the sign-in form; for None, an anonymous one."""
    client = app.test_client()
    if name is not None:
        sent = {"email": f"{name}@example.org", "password": PASSWORD}
        token = token_of(client, "/auth/login")
        assert client.post("/auth/login", data=sent | token).status_code == 302
    return client


def token_of(client, path):
    """Return the fields that prove a form to be ours."""
    return {
        "csrf_token": soup(client.get(path)).main.find("input", {"name": "csrf_token"})["value"]
    }


@pytest.fixture
def visitor(app, people):
    """`visitor("ann")`: a browser with her session; `visitor(None)`: an anonymous one."""
    return lambda name=None: sign_in(app, name)


def soup(response):
    """Return the page as a tree."""
    return BeautifulSoup(response.text, "html.parser")


def known_as(client):
    """Return the name under which a browser is signed in; None if it is not."""
    found = soup(client.get("/")).select_one(".account strong")
    return found and found.text

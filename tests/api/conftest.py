"""Content for tests of the API."""

from types import SimpleNamespace

import pytest

from quire.declare.clock import rfc3339
from quire.records import PAGES, POSTS
from tests.clocks import EARLIER, FUTURE, PAST
from tests.users import maker


def fill(app, people):
    """Create Ann's posts in every status, one of Abe's, and a page; return their ids by name."""
    make = maker(app)

    def post(title, author="ann", **more):
        raw = {"title": title, "body": f"About {title}.", "author": people[author].id, **more}
        return make(POSTS, **raw)

    return SimpleNamespace(
        live=post("Live", published_at=PAST, tags=["sea", "sky"]),
        draft=post("Draft"),
        later=post("Later", published_at=FUTURE),
        archived=post("Archived", published_at=EARLIER, unpublish_at=PAST),
        trashed=post("Trashed", published_at=PAST, deleted_at=PAST),
        abes=post("Abes", "abe", published_at=EARLIER),
        page=make(PAGES, title="About", body="us", published_at=PAST),
    )


@pytest.fixture(scope="session")
def load_content(one_app, database):
    return database.keep_content(*one_app, "api", fill)


@pytest.fixture
def content(app, people, load_content):
    """Posts in every status and a page; their ids by name."""
    return load_content(app, people)


def moment(value):
    """Return a datetime as the API shows it."""
    return rfc3339(value)

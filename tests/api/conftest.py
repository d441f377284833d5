"""Content for conversations with the API."""

from types import SimpleNamespace

import pytest

from quire.declare.clock import rfc3339
from quire.records import COMMENTS, PAGES, POSTS
from tests.users import maker

PAST, EARLIER, FUTURE = "2026-01-02T10:00:00Z", "2026-01-01T10:00:00Z", "2099-01-01T10:00:00Z"


def fill(app, people):
    """Ann's posts in every status, one of Abe's, a page; their ids by name."""
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
def load_written(one_app, database):
    return database.keep_content(*one_app, "api", fill)


@pytest.fixture
def written(app, people, load_written):
    """Posts in every status and a page; their ids by name."""
    return load_written(app, people)


@pytest.fixture
def comment(make, people, written):
    """`comment("bob", body="Hi")`: a comment on the live post, approved unless told otherwise."""

    def made(author, **more):
        who = people[author].id if author else None
        raw = {"post": written.live, "author": who, "body": "Hello.", "status": "approved", **more}
        return make(COMMENTS, **raw)

    return made


def moment(value):
    """A datetime as the API shows it."""
    return rfc3339(value)

"""Cached facts are read again only after a change of the tables they were read from."""

import pytest

from quire.actor import ANONYMOUS, SYSTEM
from quire.declare.clock import now, rfc3339
from quire.declare.query import Query
from quire.records import COMMENTS, POSTS, TAGS, USERS
from quire.store import read, write
from quire.store.counters import increment_many, touch
from quire.store.db import transaction
from quire.store.events import outbox
from tests.users import PASSWORD


@pytest.fixture
def post(make, people):
    return make(POSTS, title="T", body="b", author=people["ann"].id, published_at=rfc3339(now()))


def comment(post, people, status="approved"):
    raw = {"post": post, "author": people["ann"].id, "body": "b"}
    id = write.create(COMMENTS, SYSTEM, raw).id
    if status == "approved":
        write.act(COMMENTS, SYSTEM, id, "approve")


def listed(**query):
    return read.list_records(POSTS, ANONYMOUS, Query(**query)).total


def counts(statements, call=listed):
    """Return the number of statements that count rows while `call()` runs."""
    _, seen = statements(call)
    return sum("count(*) AS count_1" in one for one in seen)


QUIET = {
    "nothing": lambda post, people: None,
    "a job": lambda post, people: outbox.enqueue("mail.reset", email="a@example.org"),
    "a view": lambda post, people: increment_many("posts", "views", {post: 3}),
    "a last sign-in": lambda post, people: touch("users", people["ann"].id, last_login_at=now()),
    "a pending comment": lambda post, people: comment(post, people, "pending"),
    "an approved comment": comment,
    "a tag": lambda post, people: write.create(TAGS, SYSTEM, {"name": "new"}),
    "a failed change": lambda post, people: fail(people),
}
CHANGES = {
    "a new post": lambda post, people: write.create(
        POSTS, SYSTEM, {"title": "U", "body": "b", "author": people["ann"].id}
    ),
    "a changed post": lambda post, people: write.update(POSTS, SYSTEM, post, {"title": "V"}),
    "a deleted post": lambda post, people: write.delete(POSTS, SYSTEM, post),
    "a post that is gone": lambda post, people: write.delete(POSTS, SYSTEM, post, permanent=True),
}


def fail(people):
    with pytest.raises(ZeroDivisionError), transaction():
        write.create(POSTS, SYSTEM, {"title": "U", "body": "b", "author": people["ann"].id})
        raise ZeroDivisionError


@pytest.mark.parametrize("change", QUIET)
def test_totals_are_not_recounted_after_unrelated_changes(app, post, people, statements, change):
    with app.app_context():
        listed()
        QUIET[change](post, people)
        assert counts(statements) == 0


@pytest.mark.parametrize("change", CHANGES)
def test_totals_are_recounted_after_a_change_of_their_rows(app, post, people, statements, change):
    with app.app_context():
        listed()
        CHANGES[change](post, people)
        assert counts(statements) == 1


def test_sign_in_does_not_cause_recounts(app, post, as_, statements):
    client = as_("ann")
    client.get("/api/v1/posts")
    app.test_client().post(
        "/api/v1/auth/token", json={"email": "bob@example.org", "password": PASSWORD}
    )
    answer, seen = statements(client.get, "/api/v1/posts")
    assert answer.status_code == 200
    assert not any("count(*) AS count_1" in one for one in seen)


def test_cached_search_follows_renamed_related_records(app, post, people):
    """A cached fact within another one is read again along with it."""
    with app.app_context():
        assert listed(search="T") == 1
        write.update(POSTS, SYSTEM, post, {"title": "other"})
        assert listed(search="T") == 0
        write.update(USERS, SYSTEM, people["ann"].id, {"username": "anna"})
        assert listed(search="other") == 1

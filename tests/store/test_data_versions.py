"""What was read is read again only after a change of what it was read from."""

import pytest

from quire.actor import ANONYMOUS, SYSTEM
from quire.declare.clock import now, rfc3339
from quire.declare.query import Query
from quire.records import COMMENTS, POSTS, TAGS, USERS
from quire.store import read, write
from quire.store.counters import increment_many, touch
from quire.store.data_versions import ANY_ROW, UNKNOWN, access_of
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
    """How many statements count rows while `call()` runs."""
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
def test_totals_stay_when_nothing_they_count_has_changed(app, post, people, statements, change):
    with app.app_context():
        listed()
        QUIET[change](post, people)
        assert counts(statements) == 0


@pytest.mark.parametrize("change", CHANGES)
def test_totals_are_counted_again_after_a_change(app, post, people, statements, change):
    with app.app_context():
        listed()
        CHANGES[change](post, people)
        assert counts(statements) == 1


def test_a_signed_in_request_counts_nothing_again(app, post, as_, statements):
    client = as_("ann")
    client.get("/api/v1/posts")
    app.test_client().post(
        "/api/v1/auth/token", json={"email": "bob@example.org", "password": PASSWORD}
    )
    answer, seen = statements(client.get, "/api/v1/posts")
    assert answer.status_code == 200
    assert not any("count(*) AS count_1" in one for one in seen)


@pytest.mark.parametrize(
    ("statement", "reads", "writes"),
    [
        ("SELECT posts.id FROM posts WHERE posts.id = ?", {"posts"}, set()),
        ("SELECT posts.views FROM posts", {"posts", "use of posts.views"}, set()),
        ("SELECT p.comment_count FROM posts AS p", {"posts", "posts.comment_count"}, set()),
        ("SELECT settings.comments AS comments FROM settings", {"settings"}, set()),
        ("SELECT 'tags' FROM posts, users AS media JOIN pages ON 1", {"posts", "users", "pages"}, set()),
        ("SELECT rowid FROM search_index WHERE search_index MATCH ?", {"search_documents"}, set()),
        ("SELECT outbox.id FROM outbox", {UNKNOWN}, set()),
        ("UPDATE posts SET title=?, version=? WHERE posts.id = ?", {"posts"}, {"posts"}),
        ("UPDATE posts SET views=(posts.views + ?) WHERE posts.id = ?", None, set()),
        ("UPDATE posts SET comment_count=(posts.comment_count + ?)", None, {"posts.comment_count"}),
        ("UPDATE profiles SET list_columns=? WHERE profiles.id = ?", None, {"profiles.list_columns"}),
        ("SELECT profiles.list_columns FROM profiles", {"profiles", "profiles.list_columns"}, set()),
        ("UPDATE users SET last_login_at=? WHERE users.id = ?", None, set()),
        ("UPDATE comments SET told_at=? WHERE comments.id = ?", None, set()),
        ("INSERT INTO posts_tags (source_id, target_id) VALUES (?, ?)", None, {"posts_tags"}),
        ("INSERT INTO outbox (event) VALUES (?)", None, set()),
        ("DELETE FROM tags WHERE tags.id = ?", None, {"tags", "posts_tags"}),
        ("SELECT sessions.id FROM sessions", {UNKNOWN}, set()),
        ("UPDATE sessions SET last_seen_at=?", None, set()),
    ],
)  # fmt: skip
def test_what_a_statement_depends_on_is_in_its_text(app, statement, reads, writes):
    access = access_of(statement)
    assert {name for name in access.writes if not name.endswith(ANY_ROW)} == writes
    assert reads is None or access.reads == reads


def test_a_deletion_changes_what_the_database_deletes_with_it(app):
    assert {"posts", "comments", "posts_tags"} <= access_of("DELETE FROM posts WHERE 1").writes
    assert {"users", "comments", "profiles"} <= access_of("DELETE FROM users WHERE 1").writes


def test_names_of_records_that_a_fact_was_read_from_are_followed(app, post, people):
    """A fact that is cached in another is read again with it."""
    with app.app_context():
        assert listed(search="T") == 1
        write.update(POSTS, SYSTEM, post, {"title": "other"})
        assert listed(search="T") == 0
        write.update(USERS, SYSTEM, people["ann"].id, {"username": "anna"})
        assert listed(search="other") == 1

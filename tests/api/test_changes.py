"""The change feed: it misses nothing and reveals nothing hidden."""

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from quire.actor import SYSTEM
from quire.api import feed_cursor
from quire.declare.clock import rfc3339
from quire.records import COMMENTS, PAGES, POSTS, TAGS, USERS
from quire.store import write


@pytest.fixture
def feed(as_):
    """`feed("bob", since)`: the changes since a cursor, as `op type id`, and the next cursor."""

    def read(name, since=None, **params):
        known = {} if since is None else {"since": since}
        answer = as_(name).get("/api/v1/changes", query_string=known | params)
        assert answer.status_code == 200, answer.json
        changes = [f"{one['op']} {one['type']} {one['id']}" for one in answer.json["changes"]]
        return changes, answer.json["next"]

    return read


@pytest.fixture
def change(app):
    """`change(write.update, POSTS, 1, {...})` makes a change as the program."""

    def made(function, record, *given, **more):
        with app.app_context():
            return function(record, SYSTEM, *given, **more)

    return made


def in_days(days):
    return rfc3339(datetime.now(UTC) + timedelta(days=days))


@pytest.fixture
def write_post(make, people):
    """`write_post(title="A")`: a post of ann's, a draft by default."""
    return lambda **more: make(
        POSTS, **{"title": "A", "body": "x", "author": people["ann"].id, **more}
    )


@pytest.fixture
def post(write_post):
    """A published post of ann's."""
    return write_post(published=True)


def test_feed_without_a_cursor_starts_now(feed, post):
    assert feed(None)[0] == []
    since = feed(None)[1]
    assert feed(None, since)[0] == []


def test_changes_come_in_order_and_once_each(feed, make, change, write_post):
    since = feed(None)[1]
    first = write_post(published=True)
    second = make(TAGS, name="b")
    change(write.update, POSTS, first, {"title": "B"})
    changes, then = feed(None, since)
    assert changes == [f"upsert tags {second}", f"upsert posts {first}"]
    assert feed(None, then)[0] == []


def test_change_contains_the_record_as_read_by_id(as_, feed, post, change, stop_clock):
    stop_clock()  # a second may begin between the times of the record and of the feed
    since = feed(None)[1]
    change(write.update, POSTS, post, {"title": "B"})
    answer = as_(None).get("/api/v1/changes", query_string={"since": since}).json
    (only,) = answer["changes"]
    assert only["record"] == as_(None).get(f"/api/v1/posts/{post}").json
    assert (only["version"], only["changed_at"]) == (2, only["record"]["updated_at"])
    assert answer["more"] is False


def test_hidden_records_are_reported_only_to_those_who_saw_them(feed, post, change):
    since = {name: feed(name)[1] for name in (None, "bob", "ann", "abe", "mod")}
    change(write.act, POSTS, post, "unpublish")
    assert {name: feed(name, cursor)[0] for name, cursor in since.items()} == {
        None: [f"delete posts {post}"],
        "bob": [f"delete posts {post}"],
        "abe": [f"delete posts {post}"],
        "ann": [f"upsert posts {post}"],
        "mod": [f"upsert posts {post}"],
    }


def test_ids_of_records_that_were_never_visible_do_not_appear(
    feed, make, people, change, write_post
):
    since = {name: feed(name)[1] for name in (None, "bob", "ann", "mod")}
    draft = write_post()
    change(write.update, POSTS, draft, {"title": "B"})
    change(write.delete, POSTS, draft)
    assert feed(None, since[None])[0] == feed("bob", since["bob"])[0] == []
    assert feed("ann", since["ann"])[0] == feed("mod", since["mod"])[0] == [f"delete posts {draft}"]
    change(write.delete, POSTS, draft, permanent=True)
    assert feed(None, since[None])[0] == feed("bob", since["bob"])[0] == []


def test_moving_to_the_trash_and_back_is_reported(feed, post, change):
    since = feed(None)[1]
    change(write.delete, POSTS, post)
    changes, since = feed(None, since)
    assert changes == [f"delete posts {post}"]
    change(write.act, POSTS, post, "restore")
    assert feed(None, since)[0] == [f"upsert posts {post}"]


def test_record_given_to_someone_else_is_reported(feed, make, people, change, write_post):
    draft = write_post()
    since = {name: feed(name)[1] for name in ("ann", "abe", "bob")}
    change(write.update, POSTS, draft, {"author": people["abe"].id})
    assert feed("ann", since["ann"])[0] == [f"delete posts {draft}"]
    assert feed("abe", since["abe"])[0] == [f"upsert posts {draft}"]
    assert feed("bob", since["bob"])[0] == []


class TestWhatHangsOnARecord:
    """Comments are visible to those who see their post."""

    @pytest.fixture
    def comment(self, make, post, people):
        return make(COMMENTS, post=post, body="c", status="approved", author=people["bob"].id)

    @pytest.fixture
    def pending(self, make, post, people):
        return make(COMMENTS, post=post, body="c", status="pending", author=people["bob"].id)

    def test_comments_appear_and_disappear_with_their_post(self, feed, post, comment, change):
        since = feed(None, types="comments")[1]
        change(write.act, POSTS, post, "unpublish")
        changes, since = feed(None, since, types="comments")
        assert changes == [f"delete comments {comment}"]
        change(write.act, POSTS, post, "publish")
        assert feed(None, since, types="comments")[0] == [f"upsert comments {comment}"]

    def test_comments_end_with_their_post(self, feed, post, comment, change):
        since = feed(None)[1]
        change(write.delete, POSTS, post, permanent=True)
        assert sorted(feed(None, since)[0]) == [
            f"delete comments {comment}",
            f"delete posts {post}",
        ]

    def test_pending_comment_is_reported_to_its_writer_and_the_post_author(
        self, feed, post, pending, change
    ):
        since = {name: feed(name)[1] for name in (None, "bob", "ann", "abe")}
        change(write.delete, COMMENTS, pending, permanent=True)
        told = {name: feed(name, cursor)[0] for name, cursor in since.items()}
        assert told == {
            None: [],
            "abe": [],
            "bob": [f"delete comments {pending}"],
            "ann": [f"delete comments {pending}"],
        }

    def test_approval_reveals_a_comment(self, feed, pending, change):
        since = feed(None)[1]
        change(write.act, COMMENTS, pending, "approve")
        assert f"upsert comments {pending}" in feed(None, since)[0]


class TestSchedules:
    """Scheduled starts and ends are reported at their time, once."""

    def test_post_published_by_schedule_is_reported(self, feed, make, stop_clock, write_post):
        since = feed(None)[1]
        post = write_post(published_at=in_days(1))
        changes, since = feed(None, since)
        assert changes == []
        stop_clock(days=2)
        changes, since = feed(None, since)
        assert changes == [f"upsert posts {post}"]
        assert feed(None, since)[0] == []

    def test_post_withdrawn_by_schedule_takes_its_comments_along(
        self, feed, make, stop_clock, write_post
    ):
        post = write_post(published=True, unpublish_at=in_days(1))
        comment = make(COMMENTS, post=post, body="c", status="approved")
        since = feed(None)[1]
        stop_clock(days=2)
        assert sorted(feed(None, since)[0]) == [
            f"delete comments {comment}",
            f"delete posts {post}",
        ]

    def test_postponed_and_restored_schedule_is_reported_once(self, feed, make, change, stop_clock):
        page = make(PAGES, title="A", body="x", published_at=in_days(1))
        change(write.update, PAGES, page, {"published_at": (later := in_days(3))})
        change(write.update, PAGES, page, {"published_at": in_days(1)})
        change(write.update, PAGES, page, {"published_at": later})
        since = feed(None)[1]
        stop_clock(days=2)
        assert feed(None, since)[0] == []
        stop_clock(days=4)
        changes, since = feed(None, since)
        assert changes == [f"upsert pages {page}"]
        assert feed(None, since)[0] == []


class TestStart:
    """A new reader gets the existing records first, then their changes."""

    def test_start_lists_everything_visible_then_changes(self, as_, make, people, write_post):
        posts = [write_post(title=f"P{n}", published=True) for n in range(5)]
        write_post()
        client, since, told = as_(None), "start", []
        more = True
        while more:
            answer = client.get(
                "/api/v1/changes", query_string={"since": since, "types": "posts,tags", "limit": 2}
            ).json
            assert len(answer["changes"]) <= 2
            told += [one["id"] for one in answer["changes"]]
            since, more = answer["next"], answer["more"]
        assert told == posts

    def test_changes_during_the_start_are_reported_at_the_end(self, feed, make, change, write_post):
        first, second = (write_post(title=t, published=True) for t in "AB")
        changes, since = feed(None, "start", types="posts", limit=1)
        assert changes == [f"upsert posts {first}"]
        change(write.act, POSTS, first, "unpublish")
        changes, since = feed(None, since, types="posts", limit=5)
        assert changes == [f"upsert posts {second}"]
        assert feed(None, since, types="posts")[0] == [f"delete posts {first}"]


def test_cursor_of_a_list_misses_nothing(as_, feed, make, write_post):
    feed(None)
    since = as_(None).get("/api/v1/posts").headers["X-Changes-Cursor"]
    post = write_post(published=True)
    assert feed(None, since)[0] == [f"upsert posts {post}"]
    feed(None)
    answer = as_(None).get("/api/v1/posts")
    assert feed(None, answer.headers["X-Changes-Cursor"])[0] == []
    assert "X-Changes-Cursor" not in as_("root").get("/api/v1/audit_events").headers


def test_cursor_of_a_list_costs_no_statement(as_, make, statements, write_post):
    write_post(published=True)
    client = as_(None)
    client.get("/api/v1/posts")
    answer, sent = statements(client.get, "/api/v1/posts")
    assert answer.headers["X-Changes-Cursor"]
    assert not [one for one in sent if "change_feed" in one]


def test_lists_within_a_second_share_their_cursor(as_, stop_clock, write_post, monkeypatch):
    sealed, seal = [], feed_cursor.seal
    monkeypatch.setattr(feed_cursor, "seal", lambda parts: sealed.append(parts) or seal(parts))
    client = as_(None)

    def cursor(query):
        return client.get(f"/api/v1/posts?{query}").headers["X-Changes-Cursor"]

    write_post(published=True)
    stop_clock(hours=3)  # no other test has asked for it
    first = cursor("per_page=5")
    assert cursor("per_page=6") == first and len(sealed) == 1
    stop_clock(hours=3, seconds=1)
    assert cursor("per_page=7") != first and len(sealed) == 2


class TestRefusals:
    """Cursors that cannot be read are refused with a reason."""

    @pytest.mark.parametrize(
        ("params", "name"),
        [
            ({"since": "x"}, "since"),
            ({"since": ""}, "since"),
            ({"types": "posts,nothing"}, "types"),
            ({"types": "audit_events"}, "types"),
            ({"limit": "0"}, "limit"),
            ({"limit": "501"}, "limit"),
            ({"wait": "26"}, "wait"),
            ({"wait": "-1"}, "wait"),
            ({"limit": ["1", "2"]}, "limit"),
        ],
    )
    def test_invalid_parameters_are_refused(self, as_, params, name):
        answer = as_("root").get("/api/v1/changes", query_string=params)
        assert answer.status_code == 400
        assert answer.json["code"] == "invalid_parameter"
        assert [one["field"] for one in answer.json["details"]] == [name]

    def test_unknown_parameters_are_refused(self, client):
        answer = client.get("/api/v1/changes?page=1")
        assert (answer.status_code, answer.json["code"]) == (400, "unknown_parameter")

    def test_types_that_nobody_may_read_are_refused(self, client, as_):
        assert client.get("/api/v1/changes?types=redirects").status_code == 401
        assert as_("bob").get("/api/v1/changes?types=redirects").status_code == 403

    def test_cursor_of_a_record_list_is_refused(self, as_, make):
        make(TAGS, name="a"), make(TAGS, name="b")
        cursor = as_(None).get("/api/v1/tags?per_page=1").json["next_cursor"]
        answer = as_(None).get("/api/v1/changes", query_string={"since": cursor})
        assert (answer.status_code, answer.json["code"]) == (400, "invalid_parameter")

    def test_cursor_of_another_role_is_expired(self, as_, feed):
        since = feed("bob")[1]
        for name in (None, "ann"):
            answer = as_(name).get("/api/v1/changes", query_string={"since": since})
            assert (answer.status_code, answer.json["code"]) == (410, "cursor_expired")

    def test_cursor_from_before_a_role_change_is_expired(self, as_, feed, people, change):
        since = feed("bob")[1]
        change(write.update, USERS, people["bob"].id, {"role": "author"})
        answer = as_("bob").get("/api/v1/changes", query_string={"since": since})
        assert answer.status_code == 410

    def test_old_cursor_is_expired(self, as_, feed, stop_clock):
        since = feed(None)[1]
        stop_clock(days=31)
        answer = as_(None).get("/api/v1/changes", query_string={"since": since})
        assert (answer.status_code, answer.json["code"]) == (410, "cursor_expired")


class TestWaiting:
    """A request waits until there is a change to report."""

    def test_waiting_request_is_answered_when_something_changes(
        self, app, as_, feed, make, write_post
    ):
        since = feed(None)[1]
        answers = []

        def ask():
            answers.append(
                as_(None).get("/api/v1/changes", query_string={"since": since, "wait": 20})
            )

        waiter = threading.Thread(target=ask)
        waiter.start()
        time.sleep(0.3)
        assert answers == []
        post = write_post(published=True)
        waiter.join(10)
        assert [one["id"] for one in answers[0].json["changes"]] == [post]

    def test_changes_hidden_from_the_reader_do_not_end_the_wait(self, as_, feed, make, write_post):
        since = feed(None)[1]
        write_post()
        begun = time.monotonic()
        answer = as_(None).get("/api/v1/changes", query_string={"since": since, "wait": 1})
        assert answer.json["changes"] == []
        assert time.monotonic() - begun > 0.9

    def test_requests_beyond_the_limit_do_not_wait(self, make_app):
        client = make_app(CHANGES_WAITING=0).test_client()
        since = client.get("/api/v1/changes").json["next"]
        begun = time.monotonic()
        client.get("/api/v1/changes", query_string={"since": since, "wait": 20})
        assert time.monotonic() - begun < 10


@pytest.mark.parametrize("name", [None, "bob", "root"])
def test_singletons_are_reported_too(as_, feed, name):
    root, reader = as_("root"), as_(name)
    for path, values in (("settings", {"tagline": "New"}), ("appearance", {"footer": "New"})):
        since = feed(name)[1]
        assert root.patch(path, json=values).status_code == 200, path
        answers = [
            reader.get("/api/v1/changes", query_string={"since": cursor, "types": path}).json
            for cursor in ("start", since)
        ]
        for answer in answers:
            [change] = answer["changes"]
            assert (change["type"], change["op"], change["id"]) == (path, "upsert", 1)
            assert change["record"] == reader.get(path).json
            assert change["version"] == change["record"]["version"]

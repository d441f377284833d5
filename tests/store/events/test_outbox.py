"""Events of changes: their names in the past tense, and whether they publish or unpublish a record."""

import pytest
from sqlalchemy import delete, select

from quire.actor import SYSTEM
from quire.declare.event_names import event_names, is_subscribed, subscription_names
from quire.records import COMMENTS, POSTS, SETTINGS, TAGS
from quire.store import write
from quire.store.db import read_connection, transaction
from quire.store.events.outbox import OutboxEvent
from quire.store.events.publication_schedule import write_due_events
from quire.store.events.viewers import NOTE
from tests.clocks import FUTURE, PAST

TABLE = OutboxEvent.__table__


@pytest.fixture
def events_after(app):
    """`events_after(call, ...)`: the verbs of the events that the call writes."""

    def after(call, *given, **more):
        with app.app_context():
            with transaction() as connection:
                connection.execute(delete(TABLE))
            call(*given, **more)
            with read_connection() as connection:
                events = connection.execute(select(TABLE.c.event).order_by(TABLE.c.id)).scalars()
                return [verb for _, _, verb in (e.partition(".") for e in events) if verb != NOTE]

    return after


@pytest.fixture
def make_post(make, people):
    """`make_post(published=True)`: a post of ann's."""
    return lambda **raw: make(POSTS, title="A", body="x", author=people["ann"].id, **raw)


def change(id, **raw):
    return write.update(POSTS, SYSTEM, id, raw)


def act(id, name, record=POSTS, **raw):
    return write.act(record, SYSTEM, id, name, raw)


def test_new_post_is_created_and_published(events_after, make_post):
    assert events_after(make_post, published=True) == ["created", "published"]
    assert events_after(make_post) == events_after(make_post, published_at=FUTURE) == ["created"]


def test_every_way_to_publish_or_unpublish_writes_an_event(events_after, make_post):
    assert events_after(change, make_post(), published=True) == ["updated", "published"]
    assert events_after(change, make_post(), published_at=PAST) == ["updated", "published"]
    assert events_after(act, make_post(), "publish") == ["updated", "published"]
    assert events_after(change, make_post(published=True), published=False) == [
        "updated",
        "unpublished",
    ]
    assert events_after(change, make_post(published=True), published_at=FUTURE) == [
        "updated",
        "unpublished",
    ]
    assert events_after(act, make_post(published=True), "unpublish") == ["updated", "unpublished"]


def test_change_that_keeps_visibility_is_only_an_update(events_after, make_post):
    assert events_after(change, make_post(published=True), title="B") == ["updated"]
    assert events_after(act, make_post(), "publish", at=FUTURE) == ["updated"]
    assert events_after(act, make_post(published_at=FUTURE), "unpublish") == ["updated"]


def test_trashing_and_restoring_neither_publish_nor_unpublish(events_after, make_post):
    id = make_post(published=True)
    assert events_after(write.delete, POSTS, SYSTEM, id) == ["deleted"]
    assert events_after(act, id, "restore") == ["restored"]


def test_schedule_writes_published_and_unpublished_once(events_after, make_post, stop_clock):
    make_post(published_at=FUTURE, unpublish_at="2099-03-01T00:00:00Z")
    stop_clock(days=365 * 80)
    assert events_after(write_due_events) == ["published", "unpublished"]
    assert events_after(write_due_events) == []


def test_actions_write_events_in_their_past_tense(events_after, make_post, make):
    comment = make(COMMENTS, post=make_post(published=True), body="x", status="pending")
    assert events_after(act, comment, "approve", COMMENTS) == ["approved"]
    assert events_after(act, comment, "spam", COMMENTS) == ["marked_as_spam"]


def test_subscription_names_include_wildcards():
    names = subscription_names([POSTS, SETTINGS])
    assert names[:6] == ["*", "posts.*", "posts.created", "posts.updated", "posts.deleted", "posts.published"]  # fmt: skip
    assert names[-2:] == ["settings.*", "settings.updated"]
    assert "posts.duplicated" not in event_names(POSTS)
    assert event_names(TAGS) == ["tags.created", "tags.updated", "tags.deleted"]


@pytest.mark.parametrize(
    ("name", "meant"),
    [("*", True), ("posts.*", True), ("posts.created", True), ("tags.*", False), ("posts.updated", False)],
)  # fmt: skip
def test_subscription_covers_one_event_one_type_or_all(name, meant):
    assert is_subscribed([name], "posts.created") is meant

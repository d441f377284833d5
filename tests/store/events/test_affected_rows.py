"""Rows that the database changes with a deletion are named in the outbox for totals, not reported as changes."""

import pytest
from sqlalchemy import or_, select

from quire.actor import SYSTEM, Actor
from quire.declare.clock import now, rfc3339
from quire.declare.record import REGISTRY, find_record
from quire.records import CATEGORIES, COMMENTS, POSTS
from quire.store import write
from quire.store.data_versions import parse_versions, version_column
from quire.store.db import db
from quire.store.events import affected_rows
from quire.store.events.change_feed import Place, catch_up, read_changes
from quire.store.events.feed_position import current_position
from quire.store.events.outbox import OutboxEvent
from quire.store.size_limit import UNLIMITED
from quire.store.version_names import ANY_ROW, access_of


@pytest.fixture
def post(app, people):
    """`post(...)`: create a post, return its id."""
    with app.app_context():
        yield lambda **more: write.create(POSTS, SYSTEM, raw_post(people, **more)).id


def raw_post(people, **more):
    now_live = rfc3339(now())
    return {"title": "T", "body": "b", "author": people["ann"].id, "published_at": now_live, **more}


def comment(post, **more):
    raw = {"post": post, "body": "b", "status": "approved"}
    return write.create(COMMENTS, SYSTEM, {**raw, **more}).id


def deletion(record, id):
    """Return the rows that a deletion names besides its own, and the tables in which it leaves changed rows unnamed."""
    before = versions()
    write.delete(record, SYSTEM, id, permanent=True)
    events = OutboxEvent.__table__.c
    is_name = or_(events.event.endswith(".viewers"), events.event.endswith(".affected"))
    with db.engine.connect() as connection:
        named = set(
            map(tuple, connection.execute(select(events.event, events.record_id).where(is_name)))
        )
    raised = {name for name, one in versions().items() if before.get(name) != one}
    named.discard((f"{record.path}.viewers", id))
    return named, {
        table for table in ("posts", "comments", "categories") if table + ANY_ROW in raised
    }


def versions():
    with db.engine.connect() as connection:
        column = version_column(connection.dialect.name)
        return parse_versions(connection.execute(select(column)).scalar())


def test_deleting_a_post_names_its_comments(post):
    one, other = post(), post()
    first = comment(one)
    answer = comment(one, parent=first)
    comment(other)
    named = {("comments.viewers", first), ("comments.viewers", answer)}
    assert deletion(POSTS, one) == (named, set())


def test_deleting_a_comment_names_its_replies(post):
    one = post()
    first = comment(one)
    answers = {comment(one, parent=first), comment(one, parent=first)}
    assert deletion(COMMENTS, first) == ({("comments.affected", id) for id in answers}, set())


def test_deleting_a_category_names_its_posts_but_not_their_comments(post):
    category = write.create(CATEGORIES, SYSTEM, {"name": "Sea"}).id
    one = post(category=category)
    comment(one)
    assert deletion(CATEGORIES, category) == ({("posts.affected", one)}, set())


def test_all_rows_changed_by_cascades_are_named(app):
    for record in REGISTRY.values():
        deletion = access_of(f"DELETE FROM {record.table.name}").writes
        raised = {one.removesuffix(ANY_ROW) for one in deletion if one.endswith(ANY_ROW)}
        _, named = affected_rows._affected_rows(record)
        assert {one for one in raised if find_record(one)} == named & raised, record.path


def test_too_many_affected_rows_are_not_named(post, monkeypatch):
    monkeypatch.setattr(affected_rows, "MAX_ROWS", 1)
    category = write.create(CATEGORIES, SYSTEM, {"name": "Sea"}).id
    for _ in range(2):
        post(category=category)
    named, unnamed = deletion(CATEGORIES, category)
    assert (named, unnamed) == (set(), {"posts", "categories"})


def test_affected_rows_are_not_in_the_change_feed(post, people):
    category = write.create(CATEGORIES, SYSTEM, {"name": "Sea"}).id
    post(category=category)
    catch_up()
    place = Place(current_position().last)
    write.delete(CATEGORIES, SYSTEM, category, permanent=True)
    catch_up()
    changes = read_changes(
        Actor("admin", people["root"].id), [POSTS, CATEGORIES], place, 100, UNLIMITED
    ).changes
    assert [(one["type"], one["op"]) for one in changes] == [("categories", "delete")]

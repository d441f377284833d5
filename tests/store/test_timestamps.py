"""One moment for each row, however the clock goes on while it is made."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from quire.actor import SYSTEM
from quire.auth import preview_links
from quire.declare.job_registry import PeriodicTask
from quire.records import POSTS, SESSIONS
from quire.store import read, write
from quire.store.db import read_connection
from quire.store.drafts import draft_service
from quire.store.drafts.storage import Draft
from quire.store.events import outbox, queue
from quire.store.events.outbox import OutboxEvent
from quire.store.preview_links import PreviewMark
from tests.users import give_session


@pytest.fixture(autouse=True)
def app_in_context(app, ticking):
    """All this happens inside the application, whose clock never stands still."""
    with app.app_context():
        yield


@pytest.fixture
def post(make):
    return make(POSTS, title="x", body="x", author="ann", published=True)


def last(model):
    table = model.__table__
    with read_connection() as connection:
        return connection.execute(select(table).order_by(table.c.id.desc())).first()


def test_a_record_is_made_changed_and_published_at_once(post):
    row = read.get_record(POSTS, SYSTEM, post)
    assert row["created_at"] == row["updated_at"] == row["published_at"]


def test_it_goes_into_the_trash_as_it_is_changed(post):
    write.delete(POSTS, SYSTEM, post)
    row = read.get_record(POSTS, SYSTEM, post)
    assert row["deleted_at"] == row["updated_at"]


def test_a_session_lasts_as_long_as_it_says(app, client, people):
    row = read.get_record(SESSIONS, SYSTEM, give_session(app, client, people["ann"]))
    assert row["created_at"] == row["last_seen_at"]
    with read_connection() as connection:
        held = connection.execute(select(SESSIONS.table)).one()
    assert held.expires_at - held.created_at == timedelta(hours=1)


def test_a_preview_link_lasts_as_long_as_it_says(app, post):
    link = preview_links.create_link(POSTS, SYSTEM, post)
    row = last(PreviewMark)
    lifetime = timedelta(seconds=app.config["PREVIEW_LINK_SECONDS"])
    assert row.expires_at == link.expires_at and row.expires_at - row.created_at == lifetime


def test_a_draft_is_begun_when_it_is_written(post):
    draft_service.save_draft(POSTS, SYSTEM, post, {"title": "y"})
    row = last(Draft)
    assert row.created_at == row.updated_at


def test_a_job_is_due_when_it_is_owed():
    outbox.enqueue("letters.burn")
    row = last(OutboxEvent)
    assert row.due_at == row.created_at


def test_what_is_done_now_and_then_is_due_after_its_time():
    queue.schedule({"upkeep": PeriodicTask(print, 30)})
    row = last(OutboxEvent)
    assert row.due_at - row.created_at == timedelta(seconds=30)

"""Each row has one time, even if the clock advances while the row is written."""

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
    """Run each test in the application context with an advancing clock."""
    with app.app_context():
        yield


@pytest.fixture
def post(make):
    return make(POSTS, title="x", body="x", author="ann", published=True)


def last(model):
    table = model.__table__
    with read_connection() as connection:
        return connection.execute(select(table).order_by(table.c.id.desc())).first()


def test_new_record_is_created_updated_and_published_at_one_time(post):
    row = read.get_record(POSTS, SYSTEM, post)
    assert row["created_at"] == row["updated_at"] == row["published_at"]


def test_record_is_trashed_and_updated_at_one_time(post):
    write.delete(POSTS, SYSTEM, post)
    row = read.get_record(POSTS, SYSTEM, post)
    assert row["deleted_at"] == row["updated_at"]


def test_session_has_its_exact_lifetime(app, client, people):
    row = read.get_record(SESSIONS, SYSTEM, give_session(app, client, people["ann"]))
    assert row["created_at"] == row["last_seen_at"]
    with read_connection() as connection:
        held = connection.execute(select(SESSIONS.table)).one()
    assert held.expires_at - held.created_at == timedelta(hours=1)


def test_preview_link_has_its_exact_lifetime(app, post):
    link = preview_links.create_link(POSTS, SYSTEM, post)
    row = last(PreviewMark)
    lifetime = timedelta(seconds=app.config["PREVIEW_LINK_SECONDS"])
    assert row.expires_at == link.expires_at and row.expires_at - row.created_at == lifetime


def test_new_draft_is_created_and_updated_at_one_time(post):
    draft_service.save_draft(POSTS, SYSTEM, post, {"title": "y"})
    row = last(Draft)
    assert row.created_at == row.updated_at


def test_new_job_is_due_at_its_creation_time():
    outbox.enqueue("letters.burn")
    row = last(OutboxEvent)
    assert row.due_at == row.created_at


def test_periodic_task_is_due_after_its_interval():
    queue.schedule({"upkeep": PeriodicTask(print, 30)})
    row = last(OutboxEvent)
    assert row.due_at - row.created_at == timedelta(seconds=30)

"""The change feed reports media whose visibility changes with the records that show them."""

from datetime import UTC, datetime, timedelta

import pytest

from quire.actor import SYSTEM
from quire.declare.clock import rfc3339
from quire.records import APPEARANCE, COMMENTS, PAGES, POSTS, USERS
from quire.records.media import upload
from quire.store import write
from quire.store.db import db
from quire.store.drafts import draft_service
from tests.query_plans import query_plans
from tests.sample_images import keep


@pytest.fixture
def picture(app, people):
    """An image of ann's in the library."""
    with app.app_context(), keep() as file:
        yield upload(SYSTEM, file, {"owner": people["ann"].id}).state


@pytest.fixture
def change_after(as_, picture):
    """`change_after(call, ...)`: the change of media that a reader gets after the call: `upsert`, `delete` or None."""

    def media_changes(call, *given, reader=None):
        client = as_(reader)
        since = client.get("changes").json["next"]
        call(*given)
        answer = client.get("changes", query_string={"since": since, "types": "media"}).json
        assert [one["id"] for one in answer["changes"]] in ([], [picture["id"]])
        return next((one["op"] for one in answer["changes"]), None)

    return media_changes


@pytest.fixture
def make_post(make, people):
    """`make_post(...)`: the id of a draft of ann's."""
    usual = {"title": "x", "body": "x", "author": people["ann"].id}
    return lambda **raw: make(POSTS, **usual | raw)


def in_text(picture):
    return f"![]({picture['url'].replace('.png', '-640.webp')})"


@pytest.fixture(params=["cover", "body"])
def shown(request, picture):
    """The values that make a post show the image, and those that remove it again."""
    if request.param == "cover":
        return {"cover": picture["id"]}, {"cover": None}
    return {"body": f"a {in_text(picture)} b"}, {"body": "x"}


def act(id, name, record=POSTS):
    return write.act(record, SYSTEM, id, name)


def edit(id, raw, record=POSTS):
    return write.update(record, SYSTEM, id, raw)


def test_file_appears_and_disappears_with_a_post(change_after, make_post, shown):
    id = make_post(**shown[0])
    assert change_after(act, id, "publish") == "upsert"
    assert change_after(edit, id, {"title": "y"}) is None
    assert change_after(act, id, "unpublish") == "delete"
    act(id, "publish")
    assert change_after(write.delete, POSTS, SYSTEM, id) == "delete"
    assert change_after(act, id, "restore") == "upsert"
    assert change_after(lambda: write.delete(POSTS, SYSTEM, id, permanent=True)) == "delete"


def test_file_appears_and_disappears_within_a_public_post(change_after, make_post, shown):
    id = make_post(published=True)
    assert change_after(edit, id, shown[0]) == "upsert"
    assert change_after(edit, id, {**shown[0], "title": "y"}) is None
    assert change_after(edit, id, shown[1]) == "delete"
    assert change_after(lambda: make_post(published=True, **shown[0])) == "upsert"


def test_readers_who_always_see_a_file_keep_it(change_after, make_post, shown):
    id = make_post(published=True, **shown[0])
    assert change_after(act, id, "unpublish", reader="mod") == "upsert"
    assert change_after(act, id, "publish", reader="ann") == "upsert"


def test_readers_who_see_a_file_elsewhere_keep_it(change_after, make_post, shown):
    make_post(published=True, **shown[0])
    id = make_post(published=True, **shown[0])
    assert change_after(act, id, "unpublish") == "upsert"


def test_published_draft_reveals_its_files(change_after, make_post, shown):
    id = make_post(published=True)
    assert change_after(draft_service.save_draft, POSTS, SYSTEM, id, shown[0]) is None
    assert change_after(act, id, "publish") == "upsert"


def test_schedule_reveals_and_hides_files(change_after, make_post, shown, stop_clock):
    at = [rfc3339(datetime.now(UTC) + timedelta(days=days)) for days in (1, 3)]
    make_post(**shown[0], published_at=at[0], unpublish_at=at[1])
    assert change_after(lambda: stop_clock(days=2)) == "upsert"
    assert change_after(lambda: stop_clock(days=4)) == "delete"


def test_files_in_comments_are_reported(change_after, make, make_post, picture, people):
    id = make_post(published=True)
    raw = {"post": id, "body": in_text(picture), "author": people["mod"].id, "status": "pending"}
    comment = make(COMMENTS, **raw)
    assert change_after(act, comment, "approve", COMMENTS) == "upsert"
    assert change_after(act, id, "unpublish") == "delete"
    assert change_after(act, id, "publish") == "upsert"


def test_files_in_pages_and_appearance_are_reported(change_after, make, picture):
    page = make(PAGES, title="About", body=in_text(picture))
    assert change_after(edit, page, {"published": True}, PAGES) == "upsert"
    assert change_after(edit, page, {"published": False}, PAGES) == "delete"
    assert change_after(edit, 1, {"logo": picture["id"]}, APPEARANCE) == "upsert"
    assert change_after(edit, 1, {"footer": in_text(picture)}, APPEARANCE) == "upsert"
    assert change_after(edit, 1, {"footer": "", "logo": None}, APPEARANCE) == "delete"


def test_avatar_of_a_new_author_is_reported(change_after, picture, people):
    bob = people["bob"].id
    assert change_after(edit, bob, {"avatar": picture["id"]}, USERS) is None
    assert change_after(edit, bob, {"role": "author"}, USERS) == "upsert"
    assert change_after(edit, bob, {"role": "member"}, USERS) == "delete"


def test_changes_without_files_write_no_events_about_files(statements, app, make_post):
    id = make_post()
    with app.app_context():
        for call in (lambda: edit(id, {"body": "y"}), lambda: make_post(published=True)):
            _, sent = statements(call)
            assert not [one for one in sent if "media.viewers" in one]


def test_files_are_read_from_their_index(app, make_post, shown, picture):
    id = make_post(published=True, **shown[0])
    with app.app_context():
        plans = query_plans(db.engine, lambda: act(id, "unpublish"), containing="media")
    notes = [one for one in plans if "media" in one]
    assert notes and not [one for one in notes if "SCAN media" in one or "Seq Scan on media" in one]

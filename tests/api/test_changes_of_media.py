"""The feed of changes tells of media that come and go with what shows them."""

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
    """A picture of ann's in the library."""
    with app.app_context(), keep() as file:
        yield upload(SYSTEM, file, {"owner": people["ann"].id}).state


@pytest.fixture
def told(as_, picture):
    """`told(call, ...)`: what a reader hears of media when it is called, `upsert`, `delete` or None."""

    def media_changes(call, *given, reader=None):
        client = as_(reader)
        since = client.get("changes").json["next"]
        call(*given)
        answer = client.get("changes", query_string={"since": since, "types": "media"}).json
        assert [one["id"] for one in answer["changes"]] in ([], [picture["id"]])
        return next((one["op"] for one in answer["changes"]), None)

    return media_changes


@pytest.fixture
def post(make, people):
    """`post(...)`: the id of a draft of ann's."""
    usual = {"title": "x", "body": "x", "author": people["ann"].id}
    return lambda **raw: make(POSTS, **usual | raw)


def in_text(picture):
    return f"![]({picture['url'].replace('.png', '-640.webp')})"


@pytest.fixture(params=["cover", "body"])
def shown(request, picture):
    """What makes a post show the picture, and what makes it cease to."""
    if request.param == "cover":
        return {"cover": picture["id"]}, {"cover": None}
    return {"body": f"a {in_text(picture)} b"}, {"body": "x"}


def act(id, name, record=POSTS):
    return write.act(record, SYSTEM, id, name)


def edit(id, raw, record=POSTS):
    return write.update(record, SYSTEM, id, raw)


def test_it_comes_and_goes_with_a_post(told, post, shown):
    id = post(**shown[0])
    assert told(act, id, "publish") == "upsert"
    assert told(edit, id, {"title": "y"}) is None
    assert told(act, id, "unpublish") == "delete"
    act(id, "publish")
    assert told(write.delete, POSTS, SYSTEM, id) == "delete"
    assert told(act, id, "restore") == "upsert"
    assert told(lambda: write.delete(POSTS, SYSTEM, id, permanent=True)) == "delete"


def test_it_comes_and_goes_within_a_public_post(told, post, shown):
    id = post(published=True)
    assert told(edit, id, shown[0]) == "upsert"
    assert told(edit, id, {**shown[0], "title": "y"}) is None
    assert told(edit, id, shown[1]) == "delete"
    assert told(lambda: post(published=True, **shown[0])) == "upsert"


def test_who_sees_it_all_the_time_keeps_it(told, post, shown):
    id = post(published=True, **shown[0])
    assert told(act, id, "unpublish", reader="mod") == "upsert"
    assert told(act, id, "publish", reader="ann") == "upsert"


def test_a_reader_who_sees_it_elsewhere_keeps_it(told, post, shown):
    post(published=True, **shown[0])
    id = post(published=True, **shown[0])
    assert told(act, id, "unpublish") == "upsert"


def test_a_draft_that_goes_live(told, post, shown):
    id = post(published=True)
    assert told(draft_service.save_draft, POSTS, SYSTEM, id, shown[0]) is None
    assert told(act, id, "publish") == "upsert"


def test_a_schedule(told, post, shown, stop_clock):
    at = [rfc3339(datetime.now(UTC) + timedelta(days=days)) for days in (1, 3)]
    post(**shown[0], published_at=at[0], unpublish_at=at[1])
    assert told(lambda: stop_clock(days=2)) == "upsert"
    assert told(lambda: stop_clock(days=4)) == "delete"


def test_comments_below_a_post(told, make, post, picture, people):
    id = post(published=True)
    raw = {"post": id, "body": in_text(picture), "author": people["mod"].id, "status": "pending"}
    comment = make(COMMENTS, **raw)
    assert told(act, comment, "approve", COMMENTS) == "upsert"
    assert told(act, id, "unpublish") == "delete"
    assert told(act, id, "publish") == "upsert"


def test_pages_and_the_look_of_the_site(told, make, picture):
    page = make(PAGES, title="About", body=in_text(picture))
    assert told(edit, page, {"published": True}, PAGES) == "upsert"
    assert told(edit, page, {"published": False}, PAGES) == "delete"
    assert told(edit, 1, {"logo": picture["id"]}, APPEARANCE) == "upsert"
    assert told(edit, 1, {"footer": in_text(picture)}, APPEARANCE) == "upsert"
    assert told(edit, 1, {"footer": "", "logo": None}, APPEARANCE) == "delete"


def test_the_portrait_of_who_becomes_an_author(told, picture, people):
    bob = people["bob"].id
    assert told(edit, bob, {"avatar": picture["id"]}, USERS) is None
    assert told(edit, bob, {"role": "author"}, USERS) == "upsert"
    assert told(edit, bob, {"role": "member"}, USERS) == "delete"


def test_what_shows_no_file_writes_nothing_about_any(statements, app, post):
    id = post()
    with app.app_context():
        for call in (lambda: edit(id, {"body": "y"}), lambda: post(published=True)):
            _, sent = statements(call)
            assert not [one for one in sent if "media.viewers" in one]


def test_files_are_found_by_their_index(app, post, shown, picture):
    id = post(published=True, **shown[0])
    with app.app_context():
        plans = query_plans(db.engine, lambda: act(id, "unpublish"), containing="media")
    notes = [one for one in plans if "media" in one]
    assert notes and not [one for one in notes if "SCAN media" in one or "Seq Scan on media" in one]

"""Media are public if a record that shows them is public."""

import re

import pytest
from sqlalchemy import text

from quire.actor import ANONYMOUS, SYSTEM
from quire.declare.query import Query
from quire.records import APPEARANCE, COMMENTS, MEDIA, PAGES, POSTS, USERS
from quire.records.media import upload
from quire.store import read, write
from quire.store.db import db, read_connection
from quire.store.drafts import draft_service
from tests.query_plans import query_plans
from tests.sample_images import keep

LIVE, LATER = "2026-01-01T10:00:00Z", "2099-01-01T00:00:00Z"
PAST = "2026-02-01T00:00:00Z"


@pytest.fixture
def picture(app, people):
    """An image of ann's in the library."""
    with app.app_context(), keep() as file:
        yield upload(SYSTEM, file, {"owner": people["ann"].id, "alt": "The plan"}).state


@pytest.fixture
def make_post(make, people):
    """`make_post(...)`: the id of a post of ann's, published by default."""
    usual = {"title": "x", "body": "x", "published_at": LIVE, "author": people["ann"].id}
    return lambda **raw: make(POSTS, **usual | raw)


@pytest.fixture
def seen(as_, picture):
    """`seen(who)`: whether a user finds the image, both by its id and in the list."""

    def found(who):
        client = as_(who)
        one = client.get(f"media/{picture['id']}")
        listed = [row["id"] for row in client.get("media").json["media"]]
        assert (one.status_code == 200) == (picture["id"] in listed)
        return one.status_code == 200

    return found


def in_text(picture):
    return f"![]({picture['url'].replace('.png', '-640.webp')})"


STATES = {
    "published": ({}, True),
    "a draft": ({"published_at": None}, False),
    "scheduled": ({"published_at": LATER}, False),
    "archived": ({"unpublish_at": PAST}, False),
}


@pytest.mark.parametrize("state", list(STATES))
@pytest.mark.parametrize("how", ["cover", "body"])
def test_visibility_follows_the_state_of_posts(seen, make_post, picture, state, how):
    more, is_public = STATES[state]
    make_post(**more, **{how: picture["id"] if how == "cover" else in_text(picture)})
    assert [seen(who) for who in (None, "bob")] == [is_public] * 2
    assert all(seen(who) for who in ("ann", "abe", "mod", "root"))


def test_visibility_follows_publication_and_withdrawal(seen, make_post, picture):
    id = make_post(body=in_text(picture), published_at=None)
    assert not seen(None)
    write.act(POSTS, SYSTEM, id, "publish")
    assert seen(None)
    write.update(POSTS, SYSTEM, id, {"body": "no more"})
    assert not seen(None)
    write.update(POSTS, SYSTEM, id, {"body": in_text(picture), "title": "y"})
    assert seen(None)
    write.update(POSTS, SYSTEM, id, {"title": "z"})
    assert seen(None)
    write.delete(POSTS, SYSTEM, id)
    assert not seen(None)
    write.act(POSTS, SYSTEM, id, "restore")
    assert seen(None)
    write.delete(POSTS, SYSTEM, id, permanent=True)
    assert not seen(None)
    with read_connection() as connection:
        assert connection.execute(text("SELECT count(*) FROM text_uses")).scalar() == 0


def test_drafts_reveal_no_files(seen, make_post, picture):
    id = make_post()
    draft_service.save_draft(POSTS, SYSTEM, id, {"body": in_text(picture), "cover": picture["id"]})
    assert not seen(None)


def test_files_in_pages_and_comments_are_public(seen, make_post, picture, make, people):
    page = make(PAGES, title="About", body=in_text(picture))
    said = {"post": make_post(), "author": people["mod"].id, "body": in_text(picture)}
    comment = make(COMMENTS, **said, status="pending")
    assert not seen(None)
    write.act(COMMENTS, SYSTEM, comment, "approve")
    assert seen(None)
    write.delete(COMMENTS, SYSTEM, comment)
    assert not seen(None)
    write.update(PAGES, SYSTEM, page, {"published": True})
    assert seen(None)


def test_files_in_appearance_are_public(seen, picture):
    write.update(APPEARANCE, SYSTEM, 1, {"logo": picture["id"]})
    assert seen(None)
    write.update(APPEARANCE, SYSTEM, 1, {"logo": None, "footer": in_text(picture)})
    assert seen(None)
    write.update(APPEARANCE, SYSTEM, 1, {"footer": ""})
    assert not seen(None)


def test_avatars_of_authors_are_public(seen, picture, people):
    write.update(USERS, SYSTEM, people["ann"].id, {"avatar": picture["id"]})
    assert seen(None)
    write.update(USERS, SYSTEM, people["ann"].id, {"avatar": None})
    write.update(USERS, SYSTEM, people["bob"].id, {"avatar": picture["id"]})
    assert not seen(None)


def test_references_to_media_reveal_no_more(as_, make_post, picture, client):
    make_post(published_at=None, cover=picture["id"])
    assert as_(None).get("search?q=plan").json["total"] == 0
    assert as_(None).get("media?search=plan").json["total"] == 0

    assert as_(None).get("media?width=40").json["total"] == 0
    assert as_(None).get("posts?include=cover").json["posts"] == []
    assert client.get(picture["url"]).status_code == 200


def test_files_of_a_post_are_included(as_, make_post, picture):
    make_post(cover=picture["id"])
    (row,) = as_(None).get("posts?include=cover").json["posts"]
    assert (row["cover"]["alt"], row["cover"]["bytes"]) == ("The plan", picture["bytes"])


def test_each_use_is_looked_up_in_an_index(app, picture):
    """No table is scanned for each file, however many files there are."""
    page = Query(per_page=5, count=False)
    plans = query_plans(
        db.engine, lambda: read.list_records(MEDIA, ANONYMOUS, page), containing="text_uses"
    )
    lines = plans[0].splitlines()
    walked = re.compile(r"(SCAN|Seq Scan on) (posts|pages|comments|users|appearance|text_uses)\b")
    assert any("text_uses" in line for line in lines)
    assert not [line for line in lines if walked.search(line)]

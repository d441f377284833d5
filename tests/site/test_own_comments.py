"""One's own comments on the site can be edited for a limited time and deleted; those of others cannot."""

from datetime import timedelta

import pytest

from quire.actor import SYSTEM
from quire.declare.clock import now, rfc3339
from quire.records import COMMENTS, SETTINGS
from quire.store import read, write
from tests.clocks import PAST
from tests.site.conftest import soup

CHANGES = ["Edit your comment", "Delete your comment"]


@pytest.fixture
def bob(visitor):
    return visitor("bob")


@pytest.fixture
def mine(comment):
    """A new comment of Bob's."""
    return comment("bob", body="Helo *all*.", created_at=rfc3339(now()))


def state(app, id):
    with app.app_context():
        return read.get_record(COMMENTS, SYSTEM, id)


def form_of(page):
    return {
        field["name"]: field.get("value", field.text)
        for field in soup(page).select("main form.form [name]")
    }


def links(page, id):
    return [a.text for a in soup(page).select(f"#comment-{id} .answer a")]


def test_comment_is_edited(app, bob, mine):
    assert links(bob.get("/posts/live"), mine) == ["Reply to bob", *CHANGES]
    page = bob.get(f"/comments/{mine}?page=2")
    sent = form_of(page)
    assert sent["body"].strip() == "Helo *all*."
    done = bob.post(f"/comments/{mine}?page=2", data={**sent, "body": "Hello *all*."})
    assert done.location == f"/posts/live?page=2#comment-{mine}"
    assert "Your comment has been saved." in bob.get("/posts/live").text
    assert state(app, mine)["body_html"] == "<p>Hello <em>all</em>.</p>\n"


def test_errors_are_shown_beside_the_field_and_nothing_is_lost(app, bob, mine):
    sent = form_of(bob.get(f"/comments/{mine}"))
    refused = bob.post(f"/comments/{mine}", data={**sent, "body": "  "})
    assert refused.status_code == 422 and soup(refused).select(".field .error")
    with app.app_context():
        write.update(COMMENTS, SYSTEM, mine, {"body": "Meanwhile"})
    late = bob.post(f"/comments/{mine}", data={**sent, "body": "My words"})
    assert late.status_code == 412
    assert "has changed since you read it" in late.text and "My words" in late.text
    assert soup(late).select("#newer .prose")[0].text.strip() == "Meanwhile"
    assert state(app, mine)["body"] == "Meanwhile"
    for odd in ("", "x", "9" * 30):
        assert bob.post(f"/comments/{mine}", data={**sent, "version": odd}).status_code == 412


def test_newer_text_can_be_replaced_knowingly(app, bob, mine):
    sent = form_of(bob.get(f"/comments/{mine}"))
    with app.app_context():
        write.update(COMMENTS, SYSTEM, mine, {"body": "Meanwhile"})
    late = bob.post(f"/comments/{mine}", data={**sent, "body": "My words"})
    assert late.status_code == 412
    done = bob.post(f"/comments/{mine}", data=form_of(late))
    assert done.status_code == 302 and state(app, mine)["body"].strip() == "My words"


def test_time_limit_of_editing_is_shown(bob, visitor, comment):
    made = now() - timedelta(minutes=5)
    id = comment("bob", body="Hm", created_at=rfc3339(made))
    said = soup(bob.get(f"/comments/{id}")).select(".hint time")[0]
    assert said["datetime"] == rfc3339(made + timedelta(minutes=60))
    assert "until" not in visitor("mod").get(f"/comments/{id}").text


def test_after_the_time_limit_a_comment_can_only_be_deleted(app, bob, comment):
    old = comment("bob", body="Long ago", created_at=PAST)
    assert links(bob.get("/posts/live"), old) == ["Reply to bob", "Delete your comment"]
    page = bob.get(f"/comments/{old}")
    assert "for 60 minutes" in page.text and "<textarea" not in page.text
    late = bob.post(f"/comments/{old}", data={"version": "1", "body": "New"})
    assert late.status_code == 403 and "for 60 minutes" in late.text and "New" in late.text
    done = bob.post(f"/comments/{old}/delete")
    assert done.status_code == 302 and state(app, old)["deleted_at"]
    assert bob.get(f"/comments/{old}").status_code == 404
    with app.app_context():
        write.update(SETTINGS, SYSTEM, 1, {"comment_edit_minutes": 0})
    older = comment("bob", body="Longer ago", created_at=PAST)
    assert links(bob.get("/posts/live"), older)[1:] == CHANGES
    assert "until" not in bob.get(f"/comments/{older}").text


def test_comments_of_others_cannot_be_changed(client, visitor, mine, comment):
    for name, status in (("abe", 403), ("mod", 200), (None, 302)):
        assert visitor(name).get(f"/comments/{mine}").status_code == status
    assert links(visitor("abe").get("/posts/live"), mine) == ["Reply to bob"]
    waiting = comment("bob", body="Hm", status="pending")
    assert visitor("abe").get(f"/comments/{waiting}").status_code == 404
    assert visitor("bob").get("/comments/99999").status_code == 404


def test_pending_comment_can_be_changed(bob, comment):
    id = comment("bob", body="Hm", status="pending", created_at=rfc3339(now()))
    assert links(bob.get("/posts/live"), id) == CHANGES


def test_dashboard_links_to_editing(bob, mine):
    assert f'href="/comments/{mine}"' in bob.get("/dashboard").text

"""Actions on one row of a list, and the size of a list of any type."""

import re

import pytest

from quire.actor import SYSTEM
from quire.declare.record import REGISTRY
from quire.records import POSTS
from quire.store import write
from tests.every_record.bodies import a_row

LISTED = [path for path, r in REGISTRY.items() if not r.singleton and path != "sessions"]
MAX_BYTES = 150_000
"""Of a page as it is sent: what holds a CSRF token is not compressed."""


def menu(text, id):
    """Return the words in the menu of a row."""
    part = text.split(f'id="menu-{id}"', 1)[1].split("</ul>", 1)[0]
    return re.findall(r"<(?:a|button)[^>]*>([^<]*)<", part)


def test_row_has_the_declared_actions(admin, ids):
    text = admin.get("posts/").text
    assert menu(text, ids.live) == [
        "Details", "View on site", "Unpublish", "Duplicate", "History", "Delete",
    ]  # fmt: skip
    assert menu(text, ids.draft) == ["Details", "Publish", "Duplicate", "History", "Delete"]
    text = admin.get("comments/").text
    assert "Approve" in menu(text, ids.comment) and "Mark as pending" not in menu(text, ids.comment)


def test_row_offers_only_allowed_actions(browser, ids):
    text = browser("ann").get("comments/").text
    assert menu(text, ids.comment) == ["Approve", "Mark as spam", "Delete"]
    assert menu(browser("ann").get("tags/").text, 1) == ["View on site"]


def test_trashed_row_can_be_restored_or_deleted(admin, app, ids):
    with app.app_context():
        write.delete(POSTS, SYSTEM, ids.draft)
    assert menu(admin.get("posts/?trashed=true").text, ids.draft) == ["Restore", "Delete"]


def test_action_of_a_row_can_be_undone(admin, ids, state):
    form = {"one": f"publish {ids.draft}", "url": "/admin/posts/?status=draft"}
    answer = admin.post("posts/action/", form)
    assert answer.location == "/admin/posts/?status=draft"
    assert state(POSTS, ids.draft)["status"] == "published"
    assert ">Undo<" in admin.get("posts/").text
    answer = admin.post("posts/action/", {"one": f"duplicate {ids.live}"})
    assert answer.location.startswith("/admin/posts/edit/?id=")


@pytest.mark.parametrize(
    ("one", "status"),
    [("publish", 404), ("publish x", 404), ("explode 1", 400), ("publish 99", 302)],
)
def test_invalid_row_actions_change_nothing(admin, one, status):
    assert admin.post("posts/action/", {"one": one}).status_code == status


@pytest.mark.parametrize("path", LISTED)
def test_every_list_is_small_and_takes_few_statements(admin, app, statements, path):
    record = REGISTRY[path]
    with app.app_context():
        for _ in range(22):
            a_row(record)
    admin.get(f"{path}/")
    answer, sent = statements(admin.get, f"{path}/")
    assert answer.status_code == 200 and len(sent) <= 6
    assert len(answer.data) < MAX_BYTES

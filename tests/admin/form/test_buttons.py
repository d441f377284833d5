"""The button that saves a form says what it will do, and does that."""

import pytest
from bs4 import BeautifulSoup

from quire.records import POSTS, TAGS
from tests.admin.form.test_forms import new_id

FUTURE = "2099-01-01T10:00:00"


def primary(answer):
    """Return the label of the first button, and what it sends."""
    (button,) = BeautifulSoup(answer.text, "html.parser").select(".savebar .primary")
    return button.get_text(strip=True), (button.get("name"), button.get("value"))


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("posts/new/", "Publish"),
        ("posts/new/?published_at=2099-01-01T10:00", "Schedule"),
        ("posts/edit/?id={0.live}", "Publish changes"),
        ("posts/edit/?id={0.draft}", "Publish"),
        ("posts/edit/?id={0.later}", "Schedule"),
        ("pages/edit/?id={0.page}", "Publish changes"),
        ("tags/new/", "Create tag"),
        ("tags/edit/?id=1", "Save"),
        ("settings/edit/?id=1", "Save"),
    ],
)
def test_first_button_names_its_effect(admin, ids, path, label):
    assert primary(admin.get(path.format(ids)))[0] == label


def test_publish_publishes_now(admin, state):
    raw = {"title": "At once", "body": "Words.", "published_at": "", "_publish": "publish"}
    raw["_continue_editing"] = "1"
    assert state(POSTS, new_id(admin.post("posts/new/", raw)))["status"] == "published"
    assert "Post published." in admin.get("posts/").text


def test_publish_replaces_a_cleared_date(admin, ids, state):
    admin.post(f"posts/edit/?id={ids.later}", {"published_at": "", "_publish": "publish"})
    assert state(POSTS, ids.later)["status"] == "published"


def test_schedule_needs_a_date(admin, ids, state):
    url = f"posts/edit/?id={ids.draft}"
    answer = admin.post(url, {"published_at": "", "_publish": "schedule"})
    assert answer.status_code == 422
    assert "Enter the date on which it will be published." in answer.text
    admin.post(url, {"published_at": FUTURE, "_publish": "schedule"})
    assert state(POSTS, ids.draft)["status"] == "scheduled"
    assert "Post scheduled." in admin.get("posts/").text


def test_new_draft_is_not_published_by_its_date(admin, state):
    raw = {
        "title": "Later",
        "body": "Words.",
        "published_at": "2026-01-01T10:00",
        "_save_draft": "1",
    }
    id = new_id(admin.post("posts/new/", raw))
    assert state(POSTS, id)["status"] == "draft"
    form = BeautifulSoup(admin.get(f"posts/edit/?id={id}").text, "html.parser")
    assert form.select_one("[name=published_at]")["value"] == "2026-01-01T10:00:00"


def test_refused_draft_is_shown_again(admin):
    answer = admin.post("posts/new/", {"title": "", "body": "Words.", "_save_draft": "1"})
    assert answer.status_code == 422 and "Words." in answer.text


def test_columns_and_parts_follow_from_the_declaration(admin, ids):
    page = BeautifulSoup(admin.get(f"posts/edit/?id={ids.live}").text, "html.parser")
    main, side = page.select(".form-grid > div")
    assert [one["name"] for one in main.select("[name]")] == ["title", "body"]
    parts = {one.h2.get_text(): one for one in side.select("details.fields")}
    titles = ["Publishing", "Details", "Cover and summary", "Search engines and sharing"]
    assert list(parts) == titles
    assert [one.has_attr("open") for one in parts.values()] == [True, True, True, False]
    names = [one["name"] for one in parts["Publishing"].select("[name]")]
    assert names == ["published_at", "unpublish_at"]


def test_short_form_has_one_column(admin):
    page = BeautifulSoup(admin.get("tags/new/").text, "html.parser")
    assert page.select_one(".form-grid.single")
    names = [one["name"] for one in page.select(".form-grid [name]")]
    assert set(names) == {one.name for one in TAGS.fields if one.on_create}

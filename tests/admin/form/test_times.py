"""Times in forms are those of the user's time zone; the store has UTC."""

import pytest
from bs4 import BeautifulSoup

from quire.actor import SYSTEM
from quire.records import POSTS
from quire.store import write
from tests.admin.form.test_forms import new_id

BERLIN = "Europe/Berlin"


@pytest.fixture
def berliner(admin):
    """An administrator whose browser has sent its time zone."""
    admin.client.set_cookie("time_zone", BERLIN, path="/admin/")
    return admin


def form_of(answer):
    return BeautifulSoup(answer.text, "html.parser").select_one("#record-form")


def test_time_is_shown_in_the_persons_zone(berliner, ids):
    form = form_of(berliner.get(f"posts/edit/?id={ids.live}"))
    assert form.select_one("[name=published_at]")["value"] == "2026-01-01T11:00:00"
    assert form.select_one("[name=_time_zone]")["value"] == BERLIN
    assert form.select_one("#in-published_at-hint").text == "Time zone: Europe/Berlin."


def test_without_the_cookie_the_zone_is_utc(admin, ids):
    form = form_of(admin.get(f"posts/edit/?id={ids.live}"))
    assert form.select_one("[name=published_at]")["value"] == "2026-01-01T10:00:00"
    assert form.select_one("#in-published_at-hint").text == "Time zone: UTC."


def test_time_is_stored_in_utc(berliner, ids, state):
    raw = {"published_at": "2026-07-01T12:00", "_time_zone": BERLIN}
    berliner.post(f"posts/edit/?id={ids.live}", raw)
    assert state(POSTS, ids.live)["published_at"] == "2026-07-01T10:00:00Z"


def test_zone_in_which_the_form_was_shown_applies(berliner, ids, state):
    """A first visit shows UTC, and its script sets the cookie afterwards."""
    raw = {"published_at": "2026-07-01T12:00", "_time_zone": "UTC"}
    berliner.post(f"posts/edit/?id={ids.live}", raw)
    assert state(POSTS, ids.live)["published_at"] == "2026-07-01T12:00:00Z"


def test_nonexistent_time_is_refused(berliner, ids, state):
    url = f"posts/edit/?id={ids.live}"
    answer = berliner.post(url, {"published_at": "2027-03-28T02:30", "_time_zone": BERLIN})
    assert answer.status_code == 422
    words = form_of(answer).select_one("#in-published_at-errors").get_text(strip=True)
    assert words.startswith(
        "There is no 02:30 on 28 Mar 2027 in Europe/Berlin: the clocks go forward"
    )
    assert form_of(answer).select_one("[name=published_at]")["value"] == "2027-03-28T02:30"
    assert state(POSTS, ids.live)["published_at"] == "2026-01-01T10:00:00Z"


def test_explanation_of_a_clock_change_is_in_german(berliner, ids):
    german, url = {"Accept-Language": "de"}, f"posts/edit/?id={ids.live}"
    raw = {"published_at": "2027-03-28T02:30", "_time_zone": BERLIN}
    refused = berliner.post(url, raw, headers=german)
    words = form_of(refused).select_one("#in-published_at-errors").get_text(strip=True)
    assert words.startswith("Am 28.03.2027 gibt es 02:30 in Europe/Berlin nicht:")
    raw = {"published_at": "2025-10-26T02:30", "_time_zone": BERLIN, "_continue_editing": "1"}
    saved = berliner.post(url, raw, headers=german)
    text = berliner.get(saved.location.removeprefix("/admin/")).text
    assert "Am 26.10.2025 kommt 02:30 in Europe/Berlin zweimal vor" in text


def test_ambiguous_time_is_the_first_and_the_person_is_told(berliner, state):
    raw = {"title": "Twice", "body": "x", "published_at": "2025-10-26T02:30", "_time_zone": BERLIN}
    answer = berliner.post("posts/new/", {**raw, "_continue_editing": "1"})
    assert state(POSTS, new_id(answer))["published_at"] == "2025-10-26T00:30:00Z"
    text = berliner.get(answer.location.removeprefix("/admin/")).text
    assert "occurs twice in Europe/Berlin" in text and "02:30 CEST, 00:30 UTC" in text


def test_second_of_two_ambiguous_times_is_kept_by_other_saves(app, berliner, ids, state):
    with app.app_context():
        write.update(POSTS, SYSTEM, ids.live, {"published_at": "2025-10-26T01:30:00Z"})
    url = f"posts/edit/?id={ids.live}"
    form = form_of(berliner.get(url))
    raw = {one["name"]: one.get("value", "") for one in form.select("input[name]")}
    assert raw["published_at"] == "2025-10-26T02:30:00"
    berliner.post(url, {**raw, "title": "Another title"})
    found = state(POSTS, ids.live)
    assert (found["title"], found["published_at"]) == ("Another title", "2025-10-26T01:30:00Z")


@pytest.mark.parametrize(
    "text", ["soon", "9999-12-31T23:59", "0001-01-01T00:00", "2026-01-01T10:00+01:00"]
)
def test_invalid_times_are_refused_by_the_store(berliner, ids, text):
    raw = {"published_at": text, "_time_zone": "America/New_York"}
    assert berliner.post(f"posts/edit/?id={ids.live}", raw).status_code in (302, 422)


def test_unknown_zone_is_utc(berliner, ids, state):
    raw = {"published_at": "2026-07-01T12:00", "_time_zone": "../../etc/passwd"}
    berliner.post(f"posts/edit/?id={ids.live}", raw)
    assert state(POSTS, ids.live)["published_at"] == "2026-07-01T12:00:00Z"

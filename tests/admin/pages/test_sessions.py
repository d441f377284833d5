"""The sessions of all users: administrators find them, end one, or end all but their own."""

import pytest
from bs4 import BeautifulSoup

from quire.records import SESSIONS
from quire.store.db import read_connection
from tests.admin.conftest import Browser


def count_sessions(app):
    with app.app_context(), read_connection() as connection:
        return len(connection.execute(SESSIONS.table.select()).all())


@pytest.fixture
def ann(browser):
    return browser("ann")


def test_sessions_are_for_administrators(browser):
    for name in ("mod", "ann", "bob"):
        assert browser(name).get("sessions/").status_code == 403
        assert browser(name).post("sessions/end-all/").status_code == 403


def test_device_has_a_name_and_its_owner_is_a_filter(admin, ann):
    page = admin.get("sessions/?user.username=ann")
    rows = BeautifulSoup(page.text, "html.parser").select("tbody tr")
    assert len(rows) == 1 and "ann" in rows[0].text and "Browser" in rows[0].text


def test_ending_a_session_signs_its_device_out(app, admin, ann, ids):
    assert ann.get("posts/").status_code == 200
    page = BeautifulSoup(admin.get("sessions/?user.username=ann").text, "html.parser")
    id = page.select_one("tbody tr")["data-id"]
    answer = admin.post("sessions/delete/", {"id": id}, follow_redirects=True)
    assert "Session deleted." in answer.text
    assert ann.get("posts/").status_code == 302


def test_ending_all_sessions_keeps_ones_own(app, admin, ann, browser):
    browser("abe")
    answer = admin.post("sessions/end-all/", follow_redirects=True)
    assert "2 sessions have been ended." in answer.text
    assert count_sessions(app) == 1 and ann.get("posts/").status_code == 302
    assert "signed everyone else out" in admin.get("audit_events/").text


def test_only_administrators_end_sessions_of_others(as_, people, app, browser):
    browser("ann")
    foreign = as_("ann").get("sessions").json["sessions"][0]["id"]
    assert as_("mod").delete(f"sessions/{foreign}").status_code == 404
    assert "user" not in as_("ann").get("sessions").json["sessions"][0]


def test_button_needs_a_csrf_token(guarded, people):
    admin = Browser(guarded, people["root"])
    assert admin.post("sessions/end-all/").status_code == 403

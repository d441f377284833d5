"""Bulk actions on all rows that a list finds, on every page."""

import pytest
from bs4 import BeautifulSoup

from quire.actor import SYSTEM
from quire.admin.list import matching
from quire.declare.query import Query
from quire.records import TAGS
from quire.store import read, write

LIST = "/admin/tags/?name__icontains=many&per_page=10"


@pytest.fixture
def tags(app):
    """A function that counts all tags, after 130 with `many` in their names were created."""
    with app.app_context():
        write.create_many(TAGS, SYSTEM, [{"name": f"many {n:03}"} for n in range(130)])

    def count():
        with app.app_context():
            return read.list_records(TAGS, SYSTEM, Query()).total

    return count


def act(browser, url=LIST, action="delete", **more):
    form = {"action": action, "matching": "1", "url": url, **more}
    return browser.post("tags/action/", form)


def test_choice_is_offered_if_there_is_more_than_one_page(admin, tags):
    assert "Select all 130 tags that match" in admin.get(LIST.removeprefix("/admin/")).text
    assert "that match</label>" not in admin.get("tags/?name__icontains=many 00").text


def test_all_matching_rows_are_changed_after_a_question(admin, tags):
    before = tags()
    question = act(admin)
    assert (
        "This applies to all 130 tags that match." in question.text
        and "and 120 more" in question.text
    )
    assert tags() == before
    assert act(admin, confirmed="1").location == LIST
    assert tags() == before - 130
    text = admin.get("tags/").text
    assert "130 tags deleted." in text


def test_batch_shows_the_progress_of_an_action(admin, tags):
    act(admin, confirmed="1")  # earlier actions do not count
    with_names = "/admin/tags/"
    buttons = BeautifulSoup(act(admin, with_names).text, "html.parser").select_one(
        "[data-progress]"
    )
    url = buttons["data-progress"].removeprefix("/admin/")
    assert admin.get(url).json["done"] == 0
    total = int(buttons["data-total"])
    act(admin, with_names, confirmed="1")
    assert admin.get(url).json["done"] == total


def test_rows_beyond_the_limit_are_reported(admin, tags, monkeypatch):
    before = tags()
    monkeypatch.setattr(matching, "MAX_MATCHING", 50)
    assert "The first 50 are changed now." in act(admin).text
    act(admin, confirmed="1")
    assert tags() == before - 50
    assert "80 more are left. Repeat the action for them." in admin.get("tags/").text


@pytest.mark.parametrize("url", ["/admin/posts/", "/admin/tags/?nothing=1", "/admin/tags/new/"])
def test_only_a_valid_list_of_the_type_is_accepted(admin, tags, url):
    before = tags()
    assert act(admin, url=url, confirmed="1").status_code == 400
    assert tags() == before


def test_only_actions_offered_by_the_list_are_accepted(admin, browser, tags):
    assert act(admin, action="destroy", confirmed="1").status_code == 400
    before = tags()
    assert act(browser("ann"), confirmed="1").status_code in (400, 403)
    assert tags() == before

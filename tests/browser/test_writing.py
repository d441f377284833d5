"""Writing from the first click to the last: few clicks, and nothing moves under the hands."""

import pytest
from playwright.sync_api import expect

from quire.actor import SYSTEM
from quire.records import POSTS
from quire.store import draft_service, read

pytestmark = pytest.mark.browser

SHIFTS = """() => {
  window.shifts = [];
  new PerformanceObserver((list) => {
    for (const one of list.getEntries()) {
      window.shifts.push(...one.sources.map(({ node }) => node?.outerHTML?.slice(0, 120) || "?"));
    }
  }).observe({ type: "layout-shift", buffered: false });
}"""
"""Notes from now on what has moved on the page, whoever moved it."""


def write_in(page, text):
    page.locator(".cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(text)


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_moves_while_somebody_types(visit, made, site, width):
    id = made(published=True)
    page = visit("ann", viewport={"width": width, "height": 900}).page
    page.goto(f"/admin/posts/edit/?id={id}")
    page.wait_for_timeout(300)
    page.evaluate(SHIFTS)
    write_in(page, "Mine")
    page.keyboard.press("Control+s")
    expect(page.locator("[data-state]")).to_contain_text("Saved")
    with site.app.app_context():
        draft_service.save_draft(POSTS, SYSTEM, id, {"body": "Theirs"})
    write_in(page, "Mine again")
    page.keyboard.press("Control+s")
    expect(page.locator("[data-conflicts]")).to_contain_text("Someone else has also changed")
    page.wait_for_timeout(300)
    moved = page.evaluate("window.shifts")
    assert [one for one in moved if 'class="notices"' not in one] == []


def test_the_button_follows_the_date(visit, site):
    page = visit("ann").page
    page.goto("/admin/posts/new/")
    button = page.locator(".savebar .primary")
    expect(button).to_have_text("Publish")
    page.fill("[name=published_at]", "2099-01-01T10:00")
    expect(button).to_have_text("Schedule")
    page.fill("[name=title]", "In a while")
    write_in(page, "Words.")
    page.click(".savebar .primary")
    expect(page.locator(".messages")).to_contain_text("Post scheduled.")


@pytest.mark.parametrize("width", [1280, 390])
def test_one_column_where_there_is_no_room_for_two(visit, width):
    page = visit("ada", viewport={"width": width, "height": 900}).page
    page.goto("/admin/posts/edit/?id=2")
    text, parts = (page.locator(one).bounding_box() for one in ("#field-body", ".form-grid .stack"))
    assert (parts["x"] > text["x"] + text["width"]) == (width == 1280)
    bar = page.locator(".savebar").bounding_box()
    assert bar["y"] + bar["height"] <= 900


def test_the_menu_of_a_form_is_used_by_keyboard(visit):
    one = visit("ada")
    one.page.goto("/admin/posts/edit/?id=2")
    menu = one.page.locator(".head-actions details.menu")
    menu.locator("summary").press("Enter")
    expect(menu.get_by_role("link", name="Revisions")).to_be_visible()
    assert one.axe() == []
    one.page.keyboard.press("Escape")
    expect(menu.get_by_role("link", name="Revisions")).to_be_hidden()


class Clicks:
    """A page whose clicks are counted."""

    def __init__(self, page):
        self.page, self.count = page, 0

    def __call__(self, locator):
        self.count += 1
        locator.click()


def test_a_typo_in_a_post_of_last_month_takes_five_clicks(visit, made, site):
    id = made(title="Of eels and herons", body="The hreon waits.", published=True)
    page = visit("moe").page
    page.goto("/admin/")
    click = Clicks(page)
    click(page.locator(".nav").get_by_role("link", name="Posts"))
    click(page.locator("[type=search]"))
    page.keyboard.insert_text("eels herons")
    page.keyboard.press("Enter")
    click(page.get_by_role("link", name="Of eels and herons", exact=True))
    click(page.locator(".cm-content"))
    page.keyboard.press("Control+A")
    page.keyboard.insert_text("The heron waits.")
    click(page.get_by_role("button", name="Publish changes"))
    expect(page.locator(".messages")).to_contain_text("Post saved.")
    assert click.count <= 5
    with site.app.app_context():
        assert read.get_record(POSTS, SYSTEM, id)["body"] == "The heron waits."


def test_times_are_those_of_the_clock_on_the_wall(visit, site):
    one = visit("ann", timezone_id="America/New_York")
    page = one.page
    page.goto("/admin/")  # the script says where this browser is
    page.goto("/admin/posts/new/")
    expect(page.locator("#in-published_at-hint")).to_have_text("Time zone: America/New_York.")
    page.fill("[name=title]", "At noon in New York")
    write_in(page, "Words.")
    page.fill("[name=published_at]", "2099-07-01T12:00")
    page.keyboard.press("Control+s")
    expect(page.locator("[data-state]")).to_contain_text("Saved")
    expect(page.locator(".savebar .primary")).to_have_text("Schedule")
    page.click(".savebar .primary")
    expect(page.locator(".messages")).to_contain_text("Post scheduled.")
    with site.app.app_context():
        id = read.find_id(POSTS, SYSTEM, slug="at-noon-in-new-york")
        assert read.get_record(POSTS, SYSTEM, id)["published_at"] == "2099-07-01T16:00:00Z"

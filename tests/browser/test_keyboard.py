"""Daily work with the keyboard alone: everything is reached with Tab, and used with Enter, Space and letters."""

import pytest
from playwright.sync_api import expect

from quire.actor import SYSTEM, Actor
from quire.records import COMMENTS, POSTS
from quire.store import read, write
from tests.browser.conftest import PHONE

pytestmark = pytest.mark.browser
LIMIT = 150
"""Presses of Tab until something is reached, at most."""

SHOWS_FOCUS = """one => {
    const style = getComputedStyle(one.closest(".editor-panes") || one);  // the ring is around the editor
    return style.outlineStyle !== "none" || style.boxShadow !== "none";
}"""


class Keyboard:
    """A user without a mouse."""

    def __init__(self, page):
        self.page, self.press, self.type = page, page.keyboard.press, page.keyboard.type

    def reach(self, target, key="Tab"):
        """Press Tab until `target` has the focus, and check that the focus is visible."""
        for _ in range(LIMIT):
            if target.count() and target.first.evaluate("one => one === document.activeElement"):
                break
            self.press(key)
        expect(target.first).to_be_focused()
        assert target.first.evaluate(SHOWS_FOCUS), target

    def use(self, target, key="Enter"):
        """Reach `target`, and press a key on it."""
        self.reach(target)
        self.press(key)


@pytest.fixture
def at(visit):
    """`at("ann", path)` is the keyboard of a user who has opened a page."""

    def start(name, path):
        page = visit(name).page
        page.goto(path)
        return Keyboard(page)

    return start


def test_post_is_written_and_published(at, site):
    keys = at("ann", "/admin/")
    page = keys.page
    keys.use(page.locator("main").get_by_role("link", name="New post"))
    page.wait_for_url("**/admin/posts/new/")
    keys.reach(page.locator("[name=title]"))
    keys.type("Written without a mouse")
    keys.reach(page.locator(".cm-content"))
    keys.type("Every word of it.")
    expect(page.locator(".cm-content")).to_contain_text("Every word of it.")
    keys.use(page.locator(".buttons").get_by_role("button", name="Publish", exact=True))
    expect(page.locator(".messages")).to_contain_text("published")
    with site.app.app_context():
        id = read.find_id(POSTS, SYSTEM, slug="written-without-a-mouse")
        assert read.get_record(POSTS, SYSTEM, id)["status"] == "published"


def test_comment_is_approved_and_another_answered(at, site, made):
    with site.app.app_context():
        mia = Actor("member", 4, "mia")
        post = made(published_at="2026-01-01T10:00:00Z")
        ids = [
            write.create(COMMENTS, mia, {"post": post, "body": f"By keys {number}."}).id
            for number in range(2)
        ]
        for id in ids:
            write.update(COMMENTS, SYSTEM, id, {"status": "pending"})
    keys = at("moe", "/admin/")
    page = keys.page
    keys.use(page.locator("main").get_by_role("link", name="waiting"))
    one = page.locator(".queue-one .prose")
    expect(one).to_contain_text("By keys 1.")
    keys.use(page.locator(".decisions").get_by_role("button", name="Approve"))
    expect(one).to_contain_text("By keys 0.")
    keys.use(page.locator(".decisions").get_by_role("button", name="Spam"))
    expect(page.locator(".messages")).to_contain_text("spam")
    with site.app.app_context():
        found = [read.get_record(COMMENTS, SYSTEM, id)["status"] for id in ids]
    assert found == ["spam", "approved"]


def test_several_posts_are_published_and_it_is_undone(at, site, made):
    ids = [made(title=f"Bulk by keys {number}") for number in range(3)]
    keys = at("ada", "/admin/posts/?title__icontains=Bulk+by+keys")
    page = keys.page
    keys.use(page.get_by_label("Select all on this page"), "Space")
    keys.reach(page.locator("select[name=action]"))
    keys.type("Publish")
    keys.use(page.locator(".bulk").get_by_role("button", name="Apply"))
    dialog = page.get_by_role("dialog")
    if dialog.count():
        keys.use(dialog.get_by_role("button", name="Publish"))
    expect(page.locator(".messages")).to_contain_text("3 posts published.")
    keys.use(page.get_by_role("button", name="Undo"))
    expect(page.locator(".messages")).to_contain_text("Undone: 3 posts published.")
    with site.app.app_context():
        found = {read.get_record(POSTS, SYSTEM, id)["status"] for id in ids}
    assert found == {"draft"}


def test_view_is_saved_and_opened(at):
    keys = at("ann", "/admin/posts/?status=draft&title__icontains=tide")
    page = keys.page
    keys.use(page.locator("summary", has_text="Save view"))
    keys.reach(page.locator(".views [name=name]"))
    keys.type("Tides to finish")
    keys.press("Enter")
    tab = page.locator(".tabs").get_by_role("link", name="Tides to finish")
    expect(tab).to_have_attribute("aria-current", "page")
    keys.use(page.locator(".tabs").get_by_role("link", name="All"))
    keys.use(tab)
    expect(page.locator(".chips")).to_contain_text("tide")


IS_COVERED = """() => {
  const { left, top, width, height } = document.activeElement.getBoundingClientRect();
  const corners = [top + 2, top + height - 2].map((y) => document.elementFromPoint(left + width / 2, y));
  return !corners.every((one) => document.activeElement.contains(one));
}"""


@pytest.mark.parametrize("name", ["ann", "ada"])
def test_bulk_bar_covers_no_focused_button(visit, name):
    one = visit(name, viewport=PHONE, color_scheme="dark", locale="de-DE")
    page = one.page
    page.goto("/admin/posts/?per_page=10")
    page.locator("tbody [name=rowid]").first.focus()
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("!document.activeElement.closest('tbody')"):
            break
        if page.evaluate("document.activeElement.matches('button, .button, input')"):
            assert not page.evaluate(IS_COVERED), page.evaluate("document.activeElement.outerHTML")

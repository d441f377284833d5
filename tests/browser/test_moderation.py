"""The moderation queue: with keys, with clicks, on a phone."""

import pytest
from playwright.sync_api import expect

from quire.actor import SYSTEM, Actor
from quire.records import COMMENTS, USERS
from quire.store import read, write

pytestmark = pytest.mark.browser
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
QUEUE = "/admin/comments/moderation/"


@pytest.fixture
def waiting(site, made):
    """Twenty waiting comments, the last one first; they are deleted afterwards."""
    post = made(title="What the tide left", published_at="2026-01-01T10:00:00Z")
    with site.app.app_context():
        mia = Actor("member", read.find_id(USERS, SYSTEM, username="mia"), "mia")
        body = "Is it *true* that the tide waits for nobody?\n\n" + "We have tried it. " * 20
        ids = [
            write.create(COMMENTS, mia, {"post": post, "body": f"Number {number}. {body}"}).id
            for number in range(20)
        ][::-1]
    yield ids
    with site.app.app_context():
        for id in ids:
            write.delete(COMMENTS, SYSTEM, id, permanent=True)


@pytest.fixture
def status(site):
    """`status(7)` is the status of a comment."""

    def read_status(id):
        with site.app.app_context():
            state = read.get_record(COMMENTS, SYSTEM, id)
        return "trashed" if state.get("deleted_at") else state["status"]

    return read_status


def test_comments_are_moderated_by_keys(visit, waiting, status):
    page = visit("ada").page
    page.goto(QUEUE)
    one = page.locator(".queue-one .prose")
    for number, key, done in ((19, "a", "approved"), (18, "s", "spam"), (17, "d", "trashed")):
        expect(one).to_contain_text(f"Number {number}.")
        page.keyboard.press(key)
        expect(one).to_contain_text(f"Number {number - 1}.")
        assert status(waiting[19 - number]) == done
    page.get_by_role("button", name="Undo").click()
    page.wait_for_load_state()
    assert status(waiting[2]) == "pending"
    page.goto(f"{QUEUE}?id={waiting[5]}")
    page.evaluate(
        "['a', 's', 'd'].forEach((key) => document.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true})))"
    )
    expect(one).to_contain_text("Number 13.")
    assert (
        status(waiting[5]) == "approved"
    )  # by the first key; the others were meant for the next ones
    page.goto(f"{QUEUE}?id={waiting[3]}")
    page.keyboard.press("j")
    expect(one).to_contain_text("Number 15.")
    page.keyboard.press("k")
    expect(one).to_contain_text("Number 16.")
    page.keyboard.press("r")
    page.keyboard.type("as of today, no")  # these are letters now
    page.get_by_role("button", name="Approve and reply").click()
    expect(page.locator(".messages")).to_contain_text("is published")
    expect(one).to_contain_text("Number 15.")
    assert status(waiting[3]) == "approved"
    page.keyboard.press("?")
    help = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(help).to_contain_text("Mark as spam")
    expect(help).not_to_contain_text("Select the row")


@pytest.mark.parametrize(("viewport", "scheme"), [(DESK, "light"), (PHONE, "dark")])
def test_twenty_comments_are_approved_in_three_clicks_without_scrolling(
    visit, waiting, status, viewport, scheme
):
    one = visit("ada", viewport=viewport, color_scheme=scheme)
    page = one.page
    page.goto("/admin/")
    clicks = [
        page.locator("main").get_by_role("link", name="comments are waiting"),
        page.get_by_label("Select all 20"),
        page.get_by_role("button", name="Approve (selected comments)"),
    ]
    for click in clicks:
        click.wait_for()
        assert one.axe() == [] and one.overflow() <= 0
        box = click.bounding_box()
        assert box["y"] + box["height"] <= viewport["height"] and page.evaluate("scrollY") == 0
        click.click()
        page.wait_for_load_state()
    expect(page.locator(".messages")).to_contain_text("20 comments approved.")
    assert {status(id) for id in waiting} == {"approved"}
    page.get_by_role("button", name="Undo").click()
    page.wait_for_load_state()
    assert {status(id) for id in waiting} == {"pending"}


def test_actions_without_a_selection_do_nothing(visit, waiting, status):
    page = visit("ada").page
    page.goto(QUEUE)
    page.get_by_role("button", name="Approve (selected comments)").click()
    expect(page.locator(".messages")).to_contain_text("Select at least one first")
    assert {status(id) for id in waiting} == {"pending"}


def test_queue_works_without_scripts(visit, waiting, status):
    page = visit("ada", java_script_enabled=False).page
    page.goto(QUEUE)
    for id in waiting[:2]:
        page.check(f'[name=rowid][value="{id}"][form=queue]')
    page.get_by_role("button", name="Approve (selected comments)").click()
    assert [status(id) for id in waiting[:3]] == ["approved", "approved", "pending"]
    page.locator(".decisions").get_by_role("button", name="Mark as spam").click()
    assert status(waiting[2]) == "spam"

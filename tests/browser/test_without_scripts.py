"""The panel without scripts, at 200 % zoom and in the system's colours: daily work is still possible."""

import pytest
from playwright.sync_api import expect

from quire.actor import SYSTEM, Actor
from quire.records import COMMENTS, POSTS
from quire.store import read, write
from tests.sample_images import picture

pytestmark = pytest.mark.browser
PAGES = [
    "/admin/", "/admin/posts/", "/admin/posts/edit/?id=1", "/admin/posts/new/", "/admin/media/",
    "/admin/comments/", "/admin/settings/edit/?id=1", "/admin/jobs/", "/admin/access/",
]  # fmt: skip


def press(page, name, within="main"):
    page.locator(within).get_by_role("button", name=name, exact=True).first.click()
    page.wait_for_load_state()


def test_post_is_written_changed_and_deleted(visit, site):
    page = visit("ann", java_script_enabled=False).page
    page.goto("/admin/posts/new/")
    page.fill("[name=title]", "Written by a plain form")
    page.fill("[name=body]", "Words.")
    press(page, "Publish")
    expect(page.locator(".messages")).to_contain_text("published")
    with site.app.app_context():
        id = read.find_id(POSTS, SYSTEM, slug="written-by-a-plain-form")
    form = page.goto(f"/admin/posts/edit/?id={id}")
    assert form.status == 200 and f"id={id}" in form.url, page.content()
    page.fill("[name=body]", "Other words.")
    press(page, "Publish changes")
    page.goto(f"/admin/posts/delete/?id={id}")
    press(page, "Delete")
    expect(page.locator(".messages")).to_contain_text("moved to the trash")
    press(page, "Undo")
    with site.app.app_context():
        post = read.get_record(POSTS, SYSTEM, id)
    assert (post["status"], post["body"]) == ("published", "Other words.")


def test_file_is_uploaded_and_replaced(visit, tmp_path):
    page = visit("ann", java_script_enabled=False).page
    for name, size in (("first.png", 200), ("second.png", 300)):
        (tmp_path / name).write_bytes(picture(size, 100))
    page.goto("/admin/media/new/")
    page.set_input_files("[name=file]", tmp_path / "first.png")
    press(page, "Upload")
    expect(page.locator("h1")).to_have_text("first.png")
    page.locator(".replace summary").click()
    page.set_input_files("#replacement", tmp_path / "second.png")
    press(page, "Replace")
    expect(page.locator("h1")).to_have_text("second.png")
    expect(page.locator(".messages")).to_contain_text("File replaced.")


def test_comment_is_moderated(visit, site, made):
    with site.app.app_context():
        post = made(published_at="2026-01-01T10:00:00Z")
        id = write.create(COMMENTS, Actor("member", 4, "mia"), {"post": post, "body": "No script."})
        write.update(COMMENTS, SYSTEM, id.id, {"status": "pending"})
    page = visit("moe", java_script_enabled=False).page
    page.goto("/admin/comments/moderation/")
    expect(page.locator(".queue-one .prose")).to_contain_text("No script.")
    press(page, "Approve")
    with site.app.app_context():
        assert read.get_record(COMMENTS, SYSTEM, id.id)["status"] == "approved"


def test_pages_fit_at_200_percent(visit):
    # the window of a laptop, in which each pixel of the page takes four
    one = visit("ada", viewport={"width": 640, "height": 400}, device_scale_factor=2)
    for path in PAGES:
        one.page.goto(path)
        assert one.overflow() <= 0, path
        main = one.page.locator("main").bounding_box()
        bars = one.page.locator(".savebar, .topbar").all()
        covered = sum(bar.bounding_box()["height"] for bar in bars if bar.is_visible())
        assert covered < 200 and main["width"] > 300, path


def test_controls_are_distinguishable_in_forced_colors(visit):
    one = visit("ada", forced_colors="active")
    page = one.page
    page.goto("/admin/posts/")
    border = "one => getComputedStyle(one).borderTopStyle + getComputedStyle(one).outlineStyle"
    for selector in (".button.primary", ".button", ".tabs [aria-current]"):
        assert "solid" in page.locator(selector).first.evaluate(border), selector
    page.keyboard.press("Tab")
    focused = "getComputedStyle(document.activeElement).outlineStyle"
    assert page.evaluate(focused) == "solid"
    assert one.axe() == []

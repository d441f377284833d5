"""The daily work of editors, in a real browser."""

import re

import pytest
from playwright.sync_api import expect

from quire.actor import SYSTEM
from quire.records import POSTS
from quire.store import write

pytestmark = pytest.mark.browser


def test_sign_in_with_the_form(visit):
    page = visit().page
    page.goto("/admin/posts/?status=draft")
    page.fill("[name=email]", "ada@example.com")
    page.fill("[name=password]", "a long enough password")
    page.click("main button[type=submit]")
    page.wait_for_url("**/admin/posts/?status=draft")
    page.click("text=Sign out")
    page.goto("/admin/")
    assert "/auth/login" in page.url


def test_search_filter_and_clear(visit):
    page = visit("ada").page
    page.goto("/admin/posts/")
    page.fill("[type=search]", "lighthouses")
    page.keyboard.press("Enter")
    expect(page.locator("tbody tr")).to_have_count(3)
    page.click("summary:has-text('Filters')")
    page.get_by_role("combobox", name="Author").first.fill("ann")
    page.click("text=Apply filters")
    expect(page.locator(".chip")).to_contain_text("Author is ann")
    assert set(page.locator("td[data-label=Author]").all_inner_texts()) == {"ann"}
    page.click("[aria-label^='Remove filter']")
    expect(page.locator(".chip")).to_have_count(0)
    assert page.input_value("[type=search]") == "lighthouses"


def test_write_a_post_with_pickers(visit, post):
    page = visit("ann").page
    page.goto("/admin/posts/")
    page.click("text=New post")
    page.fill("[name=title]", "Written in a browser")
    page.fill(".cm-content", "Some words")
    page.get_by_role("button", name="Bold").click()
    page.fill("#in-category", "sho")
    page.get_by_role("option", name="Shore").click()
    page.fill("#in-tags", "boa")
    page.get_by_role("option", name="boats").wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.fill("#in-tags", "brand new, ")
    page.keyboard.type("one,")
    page.click("text=Save draft")
    expect(page.locator(".messages")).to_contain_text("Post created.")
    found = post(int(re.search(r"id=(\d+)", page.url)[1]))
    assert found["category"]["slug"] == "shore"
    assert "boats" in {tag["name"] for tag in found["tags"]}
    assert "****" in found["body"]


def test_error_keeps_what_was_typed(visit):
    page = visit("ann").page
    page.goto("/admin/posts/new/")
    page.fill("[name=title]", "x" * 150)
    page.evaluate("document.querySelector('[name=title]').removeAttribute('maxlength')")
    page.fill("[name=title]", "x" * 250)
    page.fill(".cm-content", "A long afternoon of typing")
    page.click(".savebar .primary")
    expect(page.locator("#in-title-errors")).to_have_text("Title is longer than 200 characters.")
    assert page.input_value("[name=body]") == "A long afternoon of typing"
    assert page.evaluate("document.activeElement.id") == "problem"


@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize("take", [True, False])
def test_two_editors(visit, made, post, scripts, take):
    id = made()
    first, second = visit("ann").page, visit("ada", java_script_enabled=scripts).page
    for page in (first, second):
        page.goto(f"/admin/posts/edit/?id={id}")
    first.fill("[name=title]", "Ann was quicker")
    first.fill("[name=excerpt]", "By Ann")
    first.click(".savebar .primary")
    second.fill("[name=title]", "Ada was slower")
    second.click(".savebar .primary")
    row = second.locator("tr.changed")
    expect(row.locator("ins")).to_have_text(["Ada", "was", "slower", "Ann", "was", "quicker"])
    assert row.locator("pre").first.inner_text() == "A post for a test"
    assert second.input_value("[name=title]") == "Ada was slower"
    assert second.input_value("[name=excerpt]") == "By Ann"
    if take:
        second.check("[name=_theirs-title]")
    if take and scripts:
        expect(second.locator("[name=title]")).to_have_value("Ann was quicker")
    second.click(".savebar .primary")
    found = post(id)
    assert (found["title"], found["excerpt"]) == (
        "Ann was quicker" if take else "Ada was slower",
        "By Ann",
    )


def test_leaving_a_changed_form_asks(visit, made):
    page = visit("ann").page
    page.goto(f"/admin/posts/edit/?id={made()}")
    page.fill("[name=title]", "Changed")
    assert page.locator("[data-state]").inner_text() == "Unsaved changes"
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.click(".savebar >> text=Cancel")
    page.wait_for_url("**/admin/posts/")
    assert asked == ["beforeunload"]


def test_text_survives_the_end_of_a_session(visit, made, site, post):
    one = visit("ann")
    page, id = one.page, made()
    page.goto(f"/admin/posts/edit/?id={id}")
    page.fill(".cm-content", "Typed while the session ran out")
    one.context.clear_cookies()
    page.click(".savebar .primary")
    assert page.locator("h1").inner_text() == "Sign in"
    one.sign_in("ann")
    with site.app.app_context():
        write.update(POSTS, SYSTEM, id, {"title": "Changed by somebody else"})
    page.goto(f"/admin/posts/edit/?id={id}")
    page.click("text=Restore")
    assert page.input_value("[name=body]") == "Typed while the session ran out"
    page.click(".savebar .primary")
    expect(page.locator(".messages")).to_contain_text("Post published.")
    found = post(id)
    assert (found["title"], found["body"]) == (
        "Changed by somebody else",
        "Typed while the session ran out",
    )


@pytest.mark.parametrize("scripts", [True, False])
def test_late_form_is_submitted_after_the_sign_in(visit, made, post, scripts):
    one = visit("ann", java_script_enabled=scripts, viewport={"width": 390, "height": 844})
    page, id = one.page, made()
    page.goto(f"/admin/posts/edit/?id={id}")
    field = ".cm-content" if scripts else "[name=body]"
    page.fill(field, "Typed while the session ran out\n\n<b>“and kept”</b>")
    one.context.clear_cookies()
    page.click(".savebar .primary")
    assert one.axe() == [] and one.overflow() <= 0 if scripts else True
    page.fill("#email", "ann@example.com")
    page.fill("#password", "wrong")
    page.click("main button[type=submit]:visible")
    page.fill("#password", "a long enough password")
    page.click("main button[type=submit]:visible")
    assert page.locator("h1").inner_text() == "Welcome back"
    assert "<b>“and kept”</b>" in page.locator(".submission").inner_text()
    assert one.axe() == [] and one.overflow() <= 0 if scripts else True
    page.click("text=Submit now")
    expect(page.locator(".messages")).to_contain_text("Post published.")
    assert post(id)["body"].splitlines() == [
        "Typed while the session ran out", "", "<b>“and kept”</b>"
    ]  # fmt: skip


def test_inline_edit(visit, made, post):
    id = made(published_at="2026-01-01T10:00:00Z")
    page = visit("ada", timezone_id="Europe/Berlin").page
    page.goto("/admin/")  # the server gets the time zone
    page.goto("/admin/posts/?sort=-id")
    row = page.locator(f"#row-{id}")
    row.locator("[data-inline=published_at]").focus()
    page.keyboard.press("Enter")
    assert page.input_value(".inline-edit input") == "2026-01-01T11:00"
    page.locator(".inline-edit input").fill("2026-02-02T12:22:33")
    page.click(".inline-edit >> text=Save")
    page.locator(".note.success").wait_for()
    assert "2 Feb 2026" in row.inner_text()
    assert row.locator("time").get_attribute("title") == "2 Feb 2026, 12:22:33 CET"
    assert (post(id)["published_at"], post(id)["version"]) == ("2026-02-02T11:22:33Z", 2)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".messages")).to_contain_text("Undone: 1 post changed.")
    expect(page).to_have_url(re.compile(r"/admin/posts/\?sort=-id$"))
    assert post(id)["published_at"] == "2026-01-01T10:00:00Z"


def test_inline_edit_of_a_changed_cell_says_so(visit, made, site, post):
    id = made(published_at="2026-01-01T10:00:00Z")
    page = visit("ada", timezone_id="Europe/Berlin").page
    page.goto("/admin/posts/?sort=-id")
    with site.app.app_context():
        changed = {"title": "Changed meanwhile", "published_at": "2026-01-03T10:00:00Z"}
        write.update(POSTS, SYSTEM, id, changed)
    page.locator(f"#row-{id} [data-inline=published_at]").click()
    page.locator(".inline-edit input").fill("2026-02-02T12:22:33")
    page.keyboard.press("Enter")
    expect(page.locator(".inline-error")).to_contain_text("changed this to “3 Jan 2026, 11:00”")
    page.keyboard.press("Enter")
    expect(page.locator(".inline-edit")).to_have_count(0)
    found = post(id)
    assert (found["title"], found["published_at"]) == ("Changed meanwhile", "2026-02-02T11:22:33Z")


def test_bulk_publish(visit, made, post):
    ids = [made(), made()]
    page = visit("ada").page
    page.goto("/admin/posts/?sort=-id")
    page.select_option("select[name=action]", "publish")
    page.click("text=Apply >> visible=true")
    expect(page.locator(".messages")).to_contain_text("Select at least one row first.")
    for id in ids:
        page.check(f"#row-{id} [name=rowid]")
    assert page.locator("[data-selection-count]").inner_text() == "2 selected"
    page.click(".bulk >> text=Apply")
    expect(page.locator(".messages")).to_contain_text("2 posts published.")
    assert {post(id)["status"] for id in ids} == {"published"}


def test_select_all_and_move_to_trash(visit, made, post):
    ids = [made(title=f"To be thrown away {n}") for n in range(3)]
    page = visit("ada").page
    page.goto("/admin/posts/?search=thrown")
    page.check("[data-select-all]")
    page.select_option("select[name=action]", "delete")
    page.click(".bulk >> text=Apply")
    expect(page.locator("dialog")).to_contain_text("3 selected")
    page.click("dialog >> text=Move to trash")
    expect(page.locator(".messages")).to_contain_text("3 posts moved to the trash.")
    assert all(post(id)["deleted_at"] for id in ids)


def test_change_of_many_rows_shows_progress(visit, made, post):
    ids = [made(title=f"To be edited {n}") for n in range(2)]
    page = visit("ada").page
    page.goto("/admin/posts/?search=edited")
    page.check("[data-select-all]")
    page.select_option("select[name=action]", "edit")
    page.click(".bulk >> text=Apply")
    page.select_option("#bulk-field", "comments_open")
    page.click("text=Continue")
    page.click("[name=check]")
    expect(page.locator(".confirm [role=status]")).to_contain_text("2 posts will be changed.")
    said, is_hidden = page.evaluate("""() => {
        const button = document.querySelector("[name=confirmed]");
        button.click();  // the page stays until the answer comes
        return [document.querySelector(".busy").textContent, button.checkVisibility() === false];
    }""")
    assert said.startswith("Working") and is_hidden
    expect(page.locator(".messages")).to_contain_text("2 posts changed.")
    assert {post(id)["comments_open"] for id in ids} == {False}


def test_deletion_asks_and_can_be_cancelled(visit, made, post):
    id = made(title="Nearly deleted")
    page = visit("ada").page
    page.goto("/admin/posts/?sort=-id")
    page.locator(f"#row-{id} [popovertarget]").click()
    page.locator(f"#row-{id} [data-delete]").click()
    page.click("dialog >> text=Cancel")
    assert post(id)["deleted_at"] is None
    page.locator(f"#row-{id} [popovertarget]").click()
    page.locator(f"#row-{id} [data-delete]").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.locator(".messages")).to_contain_text("Post moved to the trash.")
    assert post(id)["deleted_at"]


class TestWithoutJavaScript:
    """The same without scripts, by forms and links alone."""

    @pytest.fixture
    def page(self, visit):
        return visit("ada", java_script_enabled=False).page

    def test_write_and_change(self, page, post):
        page.goto("/admin/posts/new/")
        page.fill("[name=title]", "Without a script")
        page.fill("[name=body]", "Plain")
        page.fill("[name=category]", "sea")
        page.fill("[name=tags]", "boats, nets")
        page.fill("[name=published_at]", "2026-03-04T05:06:07")
        page.click("text=Save draft")
        id = int(re.search(r"id=(\d+)", page.url)[1])
        found = post(id)
        assert (found["category"]["slug"], len(found["tags"])) == ("sea", 2)
        assert found["status"] == "draft"
        page.uncheck("#in-comments_open")
        page.click(".savebar .primary")
        found = post(id)
        assert found["published_at"] == "2026-03-04T05:06:07Z"
        assert found["comments_open"] is False

    def test_search_filter_sort(self, page):
        page.goto("/admin/posts/")
        page.fill("[type=search]", "salt")
        page.click(".search >> text=Search")
        assert page.locator("tbody tr").count() >= 3
        page.click("th >> text=Title")
        assert "sort=title" in page.url and "search=salt" in page.url

    def test_bulk_and_delete(self, page, made, post):
        id, other = made(title="Bulk without a script"), made(title="Gone without a script")
        page.goto("/admin/posts/?sort=-id")
        page.check(f"#row-{id} [name=rowid]")
        page.select_option("select[name=action]", "publish")
        page.click(".bulk >> text=Apply")
        assert post(id)["status"] == "published"
        page.check(f"#row-{id} [name=rowid]")
        page.select_option("select[name=action]", "delete")
        page.click(".bulk >> text=Apply")
        page.click("button >> text=Move to trash")
        assert post(id)["deleted_at"]
        page.get_by_role("button", name="Undo").click()
        assert post(id)["deleted_at"] is None
        page.locator(f"#row-{other} [popovertarget]").click()
        page.locator(f"#row-{other} [data-delete]").click()
        page.get_by_role("main").get_by_role("button", name="Delete").click()
        assert post(other)["deleted_at"]

    def test_menu_on_a_phone(self, visit):
        page = visit("ada", java_script_enabled=False, viewport={"width": 390, "height": 844}).page
        page.goto("/admin/")
        page.click("[data-menu-open]")
        page.locator(".nav").get_by_role("link", name="Tags").click()
        assert page.locator("h1").inner_text() == "Tags"

    def test_cell_links_to_its_field(self, page):
        page.goto("/admin/posts/")
        page.locator("[data-inline=published_at]").first.click()
        assert page.url.endswith("#field-published_at")

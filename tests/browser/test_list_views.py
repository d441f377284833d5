"""Lists with each user's preferences: views that are saved, shared and opened by default."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}


@pytest.mark.parametrize(("viewport", "scheme"), [(DESK, "light"), (PHONE, "dark")])
def test_view_is_saved_shared_changed_and_deleted(visit, viewport, scheme):
    one = visit("ada", viewport=viewport, color_scheme=scheme)
    page, name = one.page, f"Drafts on {viewport['width']}"
    page.goto("/admin/posts/?status=draft&sort=title")
    menu = page.locator(".views .dropdown").last
    page.click(".views summary >> text=Save view")
    page.get_by_label("Name of the view").fill(name)
    page.get_by_label("Shared with").select_option("moderators")
    assert one.axe() == [] and one.overflow() <= 0
    page.click("[value=save]")
    page.wait_for_url(f"**/admin/posts/?view=drafts-on-{viewport['width']}")
    tab = page.get_by_role("link", name=name)
    expect(tab).to_have_attribute("aria-current", "page")
    page.goto(f"{page.url}&status=draft&sort=-title")
    expect(menu).to_contain_text("View changed")
    page.click(".views summary >> text=View changed")
    assert one.axe() == [] and one.overflow() <= 0
    page.keyboard.press("Escape")
    expect(page.locator("[value=update]")).to_be_hidden()
    page.click(".views summary >> text=View changed")
    page.click("[value=update]")
    expect(page.locator(".messages")).to_contain_text("updated")
    other = visit("moe").page
    other.goto("/admin/posts/")
    other.get_by_role("link", name=name).click()
    expect(other.locator("[aria-sort=descending]")).to_contain_text("Title")
    page.click(".views summary >> text=Save view")
    page.locator(".views").get_by_role("link", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.locator(".messages")).to_contain_text("Saved view deleted.")
    expect(tab).to_have_count(0)


def test_list_opens_with_a_view_without_javascript(visit):
    page = visit("ada", java_script_enabled=False).page
    page.goto("/admin/tags/?sort=-name")
    page.click(".views summary >> text=Save view")
    page.get_by_label("Name of the view").fill("Backwards")
    page.get_by_label("Open by default").check()
    page.click("[value=save]")
    page.click(".nav >> text=Tags")
    page.wait_for_url("**/admin/tags/?view=backwards")
    page.click(".tabs >> text=All")
    page.wait_for_url("**/admin/tags/?view=all")
    page.goto("/admin/tags/")  # restore it for the tests that follow
    page.click(".views summary >> text=Save view")
    page.click("[value=default]")
    page.goto("/admin/tags/")
    assert page.url.endswith("/admin/tags/")


@pytest.mark.parametrize(("viewport", "scheme"), [(DESK, "dark"), (PHONE, "light")])
def test_columns_are_chosen_and_arranged(visit, viewport, scheme):
    one = visit("moe", viewport=viewport, color_scheme=scheme)
    page = one.page
    page.goto("/admin/pages/")
    page.click(".views summary >> text=Display")
    assert one.axe() == [] and one.overflow() <= 0
    panel = page.locator(".dropdown-panel:visible")
    while (boxes := panel.locator("input[name=column]:checked")).count():
        boxes.first.uncheck()
    panel.get_by_label("Slug", exact=True).check()
    panel.get_by_label("Created at", exact=True).check()
    panel.get_by_label("Compact").check()
    panel.locator(".primary").click()
    cells = page.locator("tbody tr").first.locator("[data-label]")
    shown = [cell.get_attribute("data-label") for cell in cells.all()]
    assert set(shown) == {"Title", "Slug", "Created at"}
    expect(page.locator(".records.compact")).to_have_count(1)
    page.click(".views summary >> text=Display")
    panel.get_by_role("button", name=f"Move {shown[1]} down").click()
    panel.locator(".primary").click()
    page.wait_for_load_state()
    moved = [cell.get_attribute("data-label") for cell in cells.all()]
    assert moved == [shown[0], shown[2], shown[1]]
    page.click(".views summary >> text=Display")
    panel.get_by_role("button", name="Reset to the default columns").click()
    expect(page.locator("tbody [data-label=Slug]")).to_have_count(0)
    page.click(".views summary >> text=Display")
    panel.get_by_label("Comfortable").check()
    panel.locator(".primary").click()


def test_columns_are_added_and_dragged(visit):
    one = visit("moe")
    page = one.page
    page.goto("/admin/categories/")
    page.click(".views summary >> text=Display")
    panel = page.locator(".dropdown-panel:visible")
    panel.get_by_label("Slug", exact=True).check()  # it is immediately listed after the others
    rows = panel.locator(".column-list li:has(:checked)")
    shown = [row.inner_text().split("\n")[-1].strip() for row in rows.all()]
    assert shown[-1] == "Slug" and one.axe() == []
    panel.get_by_role("button", name="Move Slug up").focus()
    page.keyboard.press("Enter")
    expect(panel.get_by_role("status")).to_have_text(
        f"Slug: column {len(shown) - 1} of {len(shown)}"
    )
    expect(panel.get_by_role("button", name="Move Slug up")).to_be_focused()
    rows.filter(has_text="Slug").locator(".grip").drag_to(
        rows.first, target_position={"x": 60, "y": 2}
    )
    assert "Slug" in rows.first.inner_text()
    panel.locator(".primary").click()
    page.wait_for_load_state()
    cells = page.locator("tbody tr").first.locator("[data-label]")
    assert [cell.get_attribute("data-label") for cell in cells.all()][:2] == ["Name", "Slug"]
    page.click(".views summary >> text=Display")
    panel.get_by_role("button", name="Reset to the default columns").click()


def test_titles_get_the_space_of_short_columns_in_compact_lists(visit, made):
    title = "How to mend a net on an island in the middle of winter"
    id = made(title=title, tags=["boats", "nets"])
    page = visit("moe").page
    sizes = []
    for density in ("Compact", "Comfortable"):
        page.goto(f"/admin/posts/?id={id}")  # the content of other rows moves the columns
        page.click(".views summary >> text=Display")
        page.get_by_label(density).check()
        page.locator(".dropdown-panel:visible .primary").click()
        page.wait_for_load_state()
        sizes.append(page.locator("tbody td.title").first.bounding_box())
    compact, comfortable = sizes
    assert compact["width"] > comfortable["width"]
    assert compact["height"] < comfortable["height"] * 0.7


@pytest.mark.parametrize(("viewport", "scheme"), [(DESK, "light"), (PHONE, "dark")])
def test_alternatives_are_added_in_a_group(visit, viewport, scheme):
    one = visit("ada", viewport=viewport, color_scheme=scheme)
    page = one.page
    page.goto("/admin/posts/?status=draft")
    page.click("summary:has-text('Filters')")
    page.click("summary:has-text('Add a group of filters')")
    group = page.locator(".filter-group")
    group.get_by_label("Title").fill("salt")
    group.get_by_label("Category").fill("weather")
    assert one.axe() == [] and one.overflow() <= 0
    page.click("text=Apply filters")
    chips = page.locator(".chips")
    expect(chips).to_contain_text("any of:")
    expect(page.locator(".chip")).to_have_count(2)
    found = page.locator("tbody tr").count()
    page.click("summary:has-text('Filters')")
    assert one.axe() == [] and one.overflow() <= 0
    page.get_by_label("Remove filter Title contains salt").click()
    expect(chips).not_to_contain_text("any of:")
    expect(page.locator(".chip")).to_have_count(1)
    assert page.locator("tbody tr").count() <= found

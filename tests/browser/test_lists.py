"""Lists with the keyboard: single keys on rows, and the command palette."""

import time

import pytest
from playwright.sync_api import expect

from quire.declare.record import REGISTRY

pytestmark = pytest.mark.browser
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}


def test_row_is_found_selected_and_edited_with_keys(visit):
    page = visit("ada").page
    page.goto("/admin/posts/?sort=title")
    page.keyboard.press("/")
    expect(page.locator("[type=search][name=search]")).to_be_focused()
    page.keyboard.type("jx")  # these are letters now
    assert page.input_value("[name=search]") == "jx"
    page.locator("h1").click()
    for key in "jjkx":
        page.keyboard.press(key)
    first = page.locator("tbody tr").first
    expect(first.locator("td.title a").first).to_be_focused()
    expect(first.locator("[name=rowid]")).to_be_checked()
    expect(page.locator("[data-selection-count]")).to_have_text("1 selected")
    id = first.get_attribute("data-id")
    page.keyboard.press("e")
    page.wait_for_url(f"**/admin/posts/edit/?id={id}")
    page.goto("/admin/posts/?sort=title")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/admin/posts/edit/?id={id}")


def test_help_disables_single_key_shortcuts(visit):
    one = visit("ada")
    page = one.page
    page.goto("/admin/posts/")
    page.keyboard.press("?")
    assert page.get_by_role("dialog", name="Keyboard shortcuts").is_visible() and one.axe() == []
    page.get_by_label("Use single keys").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.closest('tbody')") is None


@pytest.mark.parametrize(("viewport", "scheme"), [(DESK, "light"), (PHONE, "dark")])
def test_palette_leads_to_pages_actions_and_records(visit, viewport, scheme):
    one = visit("ada", viewport=viewport, color_scheme=scheme)
    page = one.page
    page.goto("/admin/tags/")
    search = page.locator("[name=search]")
    search.focus()
    page.keyboard.press("Control+k")
    dialog = page.get_by_role("dialog", name="Search everything")
    expect(dialog.get_by_role("option", name="New post")).to_be_visible()
    page.keyboard.type("lighthouses")
    expect(dialog.get_by_role("option").first).to_contain_text("The patience of lighthouses")
    assert one.axe() == [] and one.overflow() <= 0
    assert dialog.get_by_role("option", name="Search everything").count() == 0
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(search).to_be_focused()
    page.keyboard.press("Control+k")
    page.keyboard.type("lighthouses")
    expect(dialog.get_by_role("option").first).to_contain_text("The patience of lighthouses")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/posts/edit/?id=*")


@pytest.mark.parametrize(("viewport", "scheme"), [(DESK, "dark"), (PHONE, "light")])
def test_all_matching_rows_are_changed_and_undone(visit, made, viewport, scheme):
    for number in range(6):
        made(title=f"Matching {viewport['width']} number {number}")
    one = visit("ada", viewport=viewport, color_scheme=scheme)
    page = one.page
    address = f"/admin/posts/?title__icontains=Matching+{viewport['width']}&per_page=5"
    page.goto(address)
    page.get_by_label("Select all 6 posts that match").check()
    expect(page.locator("[data-selection-count]")).to_have_text("All that match")
    expect(page.locator("tbody tr.selected")).to_have_count(5)
    bar = page.locator(".bulk").bounding_box()
    assert bar["x"] >= 0 and bar["x"] + bar["width"] <= viewport["width"]
    assert bar["y"] + bar["height"] <= viewport["height"] and one.overflow() <= 0
    page.select_option("select[name=action]", "publish")
    page.click(".bulk >> text=Apply")
    expect(page.locator(".confirm")).to_contain_text("This applies to all 6 posts that match.")
    assert one.axe() == []
    page.click(".confirm-actions button")
    expect(page.locator(".messages")).to_contain_text("6 posts published.")
    page.get_by_role("button", name="Undo").click()
    page.goto(f"{address}&status=draft")
    expect(page.locator(".tools")).to_contain_text("6 posts")


SEE_PROGRESS = """() => {
  window.fetch = async () => new Response('{"done": 2}');
  new MutationObserver(() => sessionStorage.setItem("seen", document.querySelector(".busy")?.outerHTML))
    .observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
}"""
"""Nothing can be asked of a page that waits for the next one: what it shows is stored."""


STORE_FIGURES = """() => new MutationObserver(() => {
  const figure = document.querySelector(".busy progress")?.getAttribute("aria-valuetext");
  if (figure) sessionStorage.setItem("figures", figure);
}).observe(document.body, { subtree: true, childList: true, attributes: true })"""


def hold(route):
    time.sleep(1.2)
    route.continue_()


def test_action_on_all_matching_rows_shows_progress(visit, made):
    for number in range(3):
        made(title=f"Progress number {number}")
    page = visit("ada", viewport=PHONE).page
    page.goto("/admin/posts/?title__icontains=Progress+number&per_page=1")
    page.locator(".all-matching input").check()
    page.select_option("select[name=action]", "publish")
    page.click(".bulk >> text=Apply")
    page.evaluate(SEE_PROGRESS)

    def hold(route):
        time.sleep(1.2)
        route.continue_()

    page.route("**/admin/posts/action/", hold, times=1)
    page.locator(".confirm-actions button").click()
    expect(page.locator(".messages")).to_contain_text("3 posts published.")
    seen = page.evaluate("sessionStorage.getItem('seen')")
    assert "2 of 3" in seen and 'value="2"' in seen and 'aria-label="Progress"' in seen


STORE_WORKING = """() => new MutationObserver(() => {
  const working = document.querySelector(".busy");
  if (working) sessionStorage.setItem("seen", `${working.checkVisibility()} ${working.textContent}`);
}).observe(document.body, { subtree: true, childList: true })"""


def test_action_on_selected_rows_and_undo_are_announced(visit, made):
    made(title="Under way number 1")
    page = visit("ada", viewport=PHONE).page

    def seen_at(step):
        page.evaluate("sessionStorage.removeItem('seen')")
        page.evaluate(STORE_WORKING)
        step()
        page.wait_for_load_state()
        return page.evaluate("sessionStorage.getItem('seen')")

    page.goto("/admin/posts/?title__icontains=Under+way+number")
    page.check("[data-select-all]")
    page.select_option("select[name=action]", "publish")
    assert seen_at(lambda: page.click(".bulk >> text=Apply")).startswith("true Working")
    expect(page.locator(".messages")).to_contain_text("1 post published.")
    assert seen_at(page.get_by_role("button", name="Undo").click).startswith("true Working")
    expect(page.locator(".bulk select")).to_be_visible()


@pytest.mark.parametrize(("viewport", "scheme"), [(DESK, "light"), (PHONE, "dark")])
def test_action_on_selected_rows_and_undo_show_progress(visit, made, viewport, scheme):
    for number in range(4):
        made(title=f"Ticked {viewport['width']} number {number}")
    page = visit("ada", viewport=viewport, color_scheme=scheme).page
    page.goto(f"/admin/posts/?title__icontains=Ticked+{viewport['width']}")

    def figures_at(step, answers):
        page.evaluate(STORE_FIGURES)
        page.route(
            "**/action/progress?*",
            lambda route: route.fulfill(json=answers.pop(0) if answers[1:] else answers[0]),
        )
        page.route("**/action/", hold, times=1)
        step()
        page.wait_for_load_state()
        page.unroute("**/action/progress?*")
        return page.evaluate("sessionStorage.getItem('figures')")

    with page.expect_response("**/posts/action/progress"):
        page.check("[data-select-all]")
    page.select_option("select[name=action]", "publish")
    assert (
        figures_at(lambda: page.click(".bulk >> text=Apply"), [{"batch": 1, "done": 3}]) == "3 of 4"
    )
    expect(page.locator(".messages")).to_contain_text("4 posts published.")
    undo = page.get_by_role("button", name="Undo")
    assert figures_at(undo.click, [{"left": 4}, {"left": 2}]) == "2 of 4"
    expect(page.locator(".messages")).to_contain_text("Undone: 4 posts published.")


@pytest.mark.parametrize(("viewport", "scheme"), [(DESK, "light"), (PHONE, "dark")])
def test_batch_is_undone_from_its_row_with_progress(visit, made, viewport, scheme):
    made(title=f"From its row {viewport['width']}")
    one = visit("ada", viewport=viewport, color_scheme=scheme)
    page = one.page
    page.goto(f"/admin/posts/?title__icontains=From+its+row+{viewport['width']}")
    page.check("[data-select-all]")
    page.select_option("select[name=action]", "publish")
    page.click(".bulk >> text=Apply")
    expect(page.locator(".messages")).to_contain_text("1 post published.")
    page.goto("/admin/batches/")
    row = page.locator("tbody tr").first
    expect(row.get_by_role("link", name="1 post published", exact=True)).to_be_visible()
    row.get_by_role("button", name="Actions for").click()
    page.evaluate("sessionStorage.removeItem('seen')")
    page.evaluate(STORE_WORKING)
    row.get_by_role("button", name="Undo").click()
    page.wait_for_load_state()
    assert page.evaluate("sessionStorage.getItem('seen')").startswith("true Working")
    expect(page.locator(".messages")).to_contain_text("Undone: 1 post published.")


@pytest.mark.parametrize(("viewport", "scheme"), [(DESK, "light"), (PHONE, "dark")])
def test_field_of_many_rows_is_edited_after_a_dry_run(visit, made, post, viewport, scheme):
    ids = [made(title=f"Bulk {viewport['width']} number {number}") for number in range(2)]
    one = visit("ada", viewport=viewport, color_scheme=scheme)
    page = one.page
    page.goto(f"/admin/posts/?title__icontains=Bulk+{viewport['width']}")
    for id in ids:
        page.locator(f"#row-{id} [name=rowid]").check()
    page.select_option("select[name=action]", "edit")
    page.click(".bulk >> text=Apply")
    expect(page.locator(".confirm")).to_contain_text("This applies to the 2 selected posts.")
    assert one.axe() == [] and one.overflow() <= 0
    page.get_by_label("Field").select_option("comments_open")
    page.get_by_role("button", name="Continue").click()
    page.locator("#in-comments_open").uncheck()
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.locator(".confirm")).to_contain_text("2 posts will be changed.")
    assert one.axe() == [] and one.overflow() <= 0
    page.get_by_role("button", name="Change 2 posts").click()
    expect(page.locator(".messages")).to_contain_text("2 posts changed.")
    assert not any(post(id)["comments_open"] for id in ids)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".messages")).to_contain_text("Undone: 2 posts changed.")
    assert all(post(id)["comments_open"] for id in ids)


@pytest.mark.parametrize(("viewport", "scheme"), [(DESK, "dark"), (PHONE, "light")])
def test_menu_of_a_row_offers_possible_actions(visit, made, viewport, scheme):
    id = made(title=f"Menu {viewport['width']}")
    one = visit("ada", viewport=viewport, color_scheme=scheme)
    page = one.page
    page.goto("/admin/posts/?sort=-id")
    row = page.locator(f"#row-{id}")
    row.get_by_role("button", name="Actions for").click()
    menu = row.locator(".row-menu")
    expect(menu).to_be_visible()
    assert one.axe() == [] and one.overflow() <= 0
    box = menu.bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= viewport["width"]
    menu.get_by_role("button", name="Publish").click()
    expect(page.locator(".messages")).to_contain_text("1 post published.")
    row.get_by_role("button", name="Actions for").click()
    expect(menu.get_by_role("link", name="View on site")).to_be_visible()
    menu.get_by_role("button", name="Duplicate").click()
    page.wait_for_url("**/admin/posts/edit/?id=*")


def test_row_is_changed_without_javascript(visit, made):
    id = made(title="No script")
    page = visit("ada", java_script_enabled=False).page
    page.goto("/admin/posts/?sort=-id")
    row = page.locator(f"#row-{id}")
    row.get_by_role("button", name="Actions for").click()
    row.get_by_role("button", name="Publish").click()
    expect(page.locator(".messages")).to_contain_text("1 post published.")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_only_the_table_is_printed(visit, scheme):
    page = visit("ada", color_scheme=scheme).page
    page.goto("/admin/posts/?status=draft&views__gte=0")
    page.emulate_media(media="print")
    for hidden in (".sidebar", ".tools", ".bulk", ".view-menus", "td.select-cell", "td.tools-cell"):
        expect(page.locator(hidden).first).to_be_hidden()
    expect(page.locator(".chips")).to_contain_text("Views at least 0")
    expect(page.locator(".tabs")).to_contain_text("Draft")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


@pytest.mark.parametrize("path", [p for p, r in REGISTRY.items() if not r.singleton])
def test_every_list_works_on_a_phone(visit, path):
    one = visit("ada", viewport=PHONE)
    one.page.goto(f"/admin/{path}/")
    assert one.overflow() <= 0 and one.axe() == []
    for box in one.page.locator(".row-tools:visible, .bulk:visible").all()[:5]:
        where = box.bounding_box()
        assert where["x"] >= 0 and where["x"] + where["width"] <= PHONE["width"]


def test_filter_accepts_a_name_and_enter(visit):
    ada = visit("ada")
    for typed in ("Shore", "shor"):
        ada.page.goto("/admin/posts/")
        ada.page.click(".filters > summary")
        field = ada.page.locator(".filters .picker input[id]").nth(1)
        field.type(typed)
        field.press("Enter")
        ada.page.wait_for_url("**category.slug=shore*")
        expect(ada.page.locator(".chips .chip").first).to_contain_text("Category is Shore")

"""Writing from the first click to the last: few clicks, and a layout that does not shift."""

import re
import time

import pytest
from playwright.sync_api import expect

from quire.actor import SYSTEM
from quire.declare.query import Query
from quire.records import POSTS
from quire.store import read, write
from quire.store.drafts import draft_service
from tests.sample_images import picture

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
def test_nothing_moves_while_typing(visit, made, site, width):
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


def test_button_follows_the_date(visit, site):
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
def test_narrow_form_has_one_column(visit, width):
    page = visit("ada", viewport={"width": width, "height": 900}).page
    page.goto("/admin/posts/edit/?id=2")
    text, parts = (page.locator(one).bounding_box() for one in ("#field-body", ".form-grid .stack"))
    assert (parts["x"] > text["x"] + text["width"]) == (width == 1280)
    bar = page.locator(".savebar").bounding_box()
    assert bar["y"] + bar["height"] <= 900


def test_menu_of_a_form_works_with_the_keyboard(visit):
    one = visit("ada")
    one.page.goto("/admin/posts/edit/?id=2")
    menu = one.page.locator(".head-actions details.menu")
    menu.locator("summary").press("Enter")
    expect(menu.get_by_role("link", name="Revisions")).to_be_visible()
    assert one.axe() == []
    one.page.keyboard.press("Escape")
    expect(menu.get_by_role("link", name="Revisions")).to_be_hidden()


class Clicks:
    """A page that counts clicks."""

    def __init__(self, page):
        self.page, self.count = page, 0

    def __call__(self, locator):
        self.count += 1
        locator.click()


def test_fixing_a_typo_in_an_old_post_takes_five_clicks(visit, made, site):
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


def test_times_are_local(visit, site):
    one = visit("ann", timezone_id="America/New_York")
    page = one.page
    page.goto("/admin/")  # the script sends the time zone of the browser when it is idle
    until = time.monotonic() + 10
    while not any(cookie["name"] == "time_zone" for cookie in one.context.cookies()):
        assert time.monotonic() < until
        page.wait_for_timeout(50)
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


def test_slow_slug_check_does_not_conflict_with_the_record_itself(visit, site):
    page, asked = visit("ann").page, []

    def hold(route):
        asked.append(route)

    page.goto("/admin/posts/new/")
    page.route("**/slug?*", hold, times=1)  # held until it is told to continue
    with page.expect_request("**/slug?*"):
        page.fill("[name=title]", "Asked before it was saved")
    write_in(page, "Words.")
    page.keyboard.press("Control+s")
    expect(page.locator("[data-state]")).to_contain_text("Saved")
    with page.expect_response("**/slug?*") as about_itself:
        asked[0].continue_()
    assert about_itself.value.json()["suggestion"] == "asked-before-it-was-saved-2"
    expect(page.locator("[name=slug]")).to_have_value("asked-before-it-was-saved")


def test_new_post_with_image_and_tag_takes_six_clicks(visit, site, tmp_path):
    one = visit("ann")
    page, click, file = one.page, Clicks(one.page), tmp_path / "heron.png"
    file.write_bytes(picture(700, 400))
    page.goto("/admin/posts/")
    click(page.get_by_role("link", name="New post"))
    expect(page.locator("[name=title]")).to_be_focused()
    page.keyboard.insert_text("A heron in the reeds")
    page.keyboard.press("Tab")
    click(page.get_by_role("button", name="Image", exact=True))
    with page.expect_file_chooser() as chooser:
        click(page.get_by_label("Upload a new file"))
    chooser.value.set_files(file)
    expect(page.locator("dialog textarea")).to_be_focused()
    page.keyboard.insert_text("A heron")  # the alternative text has the focus
    click(page.get_by_role("dialog").get_by_role("button", name="Insert"))
    expect(page.locator("[name=body]")).to_have_value(re.compile(r"!\[A heron\]"))
    click(page.locator("#in-tags"))
    page.keyboard.insert_text("birds")
    page.keyboard.press("Enter")
    click(page.get_by_role("button", name="Publish", exact=True))
    expect(page.locator(".messages")).to_contain_text("Post published.")
    assert click.count <= 6
    with site.app.app_context():
        id = read.find_id(POSTS, SYSTEM, slug="a-heron-in-the-reeds")
        post = read.get_record(POSTS, SYSTEM, id)
    assert [tag["name"] for tag in post["tags"]] == ["birds"] and "/uploads/" in post["body"]


def test_cover_is_uploaded_in_place_and_chosen_again_in_two_clicks(visit, made, tmp_path):
    one = visit("ann", viewport={"width": 390, "height": 844}, color_scheme="dark")
    page, file = one.page, tmp_path / "reeds.png"
    file.write_bytes(picture(500, 300))
    page.goto(f"/admin/posts/edit/?id={made()}")
    page.get_by_role("button", name="Choose image: Cover").click()
    with page.expect_file_chooser() as chooser:
        page.get_by_label("Upload a new file").click()
    chooser.value.set_files(file)
    expect(page.locator("dialog textarea")).to_be_focused()
    page.keyboard.insert_text("Reeds")
    page.get_by_role("dialog").get_by_role("button", name="Upload").click()
    expect(page.locator("[name=cover]")).to_have_value(re.compile(r"^\d+$"))
    chosen = page.input_value("[name=cover]")
    page.get_by_role("button", name="Remove: Cover").click()
    expect(page.locator("[name=cover]")).to_have_value("")
    page.get_by_role("button", name="Choose image: Cover").click()
    recent = page.get_by_role("list", name="Recently used").get_by_role("button", name="Reeds")
    expect(recent).to_be_visible()
    assert one.axe() == [] and one.overflow() <= 0
    page.keyboard.press("Tab")
    recent.click()
    expect(page.locator("[name=cover]")).to_have_value(chosen)


def test_picker_works_with_the_keyboard(visit):
    page = visit("ada").page
    page.goto("/admin/users/edit/?id=3")
    page.get_by_role("button", name="Choose image: Avatar").press("Enter")
    page.get_by_role("searchbox", name="Choose an existing file").press("Escape")
    expect(page.locator("dialog")).to_have_count(0)
    expect(page.get_by_role("button", name="Choose image: Avatar")).to_be_focused()


@pytest.mark.parametrize(
    ("path", "limit"), [("posts/edit/?id=2", 220_000), ("posts/?per_page=100", 100_000)]
)
def test_pages_are_small(visit, made, path, limit):
    """A first visit, with all files."""
    for number in range(70 if "per_page" in path else 0):  # with those of the site 100 rows
        made(title=f"Light {number}", tags=["boats", "nets", "weather"], category="sea")
    page, sizes = visit("ada").page, []
    page.on("requestfinished", lambda request: sizes.append(request.sizes()))
    page.goto(f"/admin/{path}")
    page.wait_for_load_state("networkidle")
    total = sum(one["responseBodySize"] + one["responseHeadersSize"] for one in sizes)
    assert 0 < total < limit
    assert "per_page" not in path or page.locator("tbody tr").count() == 100


def test_page_of_a_file_offers_download_and_url(visit, tmp_path):
    one = visit("ann")
    one.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page, file = one.page, tmp_path / "weir.png"
    file.write_bytes(picture(640, 300))
    page.goto("/admin/media/new/")
    page.set_input_files("[name=file]", file)
    page.click(".savebar .primary")
    page.wait_for_url("**/admin/media/edit/**")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename.endswith(".png")
    page.get_by_role("button", name="Copy URL").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    address = page.locator(".address a").evaluate("one => one.href")
    assert page.evaluate("navigator.clipboard.readText()") == address
    assert one.axe() == []


def test_reverted_change_does_not_count_as_unsaved(visit, made):
    page = visit("ann").page
    page.goto(f"/admin/posts/edit/?id={made(body='Salt.')}")
    state = page.locator("[data-state]")
    page.locator("[name=title]").press_sequentially("A")
    expect(state).to_have_text("Unsaved changes")
    page.keyboard.press("Backspace")
    expect(state).to_have_text("")
    page.keyboard.press("A")
    page.keyboard.press("Control+s")
    expect(state).to_contain_text("Saved")
    saved = state.inner_text()
    page.keyboard.press("B")
    expect(state).to_have_text("Unsaved changes")
    expect(state).to_have_attribute("data-tone", "")
    page.keyboard.press("Backspace")
    expect(state).to_have_text(saved)
    expect(state).to_have_attribute("data-tone", "success")


def test_emphasized_text_can_be_replaced(visit, made):
    one = visit("ann")
    one.page.goto(f"/admin/posts/edit/?id={made(body='*Salt* of the sea')}")
    one.page.locator(".cm-content").click()
    one.page.keyboard.press("Control+A")
    one.page.keyboard.type("Ice")
    assert one.page.input_value("[name=body]") == "Ice"
    assert one.complaints == []  # the browser would write its style inline
    one.page.keyboard.press("Control+z")
    assert one.page.input_value("[name=body]") == "*Salt* of the sea"


def test_lines_of_two_people_are_merged_while_both_write(visit, made, site):
    id = made(body="one\n\ntwo\n\nthree", published=True)
    page = visit("ann").page
    page.goto(f"/admin/posts/edit/?id={id}")
    with site.app.app_context():
        write.update(POSTS, SYSTEM, id, {"body": "one\n\ntwo\n\nThree, by a colleague"})
    write_in(page, "One, by me\n\ntwo\n\nthree")
    page.keyboard.press("Control+s")
    expect(page.locator("[data-state]")).to_contain_text("Saved")
    expect(page.locator("[data-conflicts]")).to_be_empty()
    assert page.input_value("[name=body]") == "One, by me\n\ntwo\n\nThree, by a colleague"
    page.keyboard.insert_text(" and me")  # the cursor is where it was, at the end
    page.get_by_role("button", name="Publish changes").click()
    expect(page.locator(".messages")).to_contain_text("Post saved.")
    with site.app.app_context():
        body = read.get_record(POSTS, SYSTEM, id)["body"]
    assert body == "One, by me\n\ntwo\n\nThree, by a colleague and me"


def test_category_is_created_in_the_form(visit, made, site):
    one, id = visit("ada"), made()
    page = one.page
    page.goto(f"/admin/posts/edit/?id={id}")
    page.fill("#in-category", "Wading birds")
    page.get_by_role("option", name="Create “Wading birds”").click()
    expect(page.locator("#in-category")).to_have_value("Wading birds")
    page.fill("#in-category", "wading")
    expect(page.get_by_role("option", name="Wading birds", exact=False).first).to_be_visible()
    page.get_by_role("option").first.click()
    page.get_by_role("button", name="Publish", exact=True).click()
    expect(page.locator(".messages")).to_contain_text("Post published.")
    with site.app.app_context():
        assert read.get_record(POSTS, SYSTEM, id)["category"]["name"] == "Wading birds"


def test_double_click_submits_once(visit, site):
    page = visit("ada").page
    page.goto("/admin/posts/new/")
    page.fill("[name=title]", "Twice as fast")
    expect(page.locator("[name=slug]")).to_have_value("twice-as-fast")
    write_in(page, "Once is enough.")
    page.get_by_role("button", name="Publish", exact=True).dblclick()
    expect(page.locator(".messages")).to_contain_text("Post published.")
    duplicate = page.locator("tr", has_text="Twice as fast").locator("button[value^=duplicate]")
    duplicate.evaluate("button => { button.click(); button.click(); }")
    page.wait_for_url("**/admin/posts/edit/?id=*")
    with site.app.app_context():
        found = read.list_records(POSTS, SYSTEM, Query(search="Twice as fast", count=True))
    assert found.total == 2


@pytest.mark.parametrize("key", [None, "Control+Enter"])
def test_name_just_typed_is_submitted(visit, made, site, key):
    id = made()
    page = visit("ada").page
    page.goto(f"/admin/posts/edit/?id={id}")
    page.locator("#in-category").press_sequentially("Shore")
    expect(page.get_by_role("option", name="Shore")).to_be_visible()
    page.locator("#in-tags").press_sequentially("hasty")
    if key:
        page.keyboard.press(key)
        page.get_by_role("dialog").get_by_role("button", name="Publish").click()
    else:
        page.get_by_role("button", name="Publish", exact=True).click()
    expect(page.locator(".messages")).to_contain_text("Post published.")
    with site.app.app_context():
        post = read.get_record(POSTS, SYSTEM, id)
    assert post["category"]["name"] == "Shore" and [one["name"] for one in post["tags"]] == [
        "hasty"
    ]


def test_form_shows_names_instead_of_keys(visit, made, site):
    one, id = visit("ada"), made()
    page = one.page
    page.goto(f"/admin/posts/edit/?id={id}")
    shown, stored = page.locator("#in-category"), page.locator("[name=category]")
    shown.press_sequentially("shore")
    expect(page.get_by_role("option", name="Shore")).to_be_visible()
    page.locator("[name=title]").click()  # the name was typed in full
    expect(shown).to_have_value("Shore")
    expect(stored).to_have_value("shore")
    page.keyboard.press("Control+s")
    expect(page.locator("[data-state]")).to_contain_text("Saved")
    page.reload()
    expect(shown).to_have_value("Shore")
    shown.fill("")
    expect(stored).to_have_value("")


def test_author_is_created_in_a_dialog(visit, made, site):
    one, id = visit("ada"), made()
    page = one.page
    page.goto(f"/admin/posts/edit/?id={id}")
    page.fill("#in-author", "Nora")
    page.get_by_role("option", name="Create “Nora”").click()
    dialog = page.get_by_role("dialog", name="New user")
    expect(dialog.get_by_label("Username")).to_have_value("Nora")
    expect(dialog.get_by_label("Email")).to_be_focused()
    assert one.findings() == []
    page.keyboard.type("ada@example.com")
    dialog.get_by_label("Password").fill("a long enough password")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("Email:")
    dialog.get_by_label("Email").fill("nora@example.com")
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    expect(page.locator("#in-author")).to_have_value("Nora")
    expect(page.locator("#in-author")).to_be_focused()


def test_typed_name_is_selected_by_enter_or_reported_as_unknown(visit, made):
    ann = visit("ann")
    ann.page.goto(f"/admin/posts/edit/?id={made()}")
    category, stored = ann.page.locator("#in-category"), ann.page.locator("[name=category]")
    category.type("shor")
    category.press("Enter")  # immediately: it chooses the only option, and sends nothing
    expect(stored).to_have_value("shore")
    expect(category).to_have_value("Shore")
    assert "/edit/" in ann.page.url
    category.fill("sho")
    category.press("Tab")
    problem = ann.page.locator("#field-category .inline-error")
    expect(problem).to_have_text("Nothing is called “sho”. Choose from the suggestions.")
    category.fill("WEATHER")
    category.press("Tab")
    expect(stored).to_have_value("weather")
    expect(problem).to_have_text("")
    expect(ann.page.locator("[data-state]")).to_have_text(re.compile("^Saved"))


def test_backup_in_the_browser_restores_names(visit, made):
    ann, id = visit("ann"), made(category="sea")
    ann.page.goto(f"/admin/posts/edit/?id={id}")
    ann.page.route("**/posts/edit/**", lambda one: one.abort())
    ann.page.fill("#in-category", "shore")
    ann.page.press("#in-category", "Tab")
    expect(ann.page.locator("[name=category]")).to_have_value("shore")
    ann.page.wait_for_timeout(400)  # until it is stored in the browser
    ann.page.unroute("**/posts/edit/**")
    ann.page.on("dialog", lambda one: one.accept())
    ann.page.goto(f"/admin/posts/edit/?id={id}")
    expect(ann.page.locator("#in-category")).to_have_value("Sea")
    ann.page.get_by_role("button", name="Restore").click()
    expect(ann.page.locator("#in-category")).to_have_value("Shore")

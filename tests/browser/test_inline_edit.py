"""Edits in the cells of a list: their position, and what they save."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
PHONE = {"width": 390, "height": 844}
BOXES = (
    "[...document.querySelectorAll('.records thead th')].map(one => one.getBoundingClientRect().x)"
)


BELOW = """[...document.querySelectorAll("td.title .cell")].filter(cell => {
  const lines = cell.firstElementChild.getClientRects(), pencil = cell.querySelector(".pencil");
  return pencil.getBoundingClientRect().top >= lines[lines.length - 1].bottom - 4;
}).length"""
"""How many pencils stand below the last line of their title."""


def edit(row, name):
    row.hover()
    row.locator(f"[data-inline={name}]").click()
    return row.locator(".inline-edit")


def test_editing_moves_no_column(visit, made):
    id = made(published_at="2026-01-01T10:00:00Z", tags=["boats", "weather"])
    page = visit("ada", locale="de-DE").page
    page.goto("/admin/posts/?sort=-id")
    before = page.evaluate(BOXES)
    box = edit(page.locator(f"#row-{id}"), "published_at")
    expect(box.get_by_role("button", name="Abbrechen")).to_be_visible()
    assert page.evaluate(BOXES) == before


def test_editor_in_the_last_column_does_not_cover_the_row_buttons(visit, made):
    id = made(published_at="2026-01-01T10:00:00Z")
    one = visit("ada")
    page = one.page
    page.goto("/admin/posts/?sort=-id&columns=author,published_at")
    row = page.locator(f"#row-{id}")
    box, tools = edit(row, "published_at").bounding_box(), row.locator(".tools-cell").bounding_box()
    assert box["x"] + box["width"] <= tools["x"] + 1 and one.axe() == []
    assert page.evaluate(
        "(scroll => scroll.scrollWidth <= scroll.clientWidth)(document.querySelector('.scroll'))"
    )


@pytest.mark.parametrize("width", [1280, 390])
def test_edit_icon_adds_no_line(visit, made, width):
    for number in range(20):
        made(title="The boats of the harbour, " + "a" * number)
    page = visit("ada", viewport={"width": width, "height": 900}).page
    page.goto("/admin/posts/?sort=-id")
    assert page.evaluate(BELOW) == 0


@pytest.mark.parametrize(("viewport", "scheme"), [(None, "light"), (PHONE, "dark")])
def test_title_is_edited_in_the_list(visit, made, post, viewport, scheme):
    id = made(title="A title that is long enough to fill more than a cell")
    device = {"viewport": viewport} if viewport else {}
    one = visit("ada", color_scheme=scheme, **device)
    page = one.page
    page.goto("/admin/posts/?sort=-id")
    row = page.locator(f"#row-{id}")
    box = edit(row, "title")
    assert one.axe() == [] and one.overflow() <= 0
    box.get_by_role("textbox").fill("")
    page.keyboard.press("Enter")
    expect(box.get_by_role("alert")).to_contain_text("Title is required.")
    box.get_by_role("textbox").fill("A short <b>title</b>")
    page.keyboard.press("Enter")
    expect(row.get_by_role("link", name="A short <b>title</b>", exact=True)).to_be_visible()
    expect(row.locator("[data-inline=title]")).to_be_focused()
    assert post(id)["title"] == "A short <b>title</b>"
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".messages")).to_contain_text("Undone: 1 post changed.")
    assert post(id)["title"].startswith("A title that is long")


def test_status_words_are_not_broken(visit, made):
    made(published_at="2026-01-01T10:00:00Z", tags=["boats", "nets", "weather"])
    page = visit("ada").page
    page.goto("/admin/posts/?sort=-id")
    badge = page.locator(".records .badge", has_text="Published").first
    assert badge.bounding_box()["height"] < 30

"""Writing in a real browser: nothing typed is lost, and the preview shows what readers will see."""

import re

import pytest
from playwright.sync_api import expect

from quire.actor import SYSTEM, Actor
from quire.declare.query import Query
from quire.errors import NotFound
from quire.records import POSTS
from quire.store import read, write
from quire.store.drafts import draft_service

pytestmark = pytest.mark.browser

BODY = """Look at the *water*.

### Before

| tide | height |
|---|---|
| high | 4 m |
"""


@pytest.fixture
def draft(site):
    """`draft(7)` is the draft of a post; None if there is none."""

    def find(id):
        with site.app.app_context():
            try:
                return draft_service.read_draft(POSTS, Actor("admin", 1, "ada"), id)
            except NotFound:
                return None

    return find


def write_in(page, text):
    """Replace the body by typing."""
    page.locator(".cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(text)


def says(page, words):
    expect(page.locator("[data-state]")).to_contain_text(words)


def open_form(visit, name, id=None, **device):
    one = visit(name, **device)
    one.page.goto(f"/admin/posts/edit/?id={id}" if id else "/admin/posts/new/")
    return one, one.page


@pytest.mark.parametrize(
    "device",
    [
        {"color_scheme": "light", "viewport": {"width": 1600, "height": 900}},
        {"color_scheme": "dark", "viewport": {"width": 390, "height": 844}, "has_touch": True},
    ],
    ids=["light", "dark-phone"],
)
def test_preview_equals_the_page(visit, made, device, site):
    id = made(body=BODY, published=True)
    one, page = open_form(visit, "ann", id, **device)
    page.get_by_role("button", name="Preview", exact=True).click()
    prose = page.frame_locator("iframe").locator(".prose")
    expect(prose.locator("table")).to_be_visible()
    is_phone = "has_touch" in device
    if not is_phone:
        expect(page.locator(".cm-content")).to_be_visible()
        write_in(page, BODY + "\nAnd *more*.")
    assert one.axe() == []
    assert one.overflow() <= 0
    if is_phone:
        return
    expect(prose).to_contain_text("And more.")
    shown = prose.inner_html()
    page.keyboard.press("Control+s")
    says(page, "Saved")
    page.get_by_role("button", name="Publish changes").click()
    expect(page.locator(".messages")).to_contain_text("Post saved.")
    with site.app.app_context():
        page.goto(f"/posts/{read.get_record(POSTS, SYSTEM, id)['slug']}")
    assert page.locator("article > .prose").inner_html().split() == shown.split()
    color = "getComputedStyle(document.querySelector('.prose em')).fontFamily"
    assert "Charter" in page.evaluate(color)


def test_draft_is_saved_while_typing(visit, made, draft, site):
    id = made(published=True)
    _, page = open_form(visit, "ann", id)
    write_in(page, "Half a sentence")
    says(page, "Saved")
    assert draft(id)["body"] == "Half a sentence"
    write_in(page, "A whole sentence.")
    page.keyboard.press("Control+s")
    says(page, "Saved")
    assert (draft(id)["body"], draft(id)["version"]) == ("A whole sentence.", 2)
    with site.app.app_context():
        assert read.get_record(POSTS, SYSTEM, id)["body"] == "Words."
    expect(page.get_by_role("button", name="Publish changes")).to_be_visible()
    page.goto("/admin/")  # nothing is unsaved, so there is no confirmation
    assert page.locator("h1").count() == 1


def test_new_post_becomes_a_draft_automatically(visit, site):
    _, page = open_form(visit, "ann")
    page.fill("[name=title]", "Of Ropes & Knots")
    expect(page.locator("[name=slug]")).to_have_value("of-ropes-knots")
    page.keyboard.press("Control+s")
    says(page, "until it has a title and text")
    page.reload()
    page.get_by_role("button", name="Restore").click()
    write_in(page, "Begin with a bight.")
    page.keyboard.press("Control+Alt+x")
    says(page, "Saved")
    id = int(re.search(r"id=(\d+)", page.url)[1])
    with site.app.app_context():
        found = read.get_record(POSTS, SYSTEM, id)
    assert (found["title"], found["status"], found["slug"]) == (
        "Of Ropes & Knots", "draft", "of-ropes-knots",
    )  # fmt: skip
    page.get_by_role("button", name="Publish", exact=True).click()
    expect(page.locator(".messages")).to_contain_text("published")


def test_values_filled_in_by_the_server_are_not_conflicts(visit):
    _, page = open_form(visit, "ada")
    page.fill("[name=title]", "Of bends")
    expect(page.locator("[name=slug]")).to_have_value("of-bends")
    write_in(page, "Two ropes.")
    page.keyboard.press("Control+s")
    says(page, "Saved")
    expect(page.locator("[name=author]")).to_have_value("ada")
    page.get_by_role("button", name="Publish", exact=True).click()
    expect(page.locator(".messages")).to_have_text(re.compile(r"\s*Post published\.\s*"))


def test_partial_name_is_not_saved(visit):
    one, page = open_form(visit, "ada")
    page.fill("[name=title]", "Of hitches")
    expect(page.locator("[name=slug]")).to_have_value("of-hitches")
    write_in(page, "One rope.")
    page.clock.install()
    page.locator("#in-category").press_sequentially("Kno")
    page.clock.run_for(200)
    expect(page.get_by_role("option", name="Create “Kno”")).to_be_visible()
    page.clock.run_for(5000)
    assert page.locator("[data-state]").inner_text() == "Unsaved changes"
    page.locator("[name=title]").click()
    page.clock.run_for(5000)
    says(page, "Not saved: Category Kno does not exist.")
    one.complaints.clear()  # the refusal


@pytest.mark.parametrize("button", [None, "Save draft"])
def test_lost_response_creates_no_second_post(visit, site, button):
    one, page = open_form(visit, "ann")

    def lose(route):
        route.fetch()
        route.abort()

    page.route("**/admin/posts/new/", lose, times=1)
    page.fill("[name=title]", f"Lost by {button}")
    expect(page.locator("[name=slug]")).not_to_have_value("")
    write_in(page, "Once")
    page.keyboard.press("Control+s")
    says(page, "the server is not responding")
    one.complaints.clear()
    write_in(page, "Only once")
    if button:
        page.get_by_role("button", name=button).click()
        page.wait_for_url("**/admin/posts/**")
    else:
        page.keyboard.press("Control+s")
        says(page, "Saved")
    with site.app.app_context():
        query = Query(search=f"Lost by {button}", count=True)
        found = read.list_records(POSTS, SYSTEM, query)
    assert (found.total, found.rows[0]["body"]) == (1, "Only once")


def test_text_is_recovered_after_a_crash(visit, made):
    id = made()
    one, page = open_form(visit, "ann", id)
    one.context.set_offline(True)
    write_in(page, "Typed on the ferry")
    page.keyboard.press("Control+s")
    says(page, "stored in this browser")
    page.close()
    one.context.set_offline(False)
    one.complaints.clear()  # the message that there was no network
    one.page = page = one.context.new_page()
    page.goto(f"/admin/posts/edit/?id={id}")
    assert one.axe() == []
    page.get_by_role("button", name="Restore").click()
    expect(page.locator(".cm-content")).to_have_text("Typed on the ferry")
    says(page, "Saved")
    page.reload()
    expect(page.get_by_role("button", name="Restore")).to_have_count(0)
    assert page.input_value("[name=body]") == "Typed on the ferry"


def test_two_write_in_one_draft(visit, made, draft):
    id = made(published=True)
    (_, ann), (_, ada) = open_form(visit, "ann", id), open_form(visit, "ada", id)
    ann.fill("[name=title]", "Ann's title")
    ann.keyboard.press("Control+s")
    says(ann, "Saved")
    write_in(ada, "Ada's text")
    ada.keyboard.press("Control+s")
    says(ada, "Updated with someone else’s changes: Title")
    expect(ada.locator("[name=title]")).to_have_value("Ann's title")
    assert (draft(id)["title"], draft(id)["body"]) == ("Ann's title", "Ada's text")


def test_concurrent_change_is_reported(visit, made, draft):
    id = made(published=True)
    (_, ann), (one, ada) = open_form(visit, "ann", id), open_form(visit, "ada", id)
    write_in(ann, "Ann was here")
    says(ann, "Saved")
    ada.fill("[name=excerpt]", "In short")
    write_in(ada, "Ada was here too")
    before = ada.locator(".cm-content").bounding_box()
    says(ada, "Saved")  # the excerpt
    assert (draft(id)["body"], draft(id)["excerpt"]) == ("Ann was here", "In short")
    ada.get_by_text("Someone else has also changed: Body").click()
    assert ada.locator("[data-conflicts] pre").all_inner_texts() == [
        "Words.", "Words.Ada was here too", "Words.Ann was here",
    ]  # fmt: skip
    assert ada.locator(".cm-content").bounding_box() == before
    assert one.axe() == [] and one.overflow() <= 0
    ada.get_by_role("button", name="Keep mine: Body").click()
    expect(ada.locator("[data-conflicts] .note")).to_have_count(0)
    expect(ada.locator("[data-state]")).to_have_text(re.compile("Saved"))
    ada.keyboard.press("Control+s")
    assert draft(id)["body"] == "Ada was here too"
    write_in(ann, "Ann again")
    ann.get_by_text("Someone else has also changed: Body").click()
    ann.get_by_role("button", name="Use theirs: Body").click()
    expect(ann.locator(".cm-content")).to_have_text("Ada was here too")
    assert draft(id)["body"] == "Ada was here too"


def test_refused_form_offers_nothing_but_its_content(visit, made):
    id = made(published=True)
    one, page = open_form(visit, "ann", id)
    _, other = open_form(visit, "ada", id)
    for who in (other, page):
        who.fill("[name=title]", f"By {'me' if who is page else 'them'}")
        who.locator(".savebar .primary").click()
    expect(page.locator(".compare ins")).to_have_text(["By", "me", "By", "them"])
    assert page.input_value("[name=title]") == "By me"
    expect(page.get_by_role("button", name="Restore")).to_have_count(0)
    one.complaints.clear()  # the conflict


def test_session_ends_while_typing(visit, made, draft):
    id = made()
    one, page = open_form(visit, "ann", id)
    one.context.clear_cookies()
    write_in(page, "Written after the session had ended")
    says(page, "signed out, stored in this browser")
    assert one.axe() == []
    with one.context.expect_page() as opened:
        page.get_by_role("link", name="Sign in (opens in a new tab)").click()
    other = opened.value
    other.fill("[name=email]", "ann@example.com")
    other.fill("[name=password]", "a long enough password")
    other.click("main button[type=submit]")
    other.wait_for_url("**/admin/")
    other.close()
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    says(page, "Saved")
    assert draft(id)["body"] == "Written after the session had ended"


def test_slug_is_checked_while_typing(visit, made):
    made(slug="taken-slug")
    _, page = open_form(visit, "ann", made())
    said = page.locator("#field-slug [role=status]")
    page.fill("[name=slug]", "Taken slug")
    expect(said).to_contain_text("already in use")
    said.get_by_role("button").click()
    expect(page.locator("[name=slug]")).to_have_value("taken-slug-2")
    page.fill("[name=title]", "Another title")
    page.wait_for_timeout(500)
    assert page.input_value("[name=slug]") == "taken-slug-2"


def test_formatting_and_shortcuts(visit):
    _, page = open_form(visit, "ann")
    write_in(page, "tide")
    for keys in ("Control+A", "Control+b", "Control+i"):
        page.keyboard.press(keys)
    assert page.input_value("[name=body]") == "**_tide_**"
    page.keyboard.press("Control+i")
    page.keyboard.press("Control+b")
    page.get_by_role("button", name="Heading").click()
    assert page.input_value("[name=body]") == "## tide"
    page.get_by_role("button", name="Heading").click()
    page.keyboard.press("End")
    page.keyboard.insert_text("\n- rope")
    page.keyboard.press("Enter")
    assert page.input_value("[name=body]") == "tide\n- rope\n- "
    page.keyboard.press("Enter")
    page.keyboard.insert_text("ebb")
    assert page.input_value("[name=body]") == "tide\n- rope\nebb"
    expect(page.locator(".count")).to_have_text("4 words · 15 characters · 1 min read")


@pytest.mark.parametrize("items", ["- rope\n- ", "1. rope\n2. ", "- rope\n\n- ", "> - rope\n> - "])
def test_pressing_enter_twice_ends_a_list(visit, items):
    _, page = open_form(visit, "ann")
    write_in(page, items)
    page.keyboard.press("Enter")
    page.keyboard.insert_text("ebb")
    body = page.input_value("[name=body]")
    assert body.count("rope") == 1 and body.splitlines()[-1].removeprefix("> ") == "ebb"


def test_lines_have_the_direction_of_their_text(visit):
    _, page = open_form(visit, "ann")
    write_in(page, "שלום\n\nThe tide\n- פריט")
    found = "lines => lines.map((one) => getComputedStyle(one).direction)"
    assert page.locator(".cm-line").evaluate_all(found) == ["rtl", "ltr", "ltr", "rtl"]
    page.fill("[name=title]", "שלום")
    assert page.locator("[name=title]").evaluate("one => getComputedStyle(one).direction") == "rtl"


@pytest.mark.parametrize(("published", "said"), [(True, "Post saved."), (False, "published")])
def test_publishing_with_the_keyboard(visit, made, site, published, said):
    id = made(published=published)
    _, page = open_form(visit, "ann", id)
    write_in(page, "At last")
    page.keyboard.press("Control+Enter")
    page.get_by_role("dialog").get_by_role("button", name="Publish").click()
    expect(page.locator(".messages")).to_contain_text(said)
    with site.app.app_context():
        found = read.get_record(POSTS, SYSTEM, id)
    assert (found["body"], found["status"]) == ("At last", "published")


def test_keyboard_publishes_nothing_unsaved(visit):
    one, page = open_form(visit, "ann")
    write_in(page, "Who would read this?")
    page.keyboard.press("Control+Enter")
    says(page, "until it has a title and text")
    page.fill("[name=title]", "Of the ferry")
    one.context.set_offline(True)
    page.keyboard.press("Control+Enter")
    says(page, "offline")
    expect(page.locator("dialog[open]")).to_have_count(0)
    one.context.set_offline(False)
    one.complaints.clear()  # the message that there was no network
    page.keyboard.press("Control+Enter")
    page.get_by_role("dialog").get_by_role("button", name="Publish").click()
    expect(page.locator(".messages")).to_contain_text("published")


def test_links_and_lines_with_the_keyboard(visit):
    _, page = open_form(visit, "ann")
    write_in(page, "one\ntwo")
    page.keyboard.press("Control+A")
    page.get_by_role("button", name="Bold").focus()
    for _ in range(6):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert page.input_value("[name=body]") == "1. one\n2. two"
    page.keyboard.press("Control+z")
    assert page.input_value("[name=body]") == "one\ntwo"
    page.keyboard.press("Control+End")
    page.keyboard.press("Control+Shift+ArrowLeft")
    page.keyboard.press("Control+k")
    page.keyboard.type("https://example.com/tide")
    assert page.input_value("[name=body]") == "one\n[two](https://example.com/tide)"


def test_editing_without_scripts(visit, made, draft):
    id = made(published=True)
    one = visit("ann", java_script_enabled=False)
    one.page.goto(f"/admin/posts/edit/?id={id}")
    one.page.fill("[name=body]", "Plain")
    one.page.click("[aria-label='Other ways to save']")
    one.page.click("text=Save draft")
    assert draft(id)["body"] == "Plain"


def test_seo_preview_is_updated_while_typing(visit, made, draft):
    id = made(title="Salt", body="Three *litres* of sea water.", published=True)
    one, page = open_form(visit, "ann", id)
    page.get_by_text("Search engines and sharing").click()
    result = page.get_by_role("group", name="In search results")
    expect(result).to_contain_text("Salt · Harbour Notes")
    expect(result).to_contain_text("/posts/salt")
    expect(result).to_contain_text("Three litres of sea water.")
    page.fill(
        "[name=seo_title]", "Where salt comes from, and what it does to those who eat too much"
    )
    expect(page.locator("#field-seo_title")).to_contain_text("65 of 60 characters: the end may be")
    page.fill("[name=excerpt]", "In short.")
    expect(result).to_contain_text("In short.")
    page.fill("[name=seo_description]", "In a few words.")
    expect(result).to_contain_text("In a few words.")
    expect(result).to_contain_text("Where salt comes from")
    assert one.axe() == []
    says(page, "Saved")
    assert draft(id)["seo_description"] == "In a few words."
    page.reload()
    expect(page.locator("[name=seo_description]")).to_be_visible()


def test_typed_text_survives_the_trash(visit, made, site, draft):
    id = made(published=True)
    one, page = open_form(visit, "ann", id)
    with site.app.app_context():
        write.delete(POSTS, SYSTEM, id)
    write_in(page, "Typed for an hour")
    page.keyboard.press("Control+s")
    says(page, "This post is in the trash")
    page.get_by_role("button", name="Publish changes", exact=True).click()
    expect(page.locator("#problem")).to_contain_text("This post is in the trash")
    assert one.axe() == []
    page.get_by_role("button", name="Restore", exact=True).click()
    page.get_by_role("button", name="Restore", exact=True).click()
    says(page, "Saved")
    assert draft(id)["body"] == "Typed for an hour"

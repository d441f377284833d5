"""Pages of the panel in all states: axe in light and dark, the content security policy, widths from a phone to a
desktop."""

from itertools import pairwise

import pytest
from playwright.sync_api import expect

from quire.actor import SYSTEM
from quire.records import USERS
from quire.store import write
from quire.store.events.outbox import enqueue
from tests.browser.conftest import COLOURS, PASSWORD, PHONE

pytestmark = pytest.mark.browser

PAGES = [
    "posts/?status=draft&title__icontains=tide", "posts/?trashed=true", "posts/edit/?id=1", "posts/delete/?id=1",
    "posts/?search=zzzz", "posts/edit/?id=4711", "posts/?views=x", "posts/history/?id=1&from=1&to=1",
    "posts/?match=any&1.status=draft&1.views__gte=0&2.status=scheduled", "comments/?status=approved", "log/?q=zzzz",
    "saved_views/new/", "webhooks/edit/?id=1", "webhooks/delete/?id=1", "deliveries/?status=failed",
    "deliveries/details/?id=1", "deliveries/details/?id=3", "batches/", "checks/", "api_keys/",
]  # fmt: skip
"""Those that no crawl comes to, or not in this state; the others are in test_crawl.py."""


def test_pages_are_accessible_and_fit(visit):
    visit("ada").look_at(f"/admin/{path}" for path in PAGES)


@pytest.mark.parametrize(("path", "words"), [("jobs/", "letters.burn"), ("invitations/", "zoe")])
def test_system_tables_are_stacked_on_a_phone(visit, site, path, words):
    with site.app.app_context():
        enqueue("letters.burn")
    one = visit("ada", viewport=PHONE, color_scheme="dark")
    one.page.goto(f"/admin/{path}")
    row = one.page.locator(".stacked tbody tr", has_text=words).first
    boxes = [one.bounding_box() for one in row.locator("th, td").all()]
    assert all(below["y"] >= box["y"] + box["height"] - 1 for box, below in pairwise(boxes))
    assert one.overflow() <= 0 and one.axe() == []


@pytest.mark.parametrize(
    "path",
    ["posts/new/", "tags/new/", "saved_views/new/", "posts/edit/?id=2", "comments/edit/?id=1"],
)
def test_buttons_of_a_form_fit_on_a_phone_in_german_too(visit, path):
    one = visit("ada", viewport=PHONE, locale="de-DE")
    one.page.goto(f"/admin/{path}")
    assert one.page.locator("html").get_attribute("lang") == "de"
    boxes = [
        box
        for b in one.page.locator(".buttons > :is(.button, details)").all()
        if (box := b.bounding_box())
    ]
    assert one.overflow() <= 0
    assert max(box["x"] + box["width"] for box in boxes) < PHONE["width"]
    assert _rows(boxes) <= 2


def test_single_menu_beside_the_heading_opens_on_a_phone(visit):
    one = visit("ada", viewport=PHONE)
    one.page.goto("/admin/profiles/")
    one.page.locator(".head-actions summary").click()
    box = one.page.locator(".head-actions .dropdown-panel").bounding_box()
    assert one.overflow() <= 0
    assert box["x"] >= 0 and box["x"] + box["width"] <= PHONE["width"]


@pytest.mark.parametrize("width", [1280, 1265, 1250])
def test_german_list_of_posts_fits_beside_the_menu(visit, width):
    """A scroll bar takes 15 pixels of a window that is 1280 pixels wide."""
    one = visit("ada", viewport={"width": width, "height": 900}, locale="de-DE")
    one.page.goto("/admin/posts/")
    assert one.page.locator("html").get_attribute("lang") == "de"
    box = one.page.locator(".scroll:has(> .records)")
    assert box.evaluate("box => box.scrollWidth - box.clientWidth") <= 0


def _rows(boxes):
    """Return the number of rows that these elements occupy."""
    middles = sorted(box["y"] + box["height"] / 2 for box in boxes)
    return 1 + sum(below - above > 15 for above, below in pairwise(middles))


@pytest.mark.parametrize(
    ("path", "rows"),
    [
        ("posts/", 1),
        ("users/", 1),
        ("media/", 1),
        ("comments/", 1),
        ("sessions/", 1),
        ("", 2),
        ("posts/edit/?id=1", 1),
        ("posts/details/?id=1", 3),
    ],
)
def test_buttons_of_a_header_fit_on_a_phone_in_german_too(visit, path, rows):
    one = visit("ada", viewport=PHONE, locale="de-DE")
    one.page.goto(f"/admin/{path}")
    buttons = one.page.locator(".head-actions .button:visible")
    assert _rows([button.bounding_box() for button in buttons.all()]) <= rows
    assert one.overflow() <= 0
    if path == "posts/":  # the words are hidden, but read by screen readers
        assert "Exportieren und importieren" in buttons.first.inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_forms_with_errors_and_conflicts_are_accessible(visit, scheme):
    one = visit("ada", viewport=PHONE, color_scheme=scheme)
    page = one.page
    page.goto("/admin/posts/edit/?id=2")
    page.fill("[name=title]", "")
    page.click(".savebar .primary")
    assert page.locator("#problem").is_visible()
    assert one.axe() == [] and one.overflow() <= 0
    page.goto("/admin/posts/edit/?id=2")
    page.evaluate("document.querySelector('[name=version]').value = '0'")
    page.fill("[name=title]", "Mine")
    page.click(".savebar .primary")
    assert page.locator(".compare").is_visible()
    assert one.axe() == [] and one.overflow() <= 0


def test_text_is_readable_while_the_theme_changes(visit):
    one = visit("ada", color_scheme="light", reduced_motion="no-preference")
    one.page.goto("/admin/")
    for scheme in ("dark", "light"):
        one.page.emulate_media(color_scheme=scheme)
        assert one.axe(COLOURS) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_sign_in_is_accessible(visit, scheme):
    one = visit(viewport=PHONE, color_scheme=scheme)
    one.page.goto("/admin/")
    assert "/auth/login" in one.page.url
    assert one.axe() == [] and one.overflow() <= 0


OUT_OF_VIEW = """() => [...document.querySelectorAll(".row-tools a, .records .value")].filter((one) => {
    const { left, right } = one.getBoundingClientRect();
    const box = one.closest("td").getBoundingClientRect();
    return right > innerWidth || left < 0 || right > box.right + 1;
}).map((one) => one.textContent)"""
COVERED = """() => {
    const tools = document.querySelector(".row-tools").getBoundingClientRect();
    const last = [...document.querySelectorAll("tbody tr:first-child .value")].pop().getBoundingClientRect();
    return last.right > tools.left && last.bottom > tools.top && last.top < tools.bottom;
}"""
BROKEN_NAMES = """() => [...document.querySelectorAll(".records a.narrow:not(:has(*))")].filter((one) => {
    const words = document.createRange();
    words.selectNodeContents(one);
    return /^[^\\s-]{1,12}$/.test(one.textContent) && words.getClientRects().length > 1;
}).map((one) => one.textContent)"""


def test_tools_long_urls_and_names_stay_in_view(visit, site, made):
    address = "a.very.long.address.of.somebody@accounting.department.example-company.example"
    with site.app.app_context():
        for name, email in (("lengthy", address), ("chloe.lopez", "chloe@example.com")):
            raw = {"username": name, "email": email, "password": PASSWORD, "role": "author"}
            write.create(USERS, SYSTEM, raw)
    made(title="By somebody with a name", author="chloe.lopez", published_at="2098-01-01T10:00:00Z")
    page = visit("ada").page
    for path in ("users/", "posts/", "comments/", "audit_events/", "webhooks/", "deliveries/"):
        page.goto(f"/admin/{path}")
        for width in (390, 700, 900, 1100, 1280):
            page.set_viewport_size({"width": width, "height": 900})
            where = f"{path} at {width}"
            assert page.evaluate(OUT_OF_VIEW) == [], where
            assert not page.evaluate(COVERED), where
            assert page.evaluate(BROKEN_NAMES) == [], where
            bulk = page.locator(".bulk")
            assert not bulk.count() or bulk.bounding_box()["y"] < 870, where


def test_bars_leave_room_for_the_page_at_200_percent(visit):
    one = visit("ada", viewport={"width": 640, "height": 450})
    for path in (
        "",
        "posts/",
        "posts/edit/?id=1",
        "media/",
        "comments/moderation/",
        "settings/edit/?id=1",
    ):
        one.page.goto(f"/admin/{path}")
        assert one.overflow() <= 0, path
        in_view = """[...document.querySelectorAll("main *")].filter((one) =>
            getComputedStyle(one).position === "sticky").map((one) => one.offsetHeight)"""
        assert sum(height for height in one.page.evaluate(in_view)) < 110, path


def test_colors_follow_the_preference(visit):
    one = visit("ada", color_scheme="light")
    one.page.goto("/admin/")
    one.page.click('[aria-label="Dark theme"]')
    assert one.page.get_attribute("html", "data-theme") == "dark"
    assert one.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(15, 21, 20)"


def test_menu_on_a_phone(visit):
    page = visit("ada", viewport=PHONE).page
    page.goto("/admin/")
    assert (
        not page.get_by_role("link", name="Users").first.is_visible()
        or page.locator(".sidebar").is_hidden()
    )
    page.click("[data-menu-open]")
    page.locator(".nav").get_by_role("link", name="Comments").click()
    assert page.locator("h1").inner_text() == "Comments"
    page.click("[data-menu-open]")
    page.keyboard.press("Escape")
    assert not page.locator(".sidebar").is_visible()


def test_nothing_is_loaded_from_other_sites(visit):
    one = visit("ada")
    asked = []
    one.page.on("request", lambda request: asked.append(request.url))
    for path in ("", "posts/", "posts/edit/?id=1"):
        one.page.goto(f"/admin/{path}")
    assert all(url.startswith((one.site.url, "data:")) for url in asked)
    assert not [url for url in asked if "jquery" in url or "bootstrap" in url]


def test_menu_shows_the_current_page(visit):
    page = visit("ada", viewport={"width": 1280, "height": 600}).page
    page.goto("/admin/jobs/")
    expect(page.locator("#menu [aria-current=page]")).to_be_in_viewport(ratio=1)
    assert page.evaluate("scrollY") == 0

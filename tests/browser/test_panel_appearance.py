"""Every page of the panel: axe in light and dark, the policy, the width of a phone."""

import pytest

from quire.actor import SYSTEM
from quire.records import USERS
from quire.store import read, write
from tests.browser.conftest import PASSWORD

pytestmark = pytest.mark.browser

PAGES = [
    "", "posts/", "posts/?status=draft&title__icontains=tide", "posts/?trashed=true", "posts/new/",
    "posts/edit/?id=1", "posts/details/?id=1", "posts/delete/?id=1", "comments/", "pages/", "categories/",
    "tags/", "users/", "users/new/", "users/edit/?id=3", "profiles/", "redirects/", "settings/edit/?id=1",
    "audit_events/", "audit_events/details/?id=1", "revisions/", "revisions/details/?id=1", "posts/?search=zzzz",
    "posts/edit/?id=4711", "posts/?views=x", "access/", "jobs/", "mail/", "invitations/", "media/", "media/new/",
    "imports/", "archive/", "backups/", "comments/moderation/", "sessions/", "api_keys/", "appearance/edit/?id=1", "posts/history/?id=1&from=1&to=1",
    "saved_views/", "saved_views/new/", "batches/", "webhooks/", "deliveries/", "comments/?status=approved",
    "posts/?match=any&1.status=draft&1.views__gte=0&2.status=scheduled",
    "webhooks/", "webhooks/new/", "webhooks/edit/?id=1", "webhooks/details/?id=1", "webhooks/delete/?id=1",
    "deliveries/", "deliveries/?status=failed", "deliveries/details/?id=1", "deliveries/details/?id=3",
]  # fmt: skip
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
def test_pages_have_no_serious_finding_and_fit(visit, scheme, viewport):
    one = visit("ada", viewport=viewport, color_scheme=scheme)
    one.look_at(f"/admin/{path}" for path in PAGES)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_forms_with_errors_and_conflicts_have_no_serious_finding(visit, scheme):
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


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_sign_in_has_no_serious_finding(visit, scheme):
    one = visit(viewport=PHONE, color_scheme=scheme)
    one.page.goto("/admin/")
    assert "/auth/login" in one.page.url
    assert one.axe() == [] and one.overflow() <= 0


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
def test_tools_and_long_addresses_stay_in_view(visit, site, viewport):
    address = "a.very.long.address.of.somebody@accounting.department.example-company.example"
    with site.app.app_context():
        if read.find_id(USERS, SYSTEM, username="lengthy") is None:
            write.create(
                USERS, SYSTEM, {"username": "lengthy", "email": address, "password": PASSWORD}
            )
    page = visit("ada", viewport=viewport).page
    for path in ("users/", "posts/", "comments/", "audit_events/", "webhooks/", "deliveries/"):
        page.goto(f"/admin/{path}")
        hidden = page.evaluate(
            """() => [...document.querySelectorAll(".row-tools a, .records .value")].filter((one) => {
                const { left, right } = one.getBoundingClientRect();
                const box = one.closest("td").getBoundingClientRect();
                return right > innerWidth || left < 0 || right > box.right + 1;
            }).map((one) => one.textContent)"""
        )
        assert hidden == [], path
        bulk = page.locator(".bulk")
        if bulk.count():
            assert bulk.bounding_box()["y"] < viewport["height"] - 30


def test_colours_follow_the_choice(visit):
    one = visit("ada", color_scheme="light")
    one.page.goto("/admin/")
    one.page.click('[aria-label="Dark theme"]')
    assert one.page.get_attribute("html", "data-theme") == "dark"
    assert one.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(15, 21, 20)"


def test_the_menu_on_a_phone(visit):
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


def test_nothing_comes_from_elsewhere(visit):
    one = visit("ada")
    asked = []
    one.page.on("request", lambda request: asked.append(request.url))
    for path in ("", "posts/", "posts/edit/?id=1"):
        one.page.goto(f"/admin/{path}")
    assert all(url.startswith((one.site.url, "data:")) for url in asked)
    assert not [url for url in asked if "jquery" in url or "bootstrap" in url]

"""Every page for readers: axe in light and dark, the content security policy, on a phone, without scripts."""

import pytest

from tests.browser.conftest import PHONE

pytestmark = pytest.mark.browser

PAGES = [
    "/", "/?page=2", "/posts/ten-ways-to-mend-a-fishing-net", "/pages/about", "/tags/boats",
    "/categories/sea", "/authors/ann", "/search", "/search?q=tide", "/search?q=zzzz", "/auth/login",
    "/auth/register", "/nowhere", "/?page=x", "/archive",
    "/archive/2026/01", "/display",
]  # fmt: skip
POST = "/posts/ten-ways-to-mend-a-fishing-net"


def test_pages_are_accessible_and_fit(visit):
    visit().look_at(PAGES)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_forms_with_errors_are_accessible(visit, scheme):
    one = visit("mia", viewport=PHONE, color_scheme=scheme)
    one.page.goto(POST)
    one.page.evaluate("document.querySelector('#body').required = false")
    one.page.click("#say button")
    assert one.page.locator("#body-error").is_visible()
    assert one.axe() == [] and one.overflow() <= 0
    stranger = visit(viewport=PHONE, color_scheme=scheme)
    stranger.page.goto("/auth/login")
    stranger.page.fill("#email", "nobody@example.com")
    stranger.page.fill("#password", "nothing")
    stranger.page.click("main button")
    assert "Invalid email or password" in stranger.page.locator("[role=alert]").inner_text()
    assert stranger.page.input_value("#email") == "nobody@example.com"
    assert stranger.axe() == [] and stranger.overflow() <= 0


def test_reader_signs_in_and_comments_without_scripts(visit):
    one = visit(viewport=PHONE, java_script_enabled=False)
    one.page.goto(POST)
    one.page.click("#comments >> text=Sign in")
    one.page.fill("#email", "mia@example.com")
    one.page.fill("#password", "a long enough password")
    one.page.click("main button")
    assert one.page.url.endswith(POST)
    one.page.fill("#body", "Said without a script.")
    one.page.click("#say button")
    assert "once it is approved" in one.page.locator("[role=status]").inner_text()
    said = one.page.locator(".comment", has_text="Said without a script.").last
    assert "Waiting for approval" in said.inner_text()
    one.page.click("text=Sign out")
    assert one.page.locator(".account").count() == 0


def test_colors_follow_the_preference_or_the_device(visit):
    one = visit(color_scheme="light")
    page = one.page

    def paper():
        return page.evaluate("getComputedStyle(document.body).backgroundColor")

    page.goto("/search?q=tide")
    light = paper()
    page.click("footer >> text=Dark")
    assert page.url.endswith("/search?q=tide")
    dark = paper()
    assert dark != light
    page.click("footer >> text=Auto")
    assert paper() == light
    page.emulate_media(color_scheme="dark")
    assert paper() == dark
    page.click("footer >> text=Light")
    assert paper() == light


def test_keyboard_reaches_the_content_first(visit):
    one = visit()
    one.page.goto(POST)
    one.page.keyboard.press("Tab")
    assert one.page.locator(".skip").evaluate("e => e === document.activeElement")
    assert one.page.locator(".skip").bounding_box()["y"] >= 0
    one.page.keyboard.press("Enter")
    assert one.page.evaluate("document.activeElement.id") == "content"

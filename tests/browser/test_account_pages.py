"""The pages of one's own account: axe in light and dark, on a phone and a desktop; keys and devices."""

import pytest

from tests.browser.conftest import PHONE

pytestmark = pytest.mark.browser

PAGES = [
    "/dashboard", "/profile", "/profile/password", "/profile/email", "/profile/sessions",
    "/profile/keys", "/profile/delete",
]  # fmt: skip


def test_pages_are_accessible_and_fit(visit):
    visit("ann").look_at(PAGES)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_forms_with_errors_are_accessible(visit, scheme):
    one = visit("ann", viewport=PHONE, color_scheme=scheme)
    for path in ("/profile/password", "/profile/keys", "/profile/delete"):
        one.page.goto(path)
        one.page.evaluate(
            "document.querySelectorAll('[required]').forEach(e => e.required = false)"
        )
        one.page.click("main form.form button")
        assert one.page.locator("[role=alert]").is_visible()
        assert one.axe() == [] and one.overflow() <= 0, path


@pytest.mark.parametrize("script", [True, False])
def test_key_is_created_and_deleted(visit, script):
    page = visit("ann", viewport=PHONE, java_script_enabled=script).page
    page.goto("/profile/keys")
    page.fill("#name", "Phone")
    page.check("[value='posts:read']")
    page.click("text=Create API key")
    assert page.locator(".key").inner_text().startswith("qk_")
    page.click("[aria-label='Delete the API key Phone']")
    assert "The API key has been deleted" in page.locator("[role=status]").inner_text()


def test_other_device_is_signed_out(visit):
    here, there = visit("mia"), visit("mia")
    here.page.goto("/profile/sessions")
    here.page.click("text=Sign out all other devices")
    assert here.page.locator(".badge").count() == 1
    there.page.goto("/profile")
    assert "/auth/login" in there.page.url

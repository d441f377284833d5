"""The pages that emails link to, in a browser: axe in light and dark, on a phone, without scripts."""

import pytest

from quire.actor import SYSTEM
from quire.records import USERS
from quire.records.accounts.email_links import create_link
from quire.store import read
from quire.store.write import create
from tests.browser.conftest import DESK, PHONE

pytestmark = pytest.mark.browser


@pytest.fixture
def link(site):
    """`link("reset", "mia")`: the path of a link that was emailed to her."""

    def minted(purpose, name):
        address = f"{name}@example.com"
        with site.app.app_context():
            if purpose == "invite":
                return f"/auth/register?invite={create_link('invite', address, role='author')}"
            id = read.find_id(USERS, SYSTEM, username=name)
            page = "reset" if purpose == "reset" else "verify"
            return f"/auth/{page}/{create_link(purpose, address, id)}"

    return minted


def test_pages_are_accessible_and_fit(visit, link):
    one = visit()
    paths = [
        "/auth/login", "/auth/reset", "/auth/reset/used", "/auth/verify/used",
        "/auth/register?invite=used", link("reset", "mia"), link("verify", "mia"),
        link("email", "mia"), link("invite", "somebody.with.a.rather.long.name.indeed"),
    ]  # fmt: skip
    one.look_at(paths)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_refused_password_is_explained_beside_its_field(visit, link, scheme):
    one = visit(viewport=PHONE, color_scheme=scheme)
    one.page.goto(link("reset", "mia"))
    one.page.fill("#password", "short")
    one.page.fill("#confirm", "short")
    one.page.click("main button[type=submit]")
    assert "at least 8" in one.page.locator("#password-error").inner_text()
    assert one.axe() == [] and one.overflow() <= 0


def test_password_reset_without_scripts(visit, site, link):
    with site.app.app_context():
        if read.find_id(USERS, SYSTEM, username="noa") is None:
            raw = {"username": "noa", "email": "noa@example.com", "password": "forgotten by now"}
            create(USERS, SYSTEM, raw)
    one = visit(viewport=PHONE, java_script_enabled=False)
    one.page.goto("/auth/login")
    one.page.click("text=Forgot your password?")
    one.page.fill("#email", "noa@example.com")
    one.page.click("main button[type=submit]")
    assert "we have sent it an email" in one.page.locator("[role=status]").inner_text()
    one.page.goto(link("reset", "noa"))
    one.page.fill("#password", "remembered again")
    one.page.fill("#confirm", "remembered again")
    one.page.click("main button[type=submit]")
    one.page.fill("#email", "noa@example.com")
    one.page.fill("#password", "remembered again")
    one.page.click("main form[method=post] button[type=submit]")
    assert one.page.locator(".account strong").inner_text() == "noa"


def test_invitation(visit, link):
    one = visit(viewport=DESK)
    one.page.goto(link("invite", "ivy"))
    assert "ivy@example.com" in one.page.locator("main").inner_text()
    one.page.fill("#username", "ivy")
    one.page.fill("#password", "a good long one")
    one.page.fill("#confirm", "a good long one")
    one.page.click("main button[type=submit]")
    assert "Registration successful" in one.page.locator("[role=status]").inner_text()

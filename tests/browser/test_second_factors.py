"""Codes and passkeys as users have them: in Chromium, with its virtual authenticator."""

import pyotp
import pytest

from quire.actor import SYSTEM, Actor
from quire.auth import totp as auth_totp
from quire.declare.clock import now
from quire.records import USERS
from quire.records.accounts.second_factors import Passkey
from quire.store import read
from quire.store.db import transaction
from tests.browser.conftest import PASSWORD

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844}


@pytest.fixture
def localhost(site, monkeypatch):
    """The site by the name of this machine, since passkeys need a domain."""
    monkeypatch.setattr(site, "url", site.url.replace("127.0.0.1", "localhost"))


def account(site, name):
    """Return the id of a user."""
    with site.app.app_context():
        return read.find_id(USERS, SYSTEM, username=name)


@pytest.fixture(autouse=True)
def tidy(site):
    """Remove all second factors afterwards."""
    yield
    with site.app.app_context():
        for name in ("ada", "ann", "mia"):
            auth_totp.reset(SYSTEM, account(site, name))


def authenticator(one):
    """Add a virtual device with user verification to the browser of `one`."""
    session = one.context.new_cdp_session(one.page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True,
        "hasUserVerification": True, "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    id = session.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]
    return session, id


def give_password(one, name):
    one.page.goto("/auth/login")
    one.page.fill("#email", f"{name}@example.com")
    one.page.fill("#password", PASSWORD)
    one.page.click("main form >> button:text-is('Sign in')")


def looks_well(one):
    assert one.page.locator("h1").count() == 1
    assert one.axe() == [] and one.overflow() <= 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_two_factor_from_start_to_end(visit, scheme):
    one = visit("mia", viewport=PHONE, color_scheme=scheme)
    page = one.page
    page.goto("/profile/two-factor")
    looks_well(one)
    totp = pyotp.TOTP(page.locator("code.key").inner_text().replace(" ", ""))
    page.fill("#otp", "12")
    page.fill("#current_password", PASSWORD)
    page.click("main form button")
    assert page.locator("#otp-error").is_visible()
    looks_well(one)
    page.fill("#otp", totp.now())
    page.fill("#current_password", PASSWORD)
    page.click("main form button")
    codes = page.locator(".codes code").all_inner_texts()
    assert len(codes) == 10
    looks_well(one)
    page.click("text=I have saved my codes")
    assert "10 recovery codes" in page.locator("main").inner_text()
    looks_well(one)
    page.click("text=Sign out")
    give_password(one, "mia")
    assert page.url.endswith("/auth/two-factor")
    looks_well(one)
    page.fill("#otp", "nonsense")
    page.click("main form button")
    assert page.locator("#otp-error").is_visible()
    looks_well(one)
    page.fill("#otp", codes[0])
    page.click("main form button")
    assert "have 9 recovery codes left" in page.locator("[role=status]").inner_text()
    page.goto("/profile/two-factor")
    page.fill("#current_password", PASSWORD)
    page.click("text=Turn off")
    assert "Two-factor authentication is off" in page.locator("[role=status]").inner_text()


def test_two_factor_without_scripts(visit):
    one = visit("ann", viewport=PHONE, java_script_enabled=False)
    one.page.goto("/profile/two-factor")
    totp = pyotp.TOTP(one.page.locator("code.key").inner_text().replace(" ", ""))
    one.page.fill("#otp", totp.now())
    one.page.fill("#current_password", PASSWORD)
    one.page.click("main form button")
    code = one.page.locator(".codes code").first.inner_text()
    one.page.click("text=Sign out")
    give_password(one, "ann")
    one.page.fill("#otp", code)
    one.page.click("main form button")
    one.page.goto("/")
    assert one.page.locator(".account strong").inner_text() == "ann"
    one.page.goto("/profile/passkeys")
    assert not one.page.locator("form[data-passkey]").count()


def last_used_long_ago(site):
    """Clear the last use of all passkeys, since no user signs in twice within a second."""
    with site.app.app_context(), transaction() as connection:
        connection.execute(Passkey.__table__.update().values(last_used_at=None))


def add(one, name="Telephone"):
    one.page.goto("/profile/passkeys")
    one.page.fill("#name", name)
    one.page.fill("#current_password", PASSWORD)
    one.page.click("text=Add passkey")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_passkey_from_start_to_end(visit, site, localhost, scheme):
    one = visit("ada", viewport=PHONE, color_scheme=scheme)
    page = one.page
    session, device = authenticator(one)
    add(one)
    page.wait_for_selector("text=Passkey added")
    assert page.locator(".rows strong").all_inner_texts() == ["Telephone"]
    looks_well(one)
    page.click("text=Sign out")
    page.goto("/auth/login?next=/search")
    looks_well(one)
    page.check("#remember")
    page.click("text=Sign in with a passkey")
    page.wait_for_url("**/search")
    assert page.locator(".account strong").inner_text() == "ada"
    assert "quire_remember" in {one["name"] for one in one.context.cookies()}
    page.goto("/profile/passkeys")
    assert "last used" in page.locator(".rows").inner_text()
    page.click("text=Edit")
    looks_well(one)
    page.fill("#name", "Old telephone")
    page.click("text=Save name")
    assert page.locator(".rows strong").inner_text() == "Old telephone"
    page.click("text=Edit")
    page.fill("#current_password", PASSWORD)
    page.click("text=Remove passkey")
    assert "You can no longer sign in with it" in page.locator("[role=status]").inner_text()
    page.click("text=Sign out")
    page.goto("/auth/login")
    page.click("text=Sign in with a passkey")
    page.wait_for_selector("text=The passkey was not accepted")
    assert page.locator(".account").count() == 0
    assert (
        len(session.send("WebAuthn.getCredentials", {"authenticatorId": device})["credentials"])
        == 1
    )


def test_passkey_counts_as_both_factors(visit, site, localhost):
    one = visit("mia", viewport=PHONE)
    authenticator(one)
    add(one)
    one.page.wait_for_selector("text=Passkey added")
    with site.app.app_context():
        actor, seed = Actor("member", account(site, "mia"), "mia"), auth_totp.generate_secret()
        auth_totp.enable(actor, seed, pyotp.TOTP(seed).at(now()), now())
    one.page.click("text=Sign out")
    give_password(one, "mia")
    one.page.click("text=Sign in with a passkey")
    one.page.wait_for_url("**/")
    assert one.page.locator(".account strong").inner_text() == "mia"


def test_explanations_for_the_user(visit, site, localhost):
    one = visit("mia", viewport=PHONE)
    page = one.page
    session, device = authenticator(one)
    page.goto("/profile/passkeys")
    page.fill("#name", "Telephone")
    page.fill("#current_password", "wrong")
    page.click("text=Add passkey")
    page.wait_for_selector("text=Current password is wrong.")
    looks_well(one)
    add(one)
    page.wait_for_selector("text=Passkey added")
    add(one, "Once more")
    page.wait_for_selector("text=This device already has a passkey for your account.")
    assert page.locator(".rows strong").all_inner_texts() == ["Telephone"]
    session.send("WebAuthn.setUserVerified", {"authenticatorId": device, "isUserVerified": False})
    page.click("text=Sign out")
    page.goto("/auth/login")
    page.click("text=Sign in with a passkey")
    page.wait_for_selector("text=No passkey was used.")
    looks_well(one)


def test_response_is_valid_once(visit, site, localhost):
    one = visit("mia", viewport=PHONE)
    authenticator(one)
    add(one)
    one.page.wait_for_selector("text=Passkey added")
    one.page.click("text=Sign out")
    sent = []
    one.page.on("request", lambda r: sent.append(r) if r.url.endswith("/auth/passkey") else None)
    one.page.goto("/auth/login")
    one.page.click("text=Sign in with a passkey")
    one.page.wait_for_url("**/")
    assert one.page.locator(".account").count() == 1
    body, cookie = sent[0].post_data, sent[0].all_headers()["cookie"]
    with site.app.app_context(), transaction() as connection:  # like a passkey without a counter
        connection.execute(Passkey.__table__.update().values(sign_count=0))
    headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
    client = site.app.test_client(use_cookies=False)
    again = client.post("/auth/passkey", base_url=site.url, data=body, headers=headers)
    assert again.location == "/auth/login"
    last_used_long_ago(site)
    again = client.post("/auth/passkey", base_url=site.url, data=body, headers=headers)
    assert again.location == "/"


def test_numeric_address_offers_no_passkeys(visit, site):
    one = visit("mia", viewport=PHONE)
    one.page.goto("/profile/passkeys")
    looks_well(one)
    link = one.page.locator("text=this page at localhost").get_attribute("href")
    assert link == site.url.replace("127.0.0.1", "localhost") + "/profile/passkeys"

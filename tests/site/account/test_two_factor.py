"""The pages of second factors: the second step of signing in, enrolling, recovery codes, passkeys."""

import time
from datetime import timedelta

import pyotp
import pytest
from sqlalchemy import select

from quire.actor import SYSTEM
from quire.auth import passkeys, pending_login, recovery_codes
from quire.auth import totp as auth_totp
from quire.declare.clock import now
from quire.records import AUDIT_EVENTS, USERS
from quire.store.db import read_connection
from quire.store.write import update
from tests.site.conftest import known_as, sign_in, soup, token_of
from tests.users import PASSWORD, browser_of, give_session

STEP = timedelta(seconds=30)
LOCAL = "http://localhost"


def sent(name="ann", **more):
    return {"email": f"{name}@example.org", "password": PASSWORD, **more}


def last_event(app):
    table = AUDIT_EVENTS.table.c
    with app.app_context(), read_connection() as connection:
        users = select(table.action, table.fields).where(table.type == "users")
        newest = users.order_by(table.id.desc())
        return tuple(connection.execute(newest).first())


def enrol(app, account):
    """Set up an app a minute ago; return the app and the recovery codes."""
    before = now() - 2 * STEP
    with app.app_context():
        totp = pyotp.TOTP(auth_totp.generate_secret())
        return totp, auth_totp.enable(
            account.actor("session"), totp.secret, totp.at(before), before
        )


@pytest.fixture
def enrolled(app, people):
    """Ann's app and her recovery codes."""
    return enrol(app, people["ann"])


@pytest.fixture
def half(client, enrolled):
    """A browser in which Ann has entered her password."""
    response = client.post("/auth/login", query_string={"next": "/search"}, data=sent())
    assert (response.status_code, response.location) == (302, "/auth/two-factor?next=/search")
    return client


@pytest.fixture
def ann(app, people):
    """A browser in which Ann is signed in."""
    return browser_of(app, people["ann"])


class TestSecondStep:
    """The second step, after the password."""

    def test_code_signs_in(self, app, half, enrolled):
        page = soup(half.get("/auth/two-factor?next=/search"))
        assert page.find(id="otp")["autocomplete"] == "one-time-code"
        data = {"otp": enrolled[0].now()}
        response = half.post("/auth/two-factor?next=/search", data=data)
        assert (response.status_code, response.location) == (302, "/search")
        assert known_as(half) == "ann"
        assert last_event(app) == ("sign_in", ["password", "totp"])

    def test_pending_sign_in_grants_no_access(self, half):
        assert known_as(half) is None
        assert half.get("users/me").status_code == 401
        for path in ("/admin/", "/profile", "/profile/two-factor", "/dashboard"):
            assert half.get(path).location.startswith("/auth/login")

    def test_recovery_code_signs_in_once(self, app, half, enrolled):
        response = half.post("/auth/two-factor", data={"otp": enrolled[1][3]})
        assert (response.status_code, response.location) == (302, "/admin/")
        assert last_event(app) == ("sign_in", ["password", "recovery_code"])
        assert "have 9 recovery codes left" in soup(half.get("/")).find(role="status").text
        other = app.test_client()
        other.post("/auth/login", data=sent())
        assert other.post("/auth/two-factor", data={"otp": enrolled[1][3]}).status_code == 401

    @pytest.mark.parametrize("otp", ["", "000000x", "é", "\x00", "1" * 4000])
    def test_wrong_code_is_refused(self, app, half, otp):
        response = half.post("/auth/two-factor?next=/search", data={"otp": otp})
        assert response.status_code == 401 and response.headers["WWW-Authenticate"]
        field = soup(response).find(id="otp")
        assert field["aria-invalid"] == "true"
        assert "is wrong" in soup(response).find(id="otp-error").text
        assert known_as(half) is None
        assert last_event(app) == ("second_factor_failed", [])

    def test_remember_me_is_kept(self, app, client, enrolled):
        client.post("/auth/login", data=sent(remember="y"))
        client.post("/auth/two-factor", data={"otp": enrolled[0].now()})
        client.delete_cookie(app.config["SESSION_COOKIE_NAME"])
        assert known_as(client) == "ann"

    def test_pending_sign_in_expires_after_minutes(self, half, enrolled):
        with half.session_transaction() as cookie:
            cookie[pending_login.NAME] = [*cookie[pending_login.NAME][:3], int(time.time()) - 1]
        assert half.get("/auth/two-factor?next=/x").location == "/auth/login?next=/x"
        data = {"otp": enrolled[0].now()}
        assert half.post("/auth/two-factor", data=data).location == "/auth/login"
        assert "took too long" in soup(half.get("/auth/login")).find(role="status").text

    def test_pending_sign_in_ends_with_the_password(self, app, half, people, enrolled):
        with app.app_context():
            update(USERS, SYSTEM, people["ann"].id, {"password": "another one 8"})
        data = {"otp": enrolled[0].now()}
        assert half.post("/auth/two-factor", data=data).location == "/auth/login"
        assert known_as(half) is None

    def test_pending_sign_in_ends_with_the_account(self, app, half, people, enrolled):
        with app.app_context():
            update(USERS, SYSTEM, people["ann"].id, {"is_active": False})
        data = {"otp": enrolled[0].now()}
        assert half.post("/auth/two-factor", data=data).location == "/auth/login"

    def test_second_step_without_a_first_one(self, client, people):
        assert client.get("/auth/two-factor").location == "/auth/login"
        assert client.post("/auth/two-factor", data={"otp": "1"}).location == "/auth/login"

    def test_second_step_never_leads_to_other_sites(self, half, enrolled):
        data = {"otp": enrolled[0].now()}
        response = half.post("/auth/two-factor", query_string={"next": "//e"}, data=data)
        assert response.location == "/admin/"

    def test_earlier_session_data_is_dropped(self, app, client, people, enrolled):
        give_session(app, client, people["bob"])
        client.post("/auth/login", data=sent())
        assert known_as(client) is None

    def test_second_step_needs_a_csrf_token(self, guarded, people):
        totp, _ = enrol(guarded, people["ann"])
        client = guarded.test_client()
        client.post("/auth/login", data=sent() | token_of(client, "/auth/login"))
        data = {"otp": totp.now()}
        assert client.post("/auth/two-factor", data=data).status_code == 403
        token = token_of(client, "/auth/two-factor")
        assert client.post("/auth/two-factor", data=data | token).status_code == 302
        assert known_as(client) == "ann"


def enrolment(client):
    """Return an app with the secret on a page, and the field that sends the secret back."""
    page = soup(client.get("/profile/two-factor"))
    return pyotp.TOTP(page.find("code").text.replace(" ", "")), page.find(id="seed")["value"]


class TestEnrolling:
    """Enabling and disabling two-factor authentication."""

    def test_two_factor_is_enabled(self, app, ann, people):
        page = soup(ann.get("/profile/two-factor"))
        assert page.find("img", class_="qr")["src"].startswith("data:image/svg+xml")
        totp, seed = enrolment(ann)
        assert totp.secret not in seed
        data = {"seed": seed, "otp": totp.now(), "current_password": PASSWORD}
        response = ann.post("/profile/two-factor", data=data)
        codes = [one.text for one in soup(response).select(".codes code")]
        assert response.status_code == 200 and len(codes) == 10
        assert "no-store" in response.headers["Cache-Control"]
        assert not any(one in ann.get("/profile/two-factor").text for one in codes)
        assert "10 recovery codes" in ann.get("/profile/two-factor").text
        other = sign_in(app, "ann")
        assert known_as(other) is None
        assert other.post("/auth/two-factor", data={"otp": codes[0]}).status_code == 302

    @pytest.mark.parametrize(
        ("wrong", "field"),
        [({"otp": "000"}, "otp"), ({"otp": ""}, "otp"), ({"current_password": "x"}, "current_password"),
         ({"current_password": ""}, "current_password")],
    )  # fmt: skip
    def test_errors_are_shown_beside_their_fields(self, app, ann, people, wrong, field):
        totp, seed = enrolment(ann)
        data = {"seed": seed, "otp": totp.now(), "current_password": PASSWORD} | wrong
        response = ann.post("/profile/two-factor", data=data)
        assert response.status_code == 422
        page = soup(response)
        assert page.find(id=f"{field}-error").text
        assert page.find("code").text.replace(" ", "") == totp.secret
        with app.app_context():
            assert not auth_totp.is_enabled(people["ann"].id)

    @pytest.mark.parametrize("seed", ["", "x", None])
    def test_foreign_secret_is_refused(self, app, ann, people, seed):
        if seed is None:  # one that was issued to Bob
            bob = app.test_client()
            give_session(app, bob, people["bob"])
            seed = enrolment(bob)[1]
        data = {"seed": seed, "otp": "123456", "current_password": PASSWORD}
        response = ann.post("/profile/two-factor", data=data)
        assert response.status_code == 422
        assert "Scan the new one" in soup(response).find(role="alert").text

    def test_recovery_codes_are_regenerated(self, app, ann, people, enrolled):
        path = "/profile/two-factor/codes"
        assert ann.post(path, data={"current_password": "x"}).status_code == 422
        response = ann.post(path, data={"current_password": PASSWORD})
        codes = [one.text for one in soup(response).select(".codes code")]
        assert len(codes) == 10 and not set(codes) & set(enrolled[1])
        with app.app_context():
            assert recovery_codes.count_unused(people["ann"].id) == 10

    def test_two_factor_is_disabled(self, app, ann, people, enrolled):
        path = "/profile/two-factor/off"
        assert ann.post(path, data={"current_password": "x"}).status_code == 422
        assert ann.post(path, data={"current_password": PASSWORD}).status_code == 302
        assert known_as(ann) == "ann" and known_as(sign_in(app, "ann")) == "ann"
        codes = "/profile/two-factor/codes"
        assert ann.post(codes, data={"current_password": PASSWORD}).status_code == 409

    def test_two_factor_cannot_be_enabled_twice(self, app, ann, enrolled):
        page = soup(ann.get("/profile/two-factor"))
        assert page.find(id="otp") is None and page.find(id="current_password")

    def test_anonymous_users_sign_in_first(self, client):
        for path in ("/profile/two-factor", "/profile/passkeys", "/profile/passkeys/1"):
            assert client.get(path).location.startswith("/auth/login?next=")


def test_administrators_are_led_to_their_second_factor(make_app, people):
    app = make_app(REQUIRE_ADMIN_TWO_FACTOR=True)
    client = app.test_client()
    assert client.post("/auth/login", data=sent("root")).location == "/profile/two-factor"
    assert "until you set it up" in client.get("/profile/two-factor").text.lower()
    totp, seed = enrolment(client)
    data = {"seed": seed, "otp": totp.now(), "current_password": PASSWORD}
    assert client.post("/profile/two-factor", data=data).status_code == 200
    assert client.get("/admin/").status_code == 200


class TestPasskeyPages:
    """Responses to pages and scripts; tests in a browser cover the devices."""

    @pytest.fixture
    def key(self, app, people):
        """The id of Ann's passkey."""
        with app.app_context():
            actor = people["ann"].actor("session")
            passkeys.store_passkey(actor, "Telephone", "abc", b"x", 0)
            return passkeys.list_passkeys(actor)[0]["id"]

    def test_button_is_shown_where_passkeys_work(self, client):
        named = soup(client.get("/auth/login", base_url=LOCAL))
        assert named.find("form", {"data-passkey": "get"}).has_attr("hidden")
        assert "passkeys.js" in named.find("script")["src"]
        numbered = soup(client.get("/auth/login", base_url="http://127.0.0.1"))
        assert numbered.find("form", {"data-passkey": "get"}) is None

    def test_passkeys_are_listed(self, ann, key):
        page = soup(ann.get("/profile/passkeys", base_url=LOCAL))
        assert "Telephone" in page.find("ul", class_="rows").text
        assert page.find("form", {"data-passkey": "create"})

    def test_passkeys_are_renamed_and_removed(self, ann, key):
        path = f"/profile/passkeys/{key}"
        assert soup(ann.get(path)).find(id="name")["value"] == "Telephone"
        assert ann.post(path, data={"name": "Key"}).location == "/profile/passkeys"
        assert ann.post(f"{path}/remove", data={"current_password": "x"}).status_code == 422
        response = ann.post(f"{path}/remove", data={"current_password": PASSWORD})
        assert response.location == "/profile/passkeys"
        assert ann.get(path).status_code == 404
        assert ann.post(path, data={"name": "Key"}).status_code == 404

    def test_passkeys_of_others_are_404(self, app, people, key):
        bob = app.test_client()
        give_session(app, bob, people["bob"])
        path = f"/profile/passkeys/{key}"
        assert bob.get(path).status_code == 404
        assert bob.post(path, data={"name": "x"}).status_code == 404
        data = {"current_password": PASSWORD}
        assert bob.post(f"{path}/remove", data=data).status_code == 404

    def test_passkey_creation_needs_the_password(self, ann):
        path, headers = "/profile/passkeys/options", {"Accept": "application/json"}
        data = {"current_password": "x"}
        refused = ann.post(path, data=data, headers=headers, base_url=LOCAL)
        assert (
            refused.status_code == 422 and refused.json["message"] == "Current password is wrong."
        )
        data = {"current_password": PASSWORD}
        options = ann.post(path, data=data, headers=headers, base_url=LOCAL).json
        assert options["rp"]["id"] == "localhost" and options["user"]["name"] == "ann"
        chosen = options["authenticatorSelection"]
        assert chosen["userVerification"] == chosen["residentKey"] == "required"

    def test_invalid_responses_are_refused(self, app, client, people):
        options = client.post("/auth/passkey/options", base_url=LOCAL).json
        assert options["userVerification"] == "required" and options["rpId"] == "localhost"
        data = {"credential": '{"id": "abc"}'}
        response = client.post("/auth/passkey?next=/search", data=data, base_url=LOCAL)
        assert response.location == "/auth/login?next=/search"
        assert "not accepted" in soup(client.get("/auth/login")).find(role="status").text
        assert last_event(app) == ("sign_in_failed", ["passkey"])

    def test_addresses_where_passkeys_do_not_work(self, client):
        numbered = {"base_url": "http://127.0.0.1"}
        answer = client.post(
            "/auth/passkey/options", headers={"Accept": "application/json"}, **numbered
        )
        assert answer.status_code == 409
        assert (
            client.post("/auth/passkey", data={"credential": "{}"}, **numbered).status_code == 409
        )

    def test_scripts_need_a_csrf_token(self, guarded):
        client = guarded.test_client()
        for path in ("/auth/passkey", "/auth/passkey/options"):
            assert client.post(path, base_url=LOCAL).status_code == 403

"""Codes of an app, recovery codes, and the requirements for administrators."""

import threading
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from sqlalchemy import select

from quire.actor import SYSTEM
from quire.auth import passkeys, recovery_codes, webauthn
from quire.auth import totp as auth_totp
from quire.errors import Conflict, NotFound, ValidationFailed
from quire.records import AUDIT_EVENTS, USERS
from quire.records.accounts.second_factors import Passkey, RecoveryCode, TotpDevice
from quire.security.encryption import seal, unseal
from quire.store.db import read_connection, transaction
from quire.store.write import delete
from tests.api.test_access_order import code
from tests.users import PASSWORD, give_session

NOON = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
STEP = timedelta(seconds=30)


def later(steps):
    """Return the time `steps` of 30 seconds after noon."""
    return NOON + steps * STEP


def audited(app):
    """Return the recorded events of second factors and sign-ins: (action, fields), newest last."""
    table = AUDIT_EVENTS.table.c
    with app.app_context(), read_connection() as connection:
        rows = connection.execute(select(table.action, table.fields).order_by(table.id)).all()
    return [(action, fields) for action, fields in rows if action not in ("create", "update")]


def rows(app, model):
    """Return all rows of a table that is not a record type."""
    with app.app_context(), read_connection() as connection:
        return connection.execute(select(model.__table__)).all()


@pytest.fixture
def ann(app, people):
    """Ann as an actor, in an application context."""
    with app.app_context():
        yield people["ann"].actor("session")


@pytest.fixture
def enrolled(ann):
    """Ann's app, set up at noon, and her recovery codes."""
    seed = auth_totp.generate_secret()
    app = pyotp.TOTP(seed)
    return app, auth_totp.enable(ann, seed, app.at(NOON), NOON)


def test_secrets_are_encrypted(app, make_app):
    with app.app_context():
        sealed = seal("a secret", "ann")
        assert "a secret" not in sealed and sealed != seal("a secret", "ann")
        assert unseal(sealed, "ann") == "a secret"
        assert unseal(sealed, "bob") is None
        for broken in ("", "x", "é", "AAAA", sealed[:-4], sealed[4:], sealed.swapcase()):
            assert unseal(broken, "ann") is None
    with make_app(SECRET_KEY="another secret of some length 123456789").app_context():
        assert unseal(sealed, "ann") is None


def test_seeds_and_recovery_codes_are_not_readable_in_the_database(app, enrolled):
    totp, codes = enrolled
    assert totp.secret not in rows(app, TotpDevice)[0].secret
    kept = str(rows(app, RecoveryCode))
    assert not [one for one in codes if one in kept or one.replace("-", "") in kept]
    assert len(set(codes)) == 10
    assert all(len(one) == 19 and one.count("-") == 3 for one in codes)


def test_code_is_valid_once(ann, enrolled):
    totp, _ = enrolled
    assert auth_totp.verify(ann.user_id, totp.at(NOON), NOON) is None
    assert auth_totp.verify(ann.user_id, totp.at(later(1)), later(1)) == "totp"
    assert auth_totp.verify(ann.user_id, totp.at(later(1)), later(1)) is None
    assert auth_totp.verify(ann.user_id, totp.at(NOON), later(1)) is None


@pytest.mark.parametrize(
    ("off", "proof"), [(-2, None), (-1, "totp"), (0, "totp"), (1, "totp"), (2, None)]
)
def test_clock_may_be_off_by_one_step(ann, enrolled, off, proof):
    totp, _ = enrolled
    assert auth_totp.verify(ann.user_id, totp.at(later(10 + off)), later(10)) == proof


def test_older_code_is_refused_after_a_newer_one(ann, enrolled):
    totp, _ = enrolled
    assert auth_totp.verify(ann.user_id, totp.at(later(6)), later(5)) == "totp"
    assert auth_totp.verify(ann.user_id, totp.at(later(5)), later(5)) is None


def test_codes_may_contain_spaces(ann, enrolled):
    totp, codes = enrolled
    shown = totp.at(later(2))
    assert auth_totp.verify(ann.user_id, f" {shown[:3]} {shown[3:]}\n", later(2)) == "totp"
    typed = codes[0].upper().replace("-", " ")
    assert auth_totp.verify(ann.user_id, typed, later(2)) == "recovery_code"


def test_another_spelling_of_a_used_code_is_refused(ann, enrolled):
    totp, codes = enrolled
    shown = totp.at(later(2))
    wide = shown.translate({ord("0") + n: 0xFF10 + n for n in range(10)})
    assert auth_totp.verify(ann.user_id, shown, later(2)) == "totp"
    assert auth_totp.verify(ann.user_id, codes[0], later(2)) == "recovery_code"
    spellings = [shown, f" {shown} ", wide, codes[0], codes[0].upper(), codes[0].replace("-", "")]
    assert [auth_totp.verify(ann.user_id, one, later(2)) for one in spellings] == [None] * 6


@pytest.mark.parametrize(
    "text", ["", "000", "abcdef", "é" * 6, "\x00" * 6, "1" * 5000, "٣" * 6, "-"]
)
def test_malformed_codes_are_refused(ann, enrolled, text):
    assert auth_totp.verify(ann.user_id, text, NOON) is None


def test_recovery_code_is_valid_once_for_its_owner(ann, enrolled, people):
    _, codes = enrolled
    assert auth_totp.verify(people["abe"].id, codes[0], NOON) is None
    assert auth_totp.verify(ann.user_id, codes[0], NOON) == "recovery_code"
    assert auth_totp.verify(ann.user_id, codes[0], NOON) is None
    assert recovery_codes.count_unused(ann.user_id) == 9


def test_new_recovery_codes_replace_the_old_ones(ann, enrolled):
    _, codes = enrolled
    fresh = auth_totp.renew_codes(ann)
    assert not set(fresh) & set(codes) and recovery_codes.count_unused(ann.user_id) == 10
    assert auth_totp.verify(ann.user_id, codes[0], NOON) is None
    assert auth_totp.verify(ann.user_id, fresh[0], NOON) == "recovery_code"


def test_one_of_twenty_simultaneous_codes_succeeds(app, ann, enrolled):
    totp, codes = enrolled
    found = []

    def attempt(text):
        with app.app_context():
            found.append(auth_totp.verify(ann.user_id, text, later(3)))

    for text in (totp.at(later(3)), codes[0]):
        threads = [threading.Thread(target=attempt, args=(text,)) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(filter(None, found)) == ["recovery_code", "totp"] and len(found) == 40


def test_enabling_needs_a_code_from_the_app(ann):
    seed = auth_totp.generate_secret()
    with pytest.raises(ValidationFailed) as wrong:
        auth_totp.enable(ann, seed, pyotp.TOTP(pyotp.random_base32()).at(NOON), NOON)
    assert wrong.value.details[0]["field"] == "otp"
    assert not auth_totp.is_enabled(ann.user_id)
    auth_totp.enable(ann, seed, pyotp.TOTP(seed).at(NOON), NOON)
    with pytest.raises(Conflict):
        auth_totp.enable(ann, seed, pyotp.TOTP(seed).at(NOON), NOON)


def test_two_factor_is_disabled(app, ann, enrolled, people):
    totp, codes = enrolled
    auth_totp.disable(ann)
    assert not auth_totp.is_enabled(ann.user_id) and recovery_codes.count_unused(ann.user_id) == 0
    assert auth_totp.verify(ann.user_id, totp.at(later(1)), later(1)) is None
    assert auth_totp.verify(ann.user_id, codes[0], NOON) is None
    with pytest.raises(Conflict):
        auth_totp.renew_codes(ann)
    actions = [action for action, _ in audited(app)]
    assert actions == ["two_factor_on", "two_factor_off"]


def test_another_secret_key_leaves_the_recovery_codes(app, ann, enrolled, monkeypatch):
    totp, codes = enrolled
    monkeypatch.setitem(app.config, "SECRET_KEY", "another secret of some length 123456789")
    assert auth_totp.verify(ann.user_id, totp.at(later(1)), later(1)) is None
    assert auth_totp.verify(ann.user_id, codes[0], later(1)) == "recovery_code"


def test_provisioning_uri():
    address = auth_totp.provisioning_uri("ABCD" * 8, "ann", "Harbour: Notes & more")
    assert address.startswith("otpauth://totp/Harbour%3A%20Notes%20%26%20more:ann?secret=ABCD")


def test_deleted_account_takes_everything_along(app, ann, enrolled, people):
    delete(USERS, SYSTEM, ann.user_id)
    assert rows(app, TotpDevice) == [] and rows(app, RecoveryCode) == []


class TestTokens:
    """Signing in through the API."""

    @pytest.fixture
    def sign_in(self, client, people):
        """`sign_in(otp=...)`: the response of the API to Ann's correct password."""

        def made(name="ann", password=PASSWORD, **more):
            sent = {"email": f"{name}@example.org", "password": password, **more}
            return client.post("auth/token", json=sent)

        return made

    def test_missing_code_is_reported(self, sign_in, enrolled):
        for more in ({}, {"otp": None}, {"otp": ""}):
            answer = sign_in(**more)
            assert code(answer) == (401, "unauthorized")
            assert answer.json["details"][0]["field"] == "otp"
            assert answer.json["details"][0]["code"] == "required"
            assert answer.headers["WWW-Authenticate"]

    def test_password_is_checked_first(self, sign_in, enrolled):
        answer = sign_in(password="wrong", otp="123456")
        assert code(answer) == (401, "invalid_credentials") and answer.json["details"] == []

    def test_wrong_code_is_refused(self, app, sign_in, enrolled):
        answer = sign_in(otp="abcdef")
        assert code(answer) == (401, "invalid_credentials")
        assert answer.json["details"][0]["field"] == "otp"
        assert audited(app)[-1] == ("second_factor_failed", [])

    def test_right_code_is_accepted(self, app, sign_in, enrolled):
        assert sign_in(otp=enrolled[0].now()).status_code == 200
        assert audited(app)[-1] == ("sign_in", ["password", "totp"])
        assert sign_in(otp=enrolled[1][0]).status_code == 200
        assert audited(app)[-1] == ("sign_in", ["password", "recovery_code"])

    def test_code_without_a_second_factor_is_ignored(self, app, sign_in, people):
        assert sign_in("bob", otp="123456").status_code == 200
        assert audited(app)[-1] == ("sign_in", ["password"])

    def test_many_codes_are_slowed_down(self, make_app, people):
        app = make_app(RATELIMIT_ENABLED=True)
        with app.app_context():
            seed = auth_totp.generate_secret()
            auth_totp.enable(people["ann"].actor("x"), seed, pyotp.TOTP(seed).at(NOON), NOON)
        client = app.test_client()
        sent = {"email": "ann@example.org", "password": PASSWORD, "otp": "abcdef"}
        answers = [client.post("auth/token", json=sent) for _ in range(10)]
        assert answers[0].status_code == 401 and answers[-1].status_code == 429
        assert int(answers[-1].headers["Retry-After"]) >= 1


class TestAdministrators:
    """Administrators who need a second factor."""

    @pytest.fixture
    def strict(self, make_app, people):
        return make_app(REQUIRE_ADMIN_TWO_FACTOR=True)

    def browser(self, app, account):
        client = app.test_client()
        give_session(app, client, account)
        return client

    def test_administrators_without_a_required_factor_are_members(self, strict, people):
        client = self.browser(strict, people["root"])
        assert code(client.get("audit_events")) == (403, "forbidden")
        assert client.get("/admin/").location == "/profile/two-factor"
        assert (
            "Administrators of this site must use two-factor authentication"
            in client.get("/profile/two-factor").text
        )
        assert client.get("users/me").json["role"] == "admin"

    @pytest.mark.parametrize("factor", ["totp", "passkey"])
    def test_administrators_with_one_keep_their_role(self, strict, people, factor):
        client = self.browser(strict, people["root"])
        with strict.app_context():
            root = people["root"].actor("session")
            if factor == "totp":
                seed = auth_totp.generate_secret()
                auth_totp.enable(root, seed, pyotp.TOTP(seed).at(NOON), NOON)
            else:
                passkeys.store_passkey(root, "Telephone", "abc", b"x", 0)
        assert client.get("audit_events").status_code == 200
        assert client.get("/admin/").status_code == 200

    def test_other_roles_need_none(self, strict, people):
        assert self.browser(strict, people["mod"]).get("/admin/").status_code == 200
        assert self.browser(strict, people["bob"]).get("/admin/").status_code == 403

    def test_requirement_applies_to_keys_and_tokens(self, strict, make_app, people, as_):
        made = as_("root").post("api_keys", json={"name": "k", "scopes": ["audit_events:read"]})
        assert as_("root").get("audit_events").status_code == 200
        client = strict.test_client()
        key = {"X-API-Key": made.json["key"]}
        assert code(client.get("audit_events", headers=key)) == (403, "forbidden")
        sent = {"email": "root@example.org", "password": PASSWORD}
        token = client.post("auth/token", json=sent).json["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        assert code(client.get("audit_events", headers=headers)) == (403, "forbidden")

    def test_passkey_does_not_make_the_password_sufficient(self, strict, people):
        with strict.app_context():
            passkeys.store_passkey(people["root"].actor("session"), "Telephone", "abc", b"x", 0)
        client = strict.test_client()
        sent = {"email": "root@example.org", "password": PASSWORD}
        answer = client.post("auth/token", json=sent)
        assert code(answer) == (401, "unauthorized")
        assert code(client.post("auth/token", json={**sent, "otp": "123456"})) == (
            401, "invalid_credentials",
        )  # fmt: skip


class TestPasskeys:
    """Stored passkeys, and the validity of their challenges."""

    def test_passkeys_have_names(self, app, ann):
        passkeys.store_passkey(ann, "  Tele\x00phone\n ", "abc", b"x", 0)
        key = passkeys.list_passkeys(ann)[0]
        assert key["name"] == "Telephone" and key["last_used_at"] is None
        passkeys.rename(ann, key["id"], "é" * 300)
        assert passkeys.get_passkey(ann, key["id"])["name"] == "é" * 100
        passkeys.rename(ann, key["id"], " ")
        assert passkeys.get_passkey(ann, key["id"])["name"] == "Passkey"

    def test_passkeys_belong_to_their_user(self, ann, people):
        passkeys.store_passkey(ann, "Telephone", "abc", b"x", 0)
        id, abe = passkeys.list_passkeys(ann)[0]["id"], people["abe"].actor("session")
        for attempt in (
            lambda: passkeys.get_passkey(abe, id), lambda: passkeys.remove(abe, id),
            lambda: passkeys.rename(abe, id, "Mine"),
        ):  # fmt: skip
            with pytest.raises(NotFound):
                attempt()
        with pytest.raises(ValidationFailed):
            passkeys.store_passkey(abe, "Mine", "abc", b"y", 0)

    def test_challenge_is_valid_once(self, ann):
        passkeys.store_passkey(ann, "Telephone", "abc", b"x", 0)
        id = passkeys.list_passkeys(ann)[0]["id"]
        present = datetime.now(UTC)
        assert passkeys.record_use(id, 0, present)
        assert not passkeys.record_use(id, 0, present - timedelta(seconds=1))
        assert passkeys.record_use(id, 0, present + timedelta(hours=1))

    @pytest.mark.parametrize(
        ("public_url", "opened", "rp_id", "by_name"),
        [
            ("https://example.org", "http://127.0.0.1/", "example.org", None),
            ("https://example.org", "https://example.org/x", "example.org", None),
            ("https://192.0.2.7", "https://192.0.2.7/", None, None),
            ("", "http://localhost:8000/x?a=b", "localhost", None),
            ("", "http://127.0.0.1:8000/x?a=b", None, "http://localhost:8000/x?a=b"),
            ("", "http://[::1]/", None, "http://localhost/"),
        ],
    )
    def test_relying_party_by_address(self, make_app, public_url, opened, rp_id, by_name):
        app = make_app(PUBLIC_URL=public_url)
        with app.test_request_context(opened):
            found = webauthn.relying_party()
            assert (found and found.rp_id) == rp_id
            assert webauthn.localhost_url() == by_name

    @pytest.mark.parametrize(
        "answer",
        ["", "{}", "[]", "nonsense", '{"id": 7}', '{"id": "a\\u0000"}', '{"id": "abc"}',
         '{"id": "abc", "response": []}', '{"id": "abc", "response": {"userHandle": 7}}'],
    )  # fmt: skip
    def test_invalid_responses_are_refused(self, app, ann, answer):
        passkeys.store_passkey(ann, "Telephone", "abc", b"x", 0)
        with app.test_request_context("/", base_url="http://localhost"):
            webauthn.authentication_options()
            assert webauthn.authenticate(answer) is None
            webauthn.registration_options(ann, "Site")
            with pytest.raises(ValidationFailed):
                webauthn.register(ann, "Telephone", answer)

    def test_number_of_passkeys_is_limited(self, app, ann):
        for number in range(passkeys.MAX_PASSKEYS):
            passkeys.store_passkey(ann, "Telephone", f"abc{number}", b"x", 0)
        with app.test_request_context("/", base_url="http://localhost"), pytest.raises(Conflict):
            webauthn.registration_options(ann, "Site")


def test_reset_removes_everything(app, ann, enrolled, people):
    passkeys.store_passkey(ann, "Telephone", "abc", b"x", 0)
    with transaction():
        auth_totp.reset(SYSTEM, ann.user_id)
    assert [rows(app, model) for model in (TotpDevice, RecoveryCode, Passkey)] == [[], [], []]
    assert audited(app)[-1] == ("two_factor_reset", [])

"""The pages that emails link to: a new password, a verified address, invitations; and registering."""

import re

import pytest
from sqlalchemy import select

from quire.actor import SYSTEM
from quire.auth import registration
from quire.records import SETTINGS, USERS
from quire.records.accounts.email_links import create_link
from quire.store import read
from quire.store.db import db, read_connection
from quire.store.write import delete, update
from tests.mail_servers import link_in, owed, sent, text_of
from tests.site.conftest import known_as, soup
from tests.users import PASSWORD, give_session

NEW = "another good one"
TOKENS = [
    "x",
    "%00",
    "é",
    "a" * 300,
    "..",
    "%2e%2e",
    "%f0%9f%92%a9",
    "[]",
    "%5B%22a%22%5D",
    "{}",
    "%ff",
]
UNEQUAL = {"X-Request-Id", "Set-Cookie", "Content-Security-Policy"}
"""Headers that differ between any two answers."""
ACCOUNT = {
    "username": "newcomer", "email": "New@Example.org", "password": PASSWORD, "confirm": PASSWORD,
}  # fmt: skip


@pytest.fixture
def mailing(make_app, tmp_path):
    """An application whose mail is stored in a folder of the test."""
    return make_app(QUIRE_INSTANCE=tmp_path, PUBLIC_URL="https://example.org")


@pytest.fixture
def strict(make_app, tmp_path):
    """An application that requires verified addresses for signing in."""
    return make_app(QUIRE_INSTANCE=tmp_path, REQUIRE_EMAIL_VERIFICATION=True)


def tells(client, path="/auth/login"):
    return soup(client.get(path)).find(role="status").text.strip()


def signs_in(app, email, password):
    sent = {"email": email, "password": password}
    return app.test_client().post("/auth/login", data=sent).status_code == 302


def reset_link(app, name="ann"):
    app.test_client().post("/auth/reset", data={"email": f"{name}@example.org"})
    return link_in(sent(app)[-1])


def verified(app, **values):
    with app.app_context():
        return read.get_record(USERS, SYSTEM, read.find_id(USERS, SYSTEM, **values))[
            "email_verified_at"
        ]


def test_reset_from_request_to_new_password(mailing, people):
    client = mailing.test_client()
    link = soup(client.get("/auth/login")).find("a", string="Forgot your password?")
    assert soup(client.get(link["href"])).h1.text == "Reset your password"
    answer = client.post("/auth/reset", data={"email": " ANN@example.org "})
    assert (answer.status_code, answer.location) == (302, "/auth/login")
    assert (
        tells(client) == "If there is an account with this email address, we have sent it an email."
    )
    [letter] = sent(mailing)
    assert letter["To"] == "ann@example.org" and "https://example.org/auth/reset/" in text_of(
        letter
    )
    page = soup(client.get(link_in(letter)))
    assert page.h1.text == "New password"
    assert page.find(id="password")["autocomplete"] == "new-password"
    answer = client.post(link_in(letter), data={"password": NEW, "confirm": NEW})
    assert (answer.status_code, answer.location) == (302, "/auth/login")
    assert signs_in(mailing, "ann@example.org", NEW)
    assert not signs_in(mailing, "ann@example.org", PASSWORD)
    assert sent(mailing)[-1]["Subject"] == "[Quire] Your password was changed"


def test_known_and_unknown_addresses_get_identical_responses(mailing, people):
    def asked(email):
        client = mailing.test_client()
        answer = client.post("/auth/reset", data={"email": email})
        page = client.get("/auth/login").data
        headers = {n: v for n, v in answer.headers if n not in UNEQUAL}
        # the cookie is signed with the time
        return answer.status_code, answer.data, headers, re.sub(rb'value="[\w.-]{40,}"', b"", page)

    unknown = asked("nobody@example.org")
    assert asked("ann@example.org") == asked("root@example.org") == unknown
    assert (
        asked("no address")
        == asked("")
        == asked("a\x00@example.org")
        == asked("é" * 999)
        == unknown
    )
    assert [row.data["email"] for row in owed(mailing)] == [
        "nobody@example.org", "ann@example.org", "root@example.org",
    ]  # fmt: skip
    assert [letter["To"] for letter in sent(mailing)] == ["ann@example.org", "root@example.org"]


@pytest.mark.parametrize(
    "email",
    [
        "ａnn@example.org",
        "ann@examplе.org",
        "ann@example.org\nBcc: e@e.org",
        "ann@example.org, e@e.org",
    ],
)
def test_mail_goes_to_the_stored_address_only(mailing, people, email):
    mailing.test_client().post("/auth/reset", data={"email": email})
    assert sent(mailing) == []


@pytest.mark.parametrize(
    "headers",
    [{"X-Forwarded-Host": "evil.example"}, {"Forwarded": "host=evil.example"},
     {"X-Forwarded-Server": "evil.example", "X-Original-Host": "evil.example"}],
)  # fmt: skip
def test_headers_do_not_affect_links_in_mail(mailing, people, headers):
    client = mailing.test_client()
    client.post("/auth/reset", data={"email": "ann@example.org"}, headers=headers)
    client.post("/auth/register", data=ACCOUNT, headers=headers)
    letters = sent(mailing)
    assert len(letters) == 2
    for letter in letters:
        assert "https://example.org/auth/" in text_of(letter) and "evil" not in letter.as_string()


def test_reset_ends_sessions_tokens_and_keys(mailing, people):
    client, program = mailing.test_client(), mailing.test_client()
    give_session(mailing, client, people["ann"])
    given = {"email": "ann@example.org", "password": PASSWORD}
    pair = program.post("auth/token", json=given).json
    bearer = {"Authorization": f"Bearer {pair['access_token']}"}
    made = program.post("api_keys", json={"name": "k", "scopes": ["posts:read"]}, headers=bearer)
    key = {"X-API-Key": made.json["key"]}
    assert program.get("posts", headers=key).status_code == 200
    path = reset_link(mailing)
    stranger = mailing.test_client()
    assert stranger.post(path, data={"password": NEW, "confirm": NEW}).status_code == 302
    assert known_as(client) is None and known_as(stranger) is None
    assert program.get("posts", headers=bearer).status_code == 401
    assert program.get("posts", headers=key).status_code == 401
    refreshed = program.post("auth/refresh", json={"refresh_token": pair["refresh_token"]})
    assert refreshed.status_code == 401


def test_opening_a_link_does_not_use_it_up(mailing, people):
    path, client = reset_link(mailing), mailing.test_client()
    for _ in range(3):
        assert client.get(path).status_code == 200
        assert client.head(path).status_code == 200
    wrong = client.post(path, data={"password": NEW, "confirm": "other"})
    assert wrong.status_code == 422 and "do not match" in soup(wrong).find(id="confirm-error").text
    weak = client.post(path, data={"password": "x", "confirm": "x"})
    assert weak.status_code == 422 and soup(weak).find(id="password")["aria-invalid"] == "true"
    assert client.post(path).status_code == 422
    assert client.post(path, data={"password": NEW, "confirm": NEW}).status_code == 302
    again = client.post(path, data={"password": NEW, "confirm": NEW})
    assert again.status_code == client.get(path).status_code == 404
    page = soup(again)
    assert page.h1.text == "This link does not work"
    assert page.main.find("a", href="/auth/reset")


@pytest.mark.parametrize("token", TOKENS)
def test_malformed_tokens_are_refused(client, people, token):
    for path in (f"/auth/reset/{token}", f"/auth/verify/{token}"):
        for answer in (client.get(path), client.post(path, data={"password": NEW, "confirm": NEW})):
            assert answer.status_code in (404, 308)
    assert client.get(f"/auth/register?invite={token}").status_code == 404
    assert client.post("/auth/register?invite=x&invite[]=y", data=ACCOUNT).status_code == 404


def test_address_is_verified(mailing, people):
    client = mailing.test_client()
    assert client.post("/auth/register", data=ACCOUNT).status_code == 302
    assert tells(client) == "Registration successful. You can sign in now."
    assert signs_in(mailing, "new@example.org", PASSWORD)
    path = link_in(sent(mailing)[0])
    assert "new@example.org" in soup(client.get(path)).main.text
    assert verified(mailing, username="newcomer") is None
    assert client.post(path).location == "/auth/login"
    assert tells(client) == "Your email address is verified." and known_as(client) is None
    assert verified(mailing, username="newcomer")
    assert client.get(path).status_code == client.post(path).status_code == 404


def test_registration_reveals_no_addresses(strict, people):
    def registers(**more):
        client = strict.test_client()
        answer = client.post("/auth/register", data=ACCOUNT | more)
        return answer.status_code, answer.location, tells(client)

    fresh = registers()
    assert fresh[:2] == (302, "/auth/login") and "Open the link in the email" in fresh[2]
    assert registers(username="second", email="ANN@example.org") == fresh
    new, taken = sent(strict)
    assert new["To"] == "new@example.org" and link_in(new).startswith("/auth/verify/")
    assert taken["To"] == "ann@example.org"
    assert "It already belongs to your" in " ".join(text_of(taken).split())
    for email in ("ann@example.org", "third@example.org"):
        client = strict.test_client()
        answer = client.post("/auth/register", data=ACCOUNT | {"username": "BOB", "email": email})
        assert answer.status_code == 409
        assert "taken" in soup(answer).find(id="username-error").text
        assert soup(answer).find(id="email-error") is None
    with strict.app_context():
        assert read.find_id(USERS, SYSTEM, username="second") is None


def test_api_reveals_no_addresses_either(strict, people):
    client = strict.test_client()
    raw = {"username": "newcomer", "email": "new@example.org", "password": PASSWORD}
    answers = [
        client.post("users", json=raw),
        client.post("users", json=raw | {"username": "second", "email": "ann@example.org"}),
    ]
    assert [a.status_code for a in answers] == [202, 202]
    assert answers[0].json == answers[1].json and "Location" not in answers[0].headers
    named = client.post("users", json=raw | {"email": "ann@example.org", "username": "bob"})
    assert named.status_code == 409 and named.json["details"][0]["field"] == "username"
    assert client.post("users", json=raw | {"password": "x"}).status_code == 422
    assert [letter["To"] for letter in sent(strict)] == ["new@example.org", "ann@example.org"]


def test_unverified_users_cannot_sign_in(strict, people):
    client = strict.test_client()
    client.post("/auth/register", data=ACCOUNT)
    given = {"email": "new@example.org", "password": PASSWORD}
    answer = client.post("/auth/login", data=given)
    assert answer.status_code == 401
    assert (
        "Verify your email address first. We have sent you the link again."
        in soup(answer).main.text
    )
    assert client.post("auth/token", json=given).status_code == 401
    wrong = client.post("/auth/login", data=given | {"password": "x"})
    assert soup(wrong).find(role="alert").text.strip() == "Invalid email or password"
    letters = sent(strict)
    assert client.post(link_in(letters[0])).status_code == 404
    assert client.post(link_in(letters[-1])).status_code == 302
    assert signs_in(strict, "new@example.org", PASSWORD)
    assert signs_in(strict, "root@example.org", PASSWORD)


@pytest.mark.parametrize("rule", ["closed", "invitation", "open"])
def test_invitations_work_even_if_registration_is_closed(strict, people, rule):
    with strict.test_request_context():
        update(SETTINGS, SYSTEM, 1, {"registration": rule})
        token = registration.invite("eve@example.org", "author", SYSTEM)
    client = strict.test_client()
    path = f"/auth/register?invite={token}"
    page = soup(client.get(path)).main
    assert "eve@example.org" in page.text and page.find(id="email") is None
    raw = ACCOUNT | {"email": "other@example.org", "role": "admin"}
    assert client.post(path, data=raw | {"username": "ann"}).status_code == 409
    assert client.post(path, data=raw).status_code == 302
    assert "You can sign in now." in tells(client)
    assert signs_in(strict, "eve@example.org", PASSWORD)
    with strict.app_context():
        found = read.get_record(USERS, SYSTEM, read.find_id(USERS, SYSTEM, email="eve@example.org"))
    assert (found["role"], found["username"]) == ("author", "newcomer")
    assert strict.test_client().get(path).status_code == 404


def test_invitation_for_an_address_taken_meanwhile(mailing, people):
    with mailing.test_request_context():
        token = registration.invite("eve@example.org", "author", SYSTEM)
        update(USERS, SYSTEM, people["bob"].id, {"email": "eve@example.org"})
    answer = mailing.test_client().post(f"/auth/register?invite={token}", data=ACCOUNT)
    assert answer.status_code == 409 and "already taken" in soup(answer).find(role="alert").text


def test_administrators_are_notified_of_new_devices(mailing, people):
    def signs_in_with(agent, ip="192.0.2.7", name="root"):
        given = {"email": f"{name}@example.org", "password": PASSWORD}
        around = {"REMOTE_ADDR": ip}
        client = mailing.test_client()
        answer = client.post(
            "/auth/login", data=given, headers={"User-Agent": agent}, environ_base=around
        )
        assert answer.status_code == 302
        return len(sent(mailing))

    assert signs_in_with("Browser/120.1") == 0  # the first one of all
    assert signs_in_with("Browser/121.0") == 0
    assert signs_in_with("Other/1.0") == 1
    assert signs_in_with("Other/1.0") == 1
    assert signs_in_with("Other/1.0", "198.51.100.1") == 2
    assert signs_in_with("Browser/1", name="ann") == signs_in_with("Other/1", name="ann") == 2
    letter = sent(mailing)[0]
    assert letter["To"] == "root@example.org"
    assert "Other/1.0" in text_of(letter) and "192.0.2.7" in text_of(letter)


def test_rate_limits_are_explained_in_the_form(make_app, tmp_path, people):
    app = make_app(QUIRE_INSTANCE=tmp_path, RATELIMIT_ENABLED=True)
    answers = [
        app.test_client().post("/auth/reset", data={"email": "ann@example.org"}) for _ in range(6)
    ]
    assert [a.status_code for a in answers] == [302] * 5 + [429]
    assert answers[-1].headers["Retry-After"]
    assert soup(answers[-1]).find(role="alert") and len(sent(app)) == 5


def test_link_of_a_deleted_account(mailing, people):
    with mailing.app_context():
        token = create_link("reset", "bob@example.org", people["bob"].id)
        delete(USERS, SYSTEM, people["bob"].id)
    assert mailing.test_client().get(f"/auth/reset/{token}").status_code == 404


def test_simulated_registration_leaves_nothing(strict, people):
    with strict.app_context(), read_connection() as connection:
        tables = [t for t in db.metadata.sorted_tables if t.name != "outbox"]
        before = [connection.execute(select(t)).all() for t in tables]
    raw = {"username": "second", "email": "ann@example.org", "password": PASSWORD}
    assert strict.test_client().post("users", json=raw).status_code == 202
    with strict.app_context(), read_connection() as connection:
        assert [connection.execute(select(t)).all() for t in tables] == before
    assert [row.event for row in owed(strict)] == ["mail.taken"]

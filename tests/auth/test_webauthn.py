"""Passkeys, from the page that adds one to the session that it opens; invalid responses open none."""

import pytest

from tests.authenticator import PRESENT, Authenticator
from tests.site.conftest import known_as, soup
from tests.users import PASSWORD, browser_of

LOCAL = "http://localhost"
JSON = {"Accept": "application/json"}


@pytest.fixture
def ann(app, people):
    """A browser in which Ann is signed in."""
    return browser_of(app, people["ann"])


def creation(client):
    """Return the options for a new passkey, for a user who knows the password."""
    data = {"current_password": PASSWORD}
    path = "/profile/passkeys/options"
    return client.post(path, data=data, headers=JSON, base_url=LOCAL).json


def add(client, credential, name="Telephone"):
    data = {"name": name, "credential": credential}
    return client.post("/profile/passkeys", data=data, base_url=LOCAL)


def challenge(client):
    return client.post("/auth/passkey/options", base_url=LOCAL).json


def log_in(client, credential):
    data = {"credential": credential}
    return client.post("/auth/passkey?next=/search", data=data, base_url=LOCAL)


@pytest.fixture
def passkey(ann):
    """Ann's passkey, added by her."""
    authenticator = Authenticator()
    assert add(ann, authenticator.create(creation(ann))).location == "/profile/passkeys"
    assert "Telephone" in ann.get("/profile/passkeys", base_url=LOCAL).text
    return authenticator


def is_refused(client, credential):
    answer = log_in(client, credential)
    page = soup(client.get("/auth/login", base_url=LOCAL))
    return (
        answer.location == "/auth/login?next=/search"
        and "not accepted" in page.find(role="status").text
        and known_as(client) is None
    )


def test_new_passkey_signs_in(app, passkey, stop_clock):
    for seconds in (0, 2):
        stop_clock(seconds=seconds)
        client = app.test_client()
        assert log_in(client, passkey.get(challenge(client))).location == "/search"
        assert known_as(client) == "ann"


def test_response_is_valid_once(app, client, passkey, stop_clock):
    stop_clock(seconds=0)
    answer = passkey.get(challenge(client))
    copy = app.test_client()
    name = app.config["SESSION_COOKIE_NAME"]
    copy.set_cookie(name, client.get_cookie(name).value)
    assert log_in(client, answer).location == "/search"
    stop_clock(seconds=2)
    assert is_refused(copy, answer), "a cookie that was copied has the challenge still"
    other = app.test_client()
    challenge(other)
    assert is_refused(other, answer)


def test_decreasing_count_indicates_a_copy(app, client, passkey, stop_clock):
    stop_clock(seconds=0)
    passkey.count = 7
    assert log_in(client, passkey.get(challenge(client))).location == "/search"
    stop_clock(seconds=2)
    passkey.count = 3
    other = app.test_client()
    assert is_refused(other, passkey.get(challenge(other)))
    passkey.count = 8
    assert log_in(other, passkey.get(challenge(other))).location == "/search"


def test_responses_for_other_keys_pages_or_users_are_refused(client, passkey):
    changes = (
        {"key": Authenticator().key},
        {"origin": "https://evil.example"},
        {"flags": PRESENT},
        {"user": "dXNlciAx"},
        {"id": b"another"},
    )
    for change in changes:
        other = Authenticator()
        vars(other).update(vars(passkey) | change)
        assert is_refused(client, other.get(challenge(client))), change
    assert log_in(client, passkey.get(challenge(client))).location == "/search"


def test_new_passkey_needs_an_issued_challenge(ann):
    authenticator = Authenticator()
    answer = authenticator.create(creation(ann))
    assert add(ann, answer).status_code == 302
    again = add(ann, answer)
    assert again.status_code == 422 and "This took too long. Try again." in again.text


@pytest.mark.parametrize(
    "authenticator",
    [Authenticator("https://evil.example"), Authenticator(flags=PRESENT)],
    ids=["another page", "nobody verified"],
)
def test_new_passkey_needs_our_page_and_user_verification(ann, authenticator):
    answer = add(ann, authenticator.create(creation(ann)))
    assert answer.status_code == 422
    assert "The passkey was not accepted. Try again." in answer.text


@pytest.mark.parametrize("credential", ["", "{", "[]", "{}", '{"id": 5, "response": []}'])
def test_malformed_responses_are_refused(ann, client, credential, people):
    creation(ann)
    assert add(ann, credential).status_code == 422
    challenge(client)
    assert is_refused(client, credential)

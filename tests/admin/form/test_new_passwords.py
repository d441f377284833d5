"""A new password set by an administrator ends everything opened with the old one, and says so."""

import pytest

from quire.auth import passkeys, totp
from quire.declare.clock import now
from tests.users import signed_in

GIVEN = {"username": "ann", "email": "ann@example.org", "role": "author", "is_active": "y"}


@pytest.fixture
def ann(app, browser, people):
    """Ann signed in by browser and by token, with an API key, an authenticator app and a passkey."""
    account, by_browser, by_token = (
        people["ann"],
        browser("ann").client,
        signed_in(app, people["ann"]),
    )
    key = by_token.post("api_keys", json={"name": "k", "scopes": ["users:read"]}).json["key"]
    by_key = app.test_client()
    by_key.environ_base["HTTP_X_API_KEY"] = key
    with app.app_context():
        seed = totp.generate_secret()
        totp.enable(account.actor("session"), seed, totp.TOTP(seed).at(now()), now())
        passkeys.store_passkey(account.actor("session"), "Telephone", "abc", b"x", 0)
    return {"browser": by_browser, "token": by_token, "key": by_key}


def set_password(admin, id, **ticks):
    """Set a password as an administrator; return the messages of the panel."""
    answer = admin.post(
        f"users/edit/?id={id}",
        {**GIVEN, "password": "another horse 7", **ticks},
        follow_redirects=True,
    )
    assert answer.status_code == 200
    return answer.text


@pytest.mark.parametrize(
    ("ticks", "ended", "kept"),
    [
        ({}, ["2 sessions", "1 API key"], ["2 second factors"]),
        ({"keep_keys": "y"}, ["2 sessions"], ["1 API key", "2 second factors"]),
        (
            {"remove_second_factors": "y"},
            ["2 sessions", "1 API key", "2 second factors"],
            [],
        ),
    ],
)
def test_new_password_revokes_what_is_not_kept(app, admin, ids, ann, people, ticks, ended, kept):
    said = set_password(admin, ids.ann, **ticks)
    assert [one for one in ended if f"Ended: {one}." not in said] == []
    assert [one for one in kept if f"Still valid: {one}." not in said] == []
    assert ann["browser"].get("/profile").status_code == 302
    assert ann["token"].get("users/me").status_code == 401
    assert ann["key"].get("/api/v1/users").status_code == (200 if "keep_keys" in ticks else 401)
    with app.app_context():
        left = passkeys.list_passkeys(people["ann"].actor("session"))
        assert (len(left), totp.is_enabled(ids.ann)) == (
            (0, False) if "remove_second_factors" in ticks else (1, True)
        )


def test_second_factors_are_not_removed_without_a_new_password(app, admin, ids, ann, people):
    answer = admin.post(f"users/edit/?id={ids.ann}", {**GIVEN, "remove_second_factors": "y"})
    assert answer.status_code == 422
    assert 'id="in-remove_second_factors-errors"' in answer.text
    with app.app_context():
        assert totp.is_enabled(ids.ann)

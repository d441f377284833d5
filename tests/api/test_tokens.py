"""Tokens: signing in, refreshing, and the response to a wrong password."""

import pytest

from tests.api.test_access_order import code
from tests.users import PASSWORD


def test_sign_in(as_, people):
    answer = as_(None).post("auth/token", json={"email": "ANN@example.org", "password": PASSWORD})
    pair = {"access_token", "refresh_token", "token_type", "expires_in"}
    assert set(answer.json) == pair | {"user"}
    assert (answer.json["token_type"], answer.json["expires_in"]) == ("Bearer", 900)
    assert answer.headers["Cache-Control"] == "no-store"
    headers = {"Authorization": f"Bearer {answer.json['access_token']}"}
    me = as_(None).get("users/me", headers=headers).json
    assert me["username"] == "ann"
    assert me["last_login_at"]
    assert answer.json["user"] == me
    again = as_(None).post("auth/refresh", json={"refresh_token": answer.json["refresh_token"]})
    headers = {"Authorization": f"Bearer {again.json['access_token']}"}
    assert as_(None).get("users/me", headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("email", "password"),
    [("ann@example.org", "wrong"), ("nobody@example.org", PASSWORD), ("", ""), ("ann", PASSWORD),
     ("ann@example.org", "x" * 5000), ("ann@example.org", "")],
)  # fmt: skip
def test_error_does_not_reveal_which_part_was_wrong(client, people, email, password):
    answer = client.post("auth/token", json={"email": email, "password": password})
    assert code(answer) == (401, "invalid_credentials")
    assert answer.json["message"] == "Invalid email or password"


@pytest.mark.parametrize(
    ("given", "bad"),
    [
        ({}, {("email", "required"), ("password", "required")}),
        ({"email": 1, "password": None}, {("email", "wrong_type"), ("password", "wrong_type")}),
        ({"email": "x", "password": "y", "user": 1}, {("user", "unknown")}),
    ],
)
def test_invalid_credentials_are_named(client, given, bad):
    answer = client.post("auth/token", json=given)
    assert code(answer) == (422, "validation_failed")
    assert {(d["field"], d["code"]) for d in answer.json["details"]} == bad


def test_access_token_cannot_refresh(client, people):
    pair = client.post("auth/token", json={"email": "ann@example.org", "password": PASSWORD}).json
    for token in (pair["access_token"], "x", ""):
        answer = client.post("auth/refresh", json={"refresh_token": token})
        assert code(answer) == (401, "invalid_token")


def test_new_password_ends_all_other_tokens(as_, people):
    bob, elsewhere = as_("bob"), as_("bob")
    given = {"password": "another pass", "current_password": PASSWORD}
    assert bob.patch("users/me", json=given).status_code == 200
    assert code(elsewhere.get("users/me")) == (401, "invalid_token")
    assert bob.get("users/me").status_code == 200


def test_password_set_by_an_administrator_ends_all_tokens(as_, people):
    bob = as_("bob")
    as_("root").patch(f"users/{people['bob'].id}", json={"password": "another pass"})
    assert code(bob.get("users/me")) == (401, "invalid_token")


def test_inactive_users_cannot_sign_in(as_, people):
    as_("root").patch(f"users/{people['bob'].id}", json={"is_active": False})
    answer = as_(None).post("auth/token", json={"email": "bob@example.org", "password": PASSWORD})
    assert code(answer) == (401, "invalid_credentials")

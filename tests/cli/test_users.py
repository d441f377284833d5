"""`manage.py users`."""

import json
import sqlite3
from contextlib import closing

import pyotp
import pytest

from quire.auth import passkeys, session_store, totp
from quire.auth.accounts import Account
from quire.cli import main
from quire.declare.clock import now

PASSWORD = "correct horse 9\n"


def create(console, name, *more):
    return console(
        "users", "create", name, f"{name}@example.org", *more, "--password-stdin", given=PASSWORD
    )


@pytest.fixture
def ann(console):
    """An administrator called ann."""
    assert create(console, "ann", "--role", "admin") == (0, "1\n", "")
    return console


def listed(console):
    return json.loads(console("users", "list", "--json")[1])


def test_create_prints_only_the_id(console):
    assert create(console, "ann") == (0, "1\n", "")
    assert create(console, "bob") == (0, "2\n", "")


def test_users_are_listed_as_json(ann):
    one = listed(ann)[0]
    assert list(one) == "id username email role is_active created_at last_login_at".split()
    assert one["created_at"].endswith("Z")
    assert (one["username"], one["role"], one["is_active"]) == ("ann", "admin", True)
    assert one["last_login_at"] is None


def test_users_are_listed_as_text(ann):
    create(ann, "bob")
    ann("users", "deactivate", "bob")
    lines = ann("users", "list")[1].splitlines()
    assert lines[0].split() == ["1", "ann", "admin", "ann@example.org"]
    assert lines[1].endswith("bob@example.org (inactive)")


@pytest.mark.parametrize(
    ("arguments", "given", "words"),
    [
        (["ANN", "a@b.org", "--password-stdin"], PASSWORD, "Username is already taken."),
        (["bob", "ann@example.org", "--password-stdin"], PASSWORD, "Email is already taken."),
        (["bob", "b@b.org", "--password-stdin"], "short\n", "Password needs at least 8"),
        (["bob", "b@b.org", "--password-stdin"], "", "Password is required."),
        (["bob", "b@b.org", "--password-stdin"], "password1\n", "Password is too common"),
    ],
)
def test_invalid_user_is_a_one_line_error(ann, arguments, given, words):
    status, output, errors = ann("users", "create", *arguments, given=given)
    assert (status, output) == (1, "")
    assert errors.startswith(f"Error: {words}")
    assert errors.count("\n") == 1


def test_wrong_usage_exits_with_2(console):
    assert console("users", "create", "ann")[0] == 2
    assert console("users", "set-role", "ann", "boss")[0] == 2
    assert console("nonsense")[0] == 2


def test_password_prompt_repeats_until_both_match(console, monkeypatch):
    typed = iter(["correct horse 9", "correct horse 8", "correct horse 9", "correct horse 9"])
    monkeypatch.setattr("click.termui.hidden_prompt_func", lambda prompt: next(typed))
    status, output, _ = console("users", "create", "ann", "ann@example.org")
    assert (status, output.splitlines()[-1]) == (0, "1")
    assert list(typed) == []


def test_changes(ann):
    create(ann, "bob")
    before = ann.rows("SELECT password FROM users WHERE id = 2")
    assert ann("users", "set-role", "BOB", "author")[0] == 0
    assert (
        ann("users", "set-password", "bob@example.org", "--password-stdin", given="a new one!\n")[0]
        == 0
    )
    assert ann.rows("SELECT password FROM users WHERE id = 2") != before
    assert ann("users", "deactivate", "bob")[0] == 0
    assert (listed(ann)[1]["role"], listed(ann)[1]["is_active"]) == ("author", False)
    assert ann("users", "activate", "bob")[0] == 0
    assert listed(ann)[1]["is_active"] is True
    assert ann("users", "unlock", "bob")[0] == 0


@pytest.mark.parametrize(
    ("flags", "keys", "said"),
    [
        ([], 0, ["Ended: 1 API key."]),
        (["--keep-keys"], 1, ["Still valid: 1 API key."]),
    ],
)
def test_a_new_password_says_what_it_has_ended(ann, flags, keys, said):
    ann("keys", "create", "ann", "a program", "--scope", "posts:read")
    command = ["users", "set-password", "ann", "--password-stdin", *flags]
    status, output, _ = ann(*command, given="a new one!\n")
    assert (status, output.splitlines()) == (0, said)
    assert ann.rows("SELECT count(*) FROM api_keys") == [(keys,)]


@pytest.mark.parametrize(
    ("flags", "left", "said"),
    [
        ([], 1, "Still valid: 1 second factor."),
        (["--remove-second-factors"], 0, "Ended: 1 second factor."),
    ],
)
def test_a_new_password_can_take_second_factors_away(ann, instance, flags, left, said):
    with closing(sqlite3.connect(instance / "quire.db")) as connection, connection:
        connection.execute(
            "INSERT INTO totp_devices (user_id, secret, last_step, created_at)"
            " VALUES (1, 'x', 0, '2026-01-01T00:00:00Z')"
        )
    command = ["users", "set-password", "ann", "--password-stdin", *flags]
    assert said in ann(*command, given="a new one!\n")[1]
    assert ann.rows("SELECT count(*) FROM totp_devices") == [(left,)]


def test_every_change_is_in_the_audit(ann):
    ann("users", "set-role", "ann", "admin")
    found = ann.rows("SELECT action, door, actor_id FROM audit_events WHERE type = 'users'")
    assert found == [("create", "cli", None)]


def test_last_administrator_stays(ann):
    for command in (
        ["set-role", "ann", "member"],
        ["deactivate", "ann"],
        ["delete", "ann", "--yes"],
    ):
        status, _, errors = ann("users", *command)
        assert status == 1
        assert errors.startswith("Error: You cannot ") and "last" in errors


def test_unknown_user(console):
    assert console("users", "activate", "nobody") == (1, "", "Error: There is no user nobody.\n")


def test_reset_two_factor(ann):
    with main.application().app_context():
        actor, moment = Account(1, "ann", "member").actor("console"), now()
        seed = totp.generate_secret()
        totp.enable(actor, seed, pyotp.TOTP(seed).at(moment), moment)
        passkeys.store_passkey(actor, "Telephone", "abc", b"x", 0)
        session_store.create_session(Account(1, "ann", "member"), "token", "secret", 60)
    assert ann("users", "reset-two-factor", "ANN")[0] == 0
    for table in ("totp_devices", "recovery_codes", "passkeys", "sessions"):
        assert ann.rows(f"SELECT * FROM {table}") == []
    newest = "SELECT action, door FROM audit_events ORDER BY id DESC LIMIT 1"
    assert ann.rows(newest) == [("two_factor_reset", "cli")]
    assert ann("users", "reset-two-factor", "nobody")[0] == 1


def test_delete_asks(ann):
    create(ann, "bob")
    assert ann("users", "delete", "bob", given="n\n")[0] == 1
    assert len(listed(ann)) == 2
    assert ann("users", "delete", "bob", given="y\n")[0] == 0
    assert len(listed(ann)) == 1


def test_delete_hands_content_over(ann):
    create(ann, "bob", "--role", "author")
    numbers = {"users": 0, "tags": 0, "posts": 2, "comments": 3}
    ann("users", "set-role", "ann", "admin")
    ann("seed", *(f"--{name}={number}" for name, number in numbers.items()))
    owner = ann.rows("SELECT DISTINCT author_id FROM posts")
    name = {1: "ann", 2: "bob"}[owner[0][0]]
    other = {"ann": "bob", "bob": "ann"}[name]
    ann("users", "set-role", other, "admin")
    status, _, errors = ann("users", "delete", name, "--yes")
    assert status == 1
    assert "--reassign" in errors
    assert errors.count("\n") == 1
    status, _, errors = ann("users", "delete", name, "--yes", "--reassign", name)
    assert (status, errors) == (
        1, f"Error: {name} cannot take over their own content. Name another user.\n",
    )  # fmt: skip
    assert ann("users", "delete", name, "--yes", "--reassign", other)[0] == 0
    assert [one["username"] for one in listed(ann)] == [other]
    assert len(ann.rows("SELECT DISTINCT author_id FROM posts")) == 1

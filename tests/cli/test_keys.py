"""`manage.py keys` and `manage.py users sessions`."""

import json
import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from quire.auth import session_store
from quire.auth.accounts import Account
from quire.cli import main
from quire.security.tokens import is_content_key, is_key, new_secret
from tests.cli.test_users import create


@pytest.fixture
def console(console):
    create(console, "ann", "--role", "author")
    return console


def make(console, *more):
    return console("keys", "create", "ann", "site", "--scope", "posts:read", *more)


def test_command_in_the_client_guide_creates_a_key(console):
    guide = (Path(__file__).parents[2] / "docs" / "clients.md").read_text("utf-8")
    [command] = re.findall(r"^    python manage.py (keys create .*)$", guide, re.MULTILINE)
    status, out, errors = console(*command.split())
    assert (status, errors) == (0, "") and is_key(out.strip())


def test_new_key_is_printed_but_not_stored(console):
    status, out, errors = make(console, "--days", 30, "--network", "192.0.2.0/24")
    assert (status, errors) == (0, "") and is_key(out.strip())
    row = json.loads(console("keys", "list", "--json")[1])[0]
    assert out.startswith(row["prefix"]) and row["owner"] == {"id": 1, "username": "ann"}
    assert (row["scopes"], row["networks"]) == (["posts:read"], ["192.0.2.0/24"])
    assert row["expires_at"] and row["last_used_at"] is None
    assert out.strip() not in str(console.rows("SELECT * FROM api_keys"))


def test_key_expires_after_the_given_days(console, ticking):
    make(console, "--days", 30)
    [(made, end)] = console.rows("SELECT created_at, expires_at FROM api_keys")
    assert datetime.fromisoformat(end) - datetime.fromisoformat(made) == timedelta(days=30)


def test_content_key_needs_no_name(console):
    status, out, errors = console("keys", "create", "ann", "--content")
    assert (status, errors) == (0, "") and is_content_key(out.strip())
    [row] = json.loads(console("keys", "list", "--json")[1])
    assert (row["name"], row["scopes"]) == ("Content API", ["content:read"])
    console("keys", "create", "ann", "site", "--content", "--days", 30)
    assert "site (content:read)" in console("keys", "list")[1]


def test_keys_are_listed_as_text(console):
    make(console)
    create(console, "bob")
    line = console("keys", "list", "ann")[1]
    assert "never used" in line and "site (posts:read)" in line
    assert console("keys", "list", "bob") == (0, "", "")


def test_revoked_key_is_gone_and_audited(console):
    make(console)
    assert console("keys", "revoke", 1) == (0, "", "")
    status, _, errors = console("keys", "revoke", 1)
    assert status == 1 and "There is no API key 1" in errors
    assert console.rows("SELECT action FROM audit_events WHERE type = 'api_keys' ORDER BY id") == [
        ("create",), ("delete",),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("eve", "x", "--scope", "posts:read"), 1, "There is no user eve."),
        (("ann", "x", "--scope", "boats:read"), 1, "boats:read is not a valid scope"),
        (("ann", "x", "--scope", "posts:read", "--network", "here"), 1, "Networks"),
        (("ann", "x"), 2, "--scope"),
        (("ann", "x", "--scope", "posts:read", "--content"), 2, "either --scope or --content"),
        (("ann", "--scope", "posts:read"), 2, "Missing argument 'NAME'"),
    ],
)
def test_invalid_arguments_create_no_key(console, arguments, status, words):
    got, out, errors = console("keys", "create", *arguments)
    assert (got, out) == (status, "") and words in errors


def test_sessions_are_listed_and_ended(console):
    with main.application().app_context():
        session_store.create_session(Account(1, "ann", "author"), "token", new_secret(), 3600)
    line = console("users", "sessions", "ann")[1]
    assert line.split()[:2] == ["1", "token"]
    assert console("users", "sessions", "ann", "--end") == (0, "", "")
    assert console("users", "sessions", "ann") == (0, "", "")
    assert ("end_sessions",) in console.rows("SELECT action FROM audit_events")

"""`manage.py users invite`."""

import email
from email import policy

import pytest

from tests.mail_servers import Post, link_in, text_of


def test_invitation_without_a_mail_server_prints_and_stores_the_link(
    console, instance, monkeypatch
):
    monkeypatch.setenv("PUBLIC_URL", "https://example.org")
    status, output, errors = console("users", "invite", "Eve@example.org", "--role", "author")
    assert (status, errors) == (0, "")
    assert output.startswith("https://example.org/auth/register?invite=")
    [path] = (instance / "outbox").iterdir()
    letter = email.message_from_bytes(path.read_bytes(), policy=policy.default)
    assert output == f"https://example.org{link_in(letter)}\n" and "the role author" in text_of(
        letter
    )
    found = console.rows("SELECT purpose, email, role FROM links")
    assert found == [("invite", "eve@example.org", "author")]
    assert console.rows("SELECT action, door FROM audit_events") == [("invite", "cli")]


def test_invitation_is_in_the_chosen_language(console, instance):
    assert console("users", "invite", "eva@example.org", "--language", "de")[0] == 0
    [path] = (instance / "outbox").iterdir()
    letter = email.message_from_bytes(path.read_bytes(), policy=policy.default)
    assert "Einladung" in letter["Subject"]
    assert console("users", "invite", "eva@example.org", "--language", "xx")[0] == 2


def test_failed_mail_is_a_warning_and_the_link_is_printed(console, monkeypatch):
    post = Post()
    for name, value in (("MAIL_SERVER", "127.0.0.1"), ("MAIL_PORT", str(post.port))):
        monkeypatch.setenv(name, value)
    status, output, errors = console("users", "invite", "eve@example.org")
    assert status == 0 and "/auth/register?invite=" in output
    assert errors.startswith("The email could not be sent") and errors.count("\n") == 1


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("eve", "Email is not a valid email address."),
        ("ANN@example.org", "There is already an account with this email address"),
    ],
)
def test_invalid_or_existing_address_is_refused(console, address, words):
    given = "correct horse 9\n"
    console("users", "create", "ann", "ann@example.org", "--password-stdin", given=given)
    status, output, errors = console("users", "invite", address)
    assert (status, output) == (1, "") and errors.startswith(f"Error: {words}")

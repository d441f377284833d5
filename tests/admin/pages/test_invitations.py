"""Invitations by administrators: the email, its link, and refusals."""

import pytest
from bs4 import BeautifulSoup

from quire.actor import SYSTEM
from quire.records import USERS
from quire.store import read
from tests.admin.conftest import Browser
from tests.mail_servers import link_in, owed, sent, text_of


@pytest.fixture
def app_(make_app, tmp_path):
    return make_app(QUIRE_INSTANCE=tmp_path)


def test_invited_person_gets_the_role(app_, people):
    admin = Browser(app_, people["root"])
    answer = admin.post(
        "invitations/", {"email": " Eve@example.org ", "role": "moderator"}, follow_redirects=True
    )
    assert "Invitation sent to Eve@example.org." in answer.text
    [letter] = sent(app_)
    assert letter["To"] == "eve@example.org" and "with the role moderator" in text_of(letter)
    listed = BeautifulSoup(admin.get("invitations/").text, "html.parser").select("tbody tr")
    assert [[cell.text for cell in row.find_all(["th", "td"])][:2] for row in listed] == [
        ["eve@example.org", "Moderator"],
    ]  # fmt: skip
    account = {"username": "eve", "password": "correct horse 9", "confirm": "correct horse 9"}
    assert app_.test_client().post(link_in(letter), data=account).status_code == 302
    with app_.app_context():
        user = read.get_record(USERS, SYSTEM, read.find_id(USERS, SYSTEM, username="eve"))
    assert (user["role"], user["email"]) == ("moderator", "eve@example.org")
    assert "Pending invitations" not in admin.get("invitations/").text


@pytest.mark.parametrize(
    ("email", "role", "status", "words"),
    [
        ("eve", "author", 422, "Email is not a valid email address."),
        ("", "author", 422, "Email is not a valid email address."),
        ("eve@example.org", "king", 422, "Role must be one of"),
        ("ANN@example.org", "author", 409, "already an account"),
    ],
)
def test_refused_values_stay_in_the_form(app_, people, email, role, status, words):
    admin = Browser(app_, people["root"])
    answer = admin.post("invitations/", {"email": email, "role": role})
    page = BeautifulSoup(answer.text, "html.parser")
    assert answer.status_code == status and words in page.select_one(".errors").text
    assert page.find(id="email")["value"] == email and owed(app_) == []


def test_only_administrators_invite(app_, people):
    for name in ("mod", "ann", "bob"):
        one = Browser(app_, people[name])
        assert one.get("invitations/").status_code == 403
        assert one.post("invitations/", {"email": "e@e.org", "role": "admin"}).status_code == 403
    assert owed(app_) == []

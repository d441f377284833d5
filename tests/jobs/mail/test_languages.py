"""Mail is in the recipient's language: their choice, else their browser's, else the site's."""

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient

from quire.actor import SYSTEM
from quire.jobs.mail.message import WRITERS
from quire.jobs.titles import EMAILS
from quire.jobs.worker import run_due_jobs
from quire.records import APPEARANCE, COMMENTS, POSTS, PROFILES, SETTINGS, USERS
from quire.store.events.mail import enqueue_mail
from quire.store.read import find_id
from quire.store.write import act, create, update
from tests.admin.conftest import Browser
from tests.mail_servers import link_in, text_of
from tests.users import PASSWORD

GERMAN, ENGLISH = {"Accept-Language": "de-DE,de;q=0.9,en;q=0.5"}, {"Accept-Language": "en-GB"}
SUBJECTS = {"en": "[Quire] Set a new password", "de": "[Quire] Neues Passwort festlegen"}


@pytest.fixture
def app(make_app, post):
    """An application that uses the mail server `post`."""
    return make_app(**post.settings())


@pytest.fixture
def received(app, post):
    """`received()`: the emails received since the last call."""

    def take():
        with app.app_context():
            run_due_jobs()
        letters, post.letters = post.letters, []
        return letters

    return take


def site_language(app, code):
    with app.app_context():
        update(APPEARANCE, SYSTEM, 1, {"language": code})


def visitor(app):
    return FlaskClient(app, app.response_class)


def sign_in(app, headers, name="ann"):
    data = {"email": f"{name}@example.org", "password": PASSWORD}
    assert visitor(app).post("/auth/login", data=data, headers=headers).status_code == 302


def subject_of_reset(app, received, headers=None):
    visitor(app).post("/auth/reset", data={"email": "ann@example.org"}, headers=headers)
    [letter] = received()
    return letter["Subject"]


@pytest.mark.parametrize("code", ["en", "de"])
def test_user_who_never_signed_in_gets_mail_in_the_site_language(app, people, received, code):
    site_language(app, code)
    # the request may come from another person
    assert subject_of_reset(app, received, GERMAN) == SUBJECTS[code]


@pytest.mark.parametrize(("site", "headers", "code"), [("en", GERMAN, "de"), ("de", ENGLISH, "en")])
def test_mail_is_in_the_language_of_the_last_sign_in(app, people, received, site, headers, code):
    site_language(app, site)
    sign_in(app, headers)
    assert subject_of_reset(app, received) == SUBJECTS[code]


def test_chosen_language_overrides_the_last_sign_in(app, people, received):
    with app.app_context():
        update(USERS, SYSTEM, people["ann"].id, {"language": "en"})
    sign_in(app, GERMAN)
    assert subject_of_reset(app, received) == SUBJECTS["en"]


def test_api_sign_in_does_not_change_the_language(app, people, received):
    sign_in(app, GERMAN)
    credentials = {"email": "ann@example.org", "password": PASSWORD}
    answer = visitor(app).post("/api/v1/auth/token", json=credentials, headers=ENGLISH)
    assert answer.status_code == 200
    assert subject_of_reset(app, received) == SUBJECTS["de"]


def test_registration_mail_is_in_the_language_of_the_browser(app, people, received):
    with app.app_context():
        update(SETTINGS, SYSTEM, 1, {"registration": "open"})
    words = {"username": "eve", "email": "eve@example.org", "password": PASSWORD}
    client = visitor(app)
    registered = client.post("/auth/register", data={**words, "confirm": PASSWORD}, headers=GERMAN)
    assert registered.status_code == 302
    [letter] = received()
    assert letter["Subject"] == "[Quire] Bestätigen Sie Ihre E-Mail-Adresse"
    client.post(link_in(letter))
    assert [one["Subject"] for one in received()] == ["[Quire] Willkommen"]


@pytest.mark.parametrize(
    ("headers", "code", "subject"),
    [
        (GERMAN, "", "[Quire] Einladung, ein Konto zu erstellen"),
        (GERMAN, "en", "[Quire] Invitation to create an account"),
        (ENGLISH, "de", "[Quire] Einladung, ein Konto zu erstellen"),
    ],
)
def test_invitation_is_in_the_chosen_language(app, people, received, headers, code, subject):
    admin = Browser(app, people["root"])
    page = BeautifulSoup(admin.get("invitations/", headers=headers).text, "html.parser")
    offered = page.select_one("#language option[selected]")["value"]
    assert offered == ("de" if headers is GERMAN else "en")
    form = {"email": "eve@example.org", "role": "author", "language": code or offered}
    admin.post("invitations/", form, headers=headers)
    [letter] = received()
    assert letter["Subject"] == subject


def test_welcome_mail_to_an_invited_user_is_in_their_language(app, people, received):
    Browser(app, people["root"]).post(
        "invitations/", {"email": "eve@example.org", "role": "author"}
    )
    [letter] = received()
    assert letter["Subject"] == "[Quire] Invitation to create an account"
    account = {"username": "eve", "password": PASSWORD, "confirm": PASSWORD}
    visitor(app).post(link_in(letter), data=account, headers=GERMAN)
    assert [one["Subject"] for one in received()] == ["[Quire] Willkommen"]


def words_of(kind, comment):
    """Return the values in the job of a mail of this kind."""
    words = {
        "new_device": {"agent": "Firefox", "ip": "192.0.2.7", "time": "2026-01-01T00:00:00Z"},
        "webhook_disabled": {"webhook": 3, "url": "https://example.org/", "reason": "Gone."},
        "digest": {"since": "2025-12-31T00:00:00Z", "until": "2026-01-02T00:00:00Z"},
        "comment": {"comment": comment},
        "reply": {"comment": comment},
        "email": {"email": "new@example.org"},
        "invite": {"email": "new@example.org", "role": "author", "language": "de"},
    }
    return words.get(kind, {"email": "ann@example.org", "new": "new@example.org"})


@pytest.mark.parametrize("kind", sorted(WRITERS))
def test_every_mail_is_translated_to_german(app, people, received, kind):
    with app.app_context():
        ann = people["ann"].id
        update(USERS, SYSTEM, ann, {"language": "de"})
        update(PROFILES, SYSTEM, find_id(PROFILES, SYSTEM, user_id=ann), {"digest": "daily"})
        post = create(POSTS, SYSTEM, {"title": "Ebbe", "body": "x", "author": ann}).id
        act(POSTS, SYSTEM, post, "publish")
        raw = {"post": post, "body": "Wie wahr!", "author_name": "Bob", "status": "approved"}
        comment = create(COMMENTS, SYSTEM, raw).id
        if kind == "digest":
            update(COMMENTS, SYSTEM, comment, {"status": "pending"})
        enqueue_mail(kind, ann, **words_of(kind, comment))
    [letter] = received()
    text = text_of(letter)
    assert text.startswith(("Hallo ann,\n", "Guten Tag,\n"))
    words = set(text.replace(",", " ").split())
    assert not words & {"the", "your", "you", "and", "with"}


def test_every_mail_job_has_a_title():
    assert set(EMAILS) == set(WRITERS)


def test_facts_are_aligned_in_lines(app, people, received):
    with app.app_context():
        update(USERS, SYSTEM, people["ann"].id, {"language": "de"})
        enqueue_mail("new_device", people["ann"].id, **words_of("new_device", 0))
    [letter] = received()
    assert "\nIP-Adresse: 192.0.2.7\nZeit:       1. Januar 2026, 00:00 UTC\n" in text_of(letter)

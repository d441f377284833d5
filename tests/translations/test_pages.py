"""German pages contain no English text that the catalogue translates."""

import re

import pytest
from babel import Locale
from babel.messages.pofile import read_po
from bs4 import BeautifulSoup
from sqlalchemy import insert

from quire.actor import SYSTEM
from quire.declare.clock import now
from quire.declare.record import REGISTRY
from quire.records import COMMENTS, POSTS
from quire.records.deliveries import Delivery
from quire.records.webhooks import WEBHOOKS
from quire.store.db import transaction
from quire.store.write import create
from quire.translations.languages import CATALOGUES
from tests.users import give_session

READ_ALOUD = ("aria-label", "title", "placeholder", "alt")
SITE = (
    "/", "/archive", "/posts/tide", "/search", "/search?q=tide", "/display", "/nowhere", "/auth/login",
    "/auth/register", "/auth/reset", "/auth/reset/x", "/dashboard", "/profile", "/profile/password",
    "/profile/email", "/profile/two-factor", "/profile/passkeys", "/profile/sessions", "/profile/keys",
    "/profile/delete",
)  # fmt: skip
PANEL = (
    "/admin/", "/admin/access/", "/admin/archive/", "/admin/backups/", "/admin/checks/", "/admin/imports/", "/admin/jobs/",
    "/admin/invitations/", "/admin/comments/moderation/", "/admin/posts/edit/?id=1", "/admin/posts/new/",
    "/admin/posts/details/?id=1", "/admin/posts/history/?id=1", "/admin/users/new/",
    "/admin/settings/edit/?id=1", "/admin/posts/?status=draft", "/admin/posts/?title__icontains=zebra",
    "/admin/posts/delete/?id=1",
)  # fmt: skip


@pytest.fixture(scope="module")
def english():
    """Return the texts that are different in German; single words may be the same in another meaning."""
    with (CATALOGUES / "de.po").open("rb") as file:
        pairs = {one.id: one.string for one in read_po(file) if isinstance(one.id, str) and one.id}
    return {text for text, german in pairs.items() if text != german and " " in text}


@pytest.fixture
def german(app, people, make):
    """A client of the administrator's German browser; there is a post and a comment."""
    post = make(
        POSTS,
        title="Tide",
        body="Hi.",
        author=people["root"].id,
        published_at="2026-01-02T10:00:00Z",
    )
    make(COMMENTS, post=post, author=people["bob"].id, body="Hello.")
    client = app.test_client()
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "de"
    give_session(app, client, people["root"])
    return client


def seen(page):
    """Yield the texts of a page that people see and hear, but not those in the log or in code."""
    for one in page(["script", "style", "code", "pre", "template"]):
        one.decompose()
    yield from (" ".join(text.split()) for text in page.find_all(string=True))
    for name in READ_ALOUD:
        yield from (" ".join(one[name].split()) for one in page.find_all(attrs={name: True}))


LISTS = [f"/admin/{path}/" for path in REGISTRY if path not in ("settings", "appearance")]
DATA = set(
    "root mod ann abe bob tide Tide Hello zebra example org testing Quire SQLite Python CSV XLSX HTML html Ctrl UTC JSON URL "
    "English Deutsch".split()
)
"""Words of the records in these tests, names, and what is called so in every language."""
NAMES = re.compile(r"\b[a-z_]+:(?:read|write)\b|(?:/[\w.-]+)+")
"""Scopes and paths of files."""
MONTHS = {
    name
    for width in ("wide", "abbreviated")
    for name in Locale("de").months["format"][width].values()
}


class Strokes:
    """A catalogue of a language whose words are strokes: readable words are not translated."""

    KEPT = re.compile(r"(%\(\w+\)[sd]|%%|<[^>]*>|&\w+;|\{\w+\})|[A-Za-z]")

    def gettext(self, text):
        return self.KEPT.sub(lambda match: match[1] or "|", text)

    def ngettext(self, one, many, number):
        return self.gettext(one if number == 1 else many)


def readable(page):
    """Yield the words on a page that no catalogue can change."""
    for one in page("time"):  # Babel formats dates
        one.decompose()
    for text in seen(page):
        words = re.findall(r"[A-Za-z]{3,}", NAMES.sub("", text))
        if not DATA.union(MONTHS, {name.rstrip(".") for name in MONTHS}).issuperset(words):
            yield text


@pytest.mark.parametrize("path", [*SITE, *PANEL, *LISTS])
def test_every_sentence_on_a_page_comes_from_the_catalogue(app, german, monkeypatch, path):
    monkeypatch.setattr(
        "quire.web.language.catalogue", lambda code: Strokes() if code == "de" else None
    )
    signed_out = {"headers": {"Accept-Language": "de"}}
    answer = app.test_client().get(path, **signed_out) if "/auth/" in path else german.get(path)
    assert sorted(set(readable(BeautifulSoup(answer.data, "html.parser")))) == []


def test_form_errors_are_in_german(german):
    token = BeautifulSoup(german.get("/admin/posts/new/").data, "html.parser").select_one(
        "[name=csrf_token]"
    )["value"]
    answer = german.post("/admin/posts/new/", data={"csrf_token": token, "title": "", "body": ""})
    page = BeautifulSoup(answer.data, "html.parser")
    said = [one.text.strip() for one in page.select(".field .errors li")]
    assert (answer.status_code, said[0]) == (422, "Titel: bitte ausfüllen.")


@pytest.mark.parametrize("path", [*SITE, *PANEL, *LISTS])
def test_pages_are_in_german(app, german, english, path):
    signed_out = {"headers": {"Accept-Language": "de"}}
    answer = app.test_client().get(path, **signed_out) if "/auth/" in path else german.get(path)
    assert answer.status_code in (200, 404)
    page = BeautifulSoup(answer.data, "html.parser")
    assert page.html["lang"] == "de"
    assert sorted(set(seen(page)) & english) == []


ERRORS = {
    "The receiver answered 302. Redirects are not followed.": "Weiterleitungen wird nicht gefolgt",
    "The receiver answered 500.": "Der Empfänger hat mit 500 geantwortet.",
    "There was no complete answer within 10 seconds.": "Innerhalb von 10 Sekunden kam",
    "No connection: a.example leads to a private network (10.0.0.1).": "führt in ein privates Netz (10.0.0.1)",
    "The webhook was turned off.": "Der Webhook wurde ausgeschaltet.",
}


@pytest.mark.parametrize("error", ERRORS)
def test_delivery_failures_are_in_german(app, german, error):
    about = {"event": "posts.created", "message_id": "msg_1", "status": "failed", "type": "posts"}
    about |= {"record_id": 1, "event_at": now(), "error": error}
    with app.app_context(), transaction() as connection:
        hook = create(WEBHOOKS, SYSTEM, {"url": "https://example.org/", "events": ["*"]})
        statement = insert(Delivery.__table__).values(webhook_id=hook.id, **about)
        id = connection.execute(statement).inserted_primary_key[0]
    words = german.get(f"/admin/deliveries/details/?id={id}").text
    assert ERRORS[error] in words and error not in words

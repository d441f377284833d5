"""The language of a response: the user's choice, else the browser's, else the site's."""

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient

from quire.actor import SYSTEM
from quire.records import APPEARANCE, POSTS
from quire.store.write import create, update
from quire.translations.messages import Message
from quire.web.language import browser_language, gettext, in_language, language, ngettext, translate
from tests.users import give_session

GERMAN, ENGLISH = {"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}, {"Accept-Language": "en"}
FRENCH = {"Accept-Language": "fr,es;q=0.5"}


@pytest.fixture
def visitor(app):
    """A client that stores no cookies."""
    return FlaskClient(app, app.response_class, use_cookies=False)


@pytest.fixture
def site_language(app):
    def change(code):
        with app.app_context():
            update(APPEARANCE, SYSTEM, 1, {"language": code})

    return change


def spoken(response):
    """Return the language that a page declares, and the text of its sign-in link."""
    page = BeautifulSoup(response.data, "html.parser")
    return page.html["lang"], page.find("a", href="/auth/login").text


@pytest.mark.parametrize(
    ("header", "offered", "first"),
    [
        ("", "", ""),
        ("de", "de", "de"),
        ("de-CH", "de", "de"),
        ("fr,en;q=0.5,de;q=0.7", "de", "fr"),
        ("en-US,en;q=0.9", "en", "en"),
        ("es", "", "es"),
        ("*", "en", ""),
        ("de;q=0", "", ""),
        ("x" * 400, "", ""),
        ("\x00;;,q", "", ""),
    ],
)
def test_browser_language_parses_accept_language(header, offered, first):
    assert browser_language(header) == (offered, first)


def test_accept_language_decides_for_visitors(visitor):
    assert spoken(visitor.get("/")) == ("en", "Sign in")
    german = visitor.get("/", headers=GERMAN)
    assert spoken(german) == ("de", "Anmelden")
    assert german.headers["Content-Language"] == "de" and "accept-language" in german.vary
    assert spoken(visitor.get("/", headers=FRENCH)) == ("en", "Sign in")


def test_visitor_can_choose_a_language(app):
    client = app.test_client()
    client.get("/display?language=de&next=/")
    assert spoken(client.get("/", headers=ENGLISH)) == ("de", "Anmelden")
    client.get("/display?language=auto&next=/")
    assert spoken(client.get("/", headers=ENGLISH)) == ("en", "Sign in")


@pytest.mark.parametrize(
    ("site", "header", "answer"),
    [
        ("de", {}, ("de", "Anmelden")),
        ("de", FRENCH, ("de", "Anmelden")),
        ("de", ENGLISH, ("en", "Sign in")),
        ("de-AT", GERMAN, ("de-AT", "Anmelden")),
        ("fr", FRENCH, ("fr", "Sign in")),  # dates in French, but there is no French catalogue
        ("fr", GERMAN, ("de", "Anmelden")),
        ("pt-BR", {}, ("pt-BR", "Sign in")),
    ],
)
def test_site_language_is_used_when_no_browser_language_is_available(
    visitor, site_language, site, header, answer
):
    site_language(site)
    assert spoken(visitor.get("/", headers=header)) == answer


def test_cached_response_is_used_for_its_language_only(visitor, app, people):
    with app.app_context():
        raw = {"title": "Tide", "body": "x", "author": people["ann"].id}
        create(POSTS, SYSTEM, {**raw, "published_at": "2026-01-02T10:00:00Z"})
    for path in ("/", "/archive", "/posts/tide", "/nowhere"):
        for header in (GERMAN, ENGLISH, FRENCH, {}, GERMAN, ENGLISH):
            answer = visitor.get(path, headers=header)
            assert spoken(answer)[0] == ("de" if header is GERMAN else "en"), path


def test_themes_and_text_sizes_have_german_names(visitor):
    page = BeautifulSoup(visitor.get("/display", headers=GERMAN).data, "html.parser")
    names = [one.text for one in page.select(".choices label")]
    assert names[:7] == ["Wie das Gerät", "Hell", "Dunkel", "Normal", "Klein", "Groß", "Größer"]
    assert [one.text for one in page.select("footer nav a")][:3] == [
        "Hell",
        "Dunkel",
        "Automatisch",
    ]


def test_feeds_and_the_api_ignore_accept_language(visitor):
    for path in (
        "/feed.atom",
        "/sitemap.xml",
        "/api/v1/posts",
        "/api/v1/nowhere",
        "/api/v1/settings",
    ):
        plain, german = visitor.get(path), visitor.get(path, headers=GERMAN)
        assert "accept-language" not in german.vary and "Content-Language" not in german.headers
        if german.is_json and german.status_code == 404:
            assert german.json["message"] == plain.json["message"]
        else:
            assert german.data == plain.data


def test_user_chooses_a_language_in_the_profile(app, people):
    client = app.test_client()
    give_session(app, client, people["bob"])
    assert "Ihr Konto" in client.get("/profile", headers=GERMAN).text
    page = BeautifulSoup(client.get("/profile").data, "html.parser")
    form = {one["name"]: one.get("value", "") for one in page.select("main form [name]")}
    names = {one["value"]: one.text for one in page.select("[name=language] option")}
    assert names == {"auto": "Same as the browser", "en": "English", "de": "Deutsch"}
    assert client.post("/profile", data={**form, "language": "de"}).status_code == 302
    assert "Ihr Konto" in client.get("/profile", headers=ENGLISH).text
    answer = client.post("/profile", data={**form, "language": "xx"})
    assert answer.status_code == 422
    assert "Sprache: möglich sind" in answer.text


def test_form_errors_are_in_the_language_of_the_page(app, people):
    client = app.test_client()
    give_session(app, client, people["bob"])
    page = BeautifulSoup(client.get("/profile").data, "html.parser")
    form = {one["name"]: one.get("value", "") for one in page.select("main form [name]")}
    answer = client.post("/profile", data={**form, "username": "x"}, headers=GERMAN)
    assert answer.status_code == 422
    assert "Benutzername: mindestens 3 Zeichen nötig." in answer.text
    assert "Beheben Sie die Fehler unten." in answer.text


def test_api_sets_the_user_language_and_answers_in_english(as_, people):
    me = as_("bob")
    assert "language" not in me.get("/api/v1/users/me").json
    assert me.patch("/api/v1/users/me", json={"language": "de"}).status_code == 200
    place = f"/api/v1/users/{people['bob'].id}?fields=language"
    assert as_("root").get(place).json["language"] == "de"
    assert as_("mod").get(place).status_code == 400
    answer = me.patch("/api/v1/users/me", json={"username": "x"}, headers=GERMAN)
    assert answer.json["message"] == "Username needs at least 3 characters."


def test_browser_language_is_used_with_a_broken_session_or_token(app, people):
    client = app.test_client()
    client.set_cookie("session", "nonsense")
    assert spoken(client.get("/", headers=GERMAN)) == ("de", "Anmelden")
    refused = client.get("/", headers={**GERMAN, "Authorization": "Bearer x"})
    assert BeautifulSoup(refused.data, "html.parser").html["lang"] == "de"


def test_messages_translate_numbers_plurals_and_nested_messages(app):
    hours = Message("%(count)s hour", "%(count)s hours", count=1200)
    wait = Message("Too many attempts. Try again in %(duration)s.", duration=hours)
    assert wait == "Too many attempts. Try again in 1,200 hours."
    with app.app_context():
        assert translate(wait) == wait and ngettext("%(num)s post", "%(num)s posts", 1) == "1 post"
        with in_language("de"):
            assert translate(wait) == "Zu viele Versuche. Bitte warten Sie 1.200 Stunden."
            assert translate(hours.with_values(count=1)) == "1 Stunde"
            assert ngettext("%(num)s post", "%(num)s posts", 2) == "2 Beiträge"
            assert gettext("100% nothing") == translate("100% nothing") == "100% nothing"
        assert language() == "en"
    assert language() == "en"

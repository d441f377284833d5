"""The audit in the panel: sentences with the values before and after, in few statements."""

import pytest
from bs4 import BeautifulSoup

from quire.actor import SYSTEM, Actor
from quire.admin.audit.sentences import sentences
from quire.declare.query import Query
from quire.records import AUDIT_EVENTS, POSTS, PROFILES, USERS
from quire.store import read, write
from quire.store.audit import record_event


@pytest.fixture
def root(ids):
    return Actor("admin", ids.root, "root", door="admin", proof="session")


@pytest.fixture
def newest(app, root):
    """`newest(2)`: the newest sentences of the audit, as texts."""

    def read_sentences(count=1, language="en"):
        query = Query(sort=("-id",), per_page=count, count=False, fields=AUDIT_EVENTS.field_names)
        with app.test_request_context(headers={"Accept-Language": language}):
            return [
                str(one)
                for one in sentences(root, read.list_records(AUDIT_EVENTS, root, query).rows)
            ]

    return read_sentences


def change(app, actor, id, **raw):
    with app.app_context():
        write.update(POSTS, actor, id, raw)


def rows(admin, path="audit_events/"):
    page = BeautifulSoup(admin.get(path).text, "html.parser")
    return [" ".join(one.text.split()) for one in page.select("tbody td.title")]


def test_short_value_is_shown_before_and_after(app, root, ids, newest):
    change(app, root, ids.live, title="Spring tides")
    assert newest() == [
        "root changed the title of the post “Spring tides” from “Tide tables” to “Spring tides”"
    ]


def test_german_sentence_is_complete(app, root, ids, newest):
    change(app, root, ids.live, title="Spring tides", body="Another body")
    change(app, root, ids.live, title="50 % more")
    change(app, root, ids.live, seo_title="Ebb")
    change(app, root, ids.live, seo_title="")
    with app.app_context():
        write.act(POSTS, root, ids.live, "unpublish")
        record_event(root, "update", "posts", ids.live, "title", "slug", "tags", "body")
        record_event(root, "import", "tags")
        record_event(root, "view_as", "users", ids.ann)
        record_event(root, "sign_in", "users", ids.root)
    assert newest(9, "de") == [
        "root hat sich angemeldet",
        "root hat begonnen, die Website als Benutzer „ann“ anzusehen",
        "root hat eine Datei importiert: Schlagwörter",
        "root hat bei Beitrag „50 % more“ 4 Felder geändert",
        "root hat Beitrag „50 % more“ zurückgezogen",
        "root hat Beitrag „50 % more“ geändert: SEO-Titel „Ebb“ entfernt",
        "root hat Beitrag „50 % more“ geändert: SEO-Titel auf „Ebb“ gesetzt",
        "root hat Beitrag „50 % more“ geändert: Titel von „Spring tides“ auf „50 % more“",
        "root hat Beitrag „50 % more“ geändert: Titel und Text",
    ]


def test_flags_and_times_are_shown_in_words(app, root, ids, newest):
    change(app, root, ids.live, comments_open=False)
    assert newest()[0].endswith("from “Yes” to “No”")
    change(app, root, ids.live, published_at="2026-01-02T10:00:00Z")
    change(app, root, ids.live, published_at="2026-01-03T10:00:00Z")
    assert "2 Jan 2026" in newest()[0] and "3 Jan 2026" in newest()[0]


def test_added_and_removed_values_are_shown(app, root, ids, newest):
    change(app, root, ids.live, seo_title="Ebb")
    change(app, root, ids.live, seo_title="")
    assert [one.partition("” ")[2] for one in newest(2)] == ["from “Ebb” to nothing", "to “Ebb”"]
    assert newest()[0].startswith("root changed the SEO title of the post")


def test_label_that_is_not_a_noun_is_quoted(app, root, ids, newest):
    change(app, root, ids.live, published_at="2026-01-02T10:00:00Z")
    assert newest()[0].startswith("root changed “Published at” of the post “Tide tables” from")


def test_long_texts_are_named_but_not_quoted(app, root, ids, newest):
    change(app, root, ids.live, body="Another body")
    assert newest() == ["root changed the body of the post “Tide tables”"]


def test_few_fields_are_named_and_many_are_counted(app, root, ids, newest):
    change(app, root, ids.live, title="Neap", body="Another body")
    assert newest() == ["root changed the title and the body of the post “Neap”"]
    change(app, root, ids.live, title="A", body="B", seo_title="C", tags=[], category=None)
    assert newest() == ["root changed 5 fields of the post “A”"]


def test_list_shows_previous_values_of_several_fields(app, admin, root, ids):
    change(app, root, ids.live, title="Neap", category=None)
    [first, *_] = rows(admin)
    assert "Title: Tide tables → Neap" in first and "Category: Sea and shore → –" in first


def test_html_is_escaped(app, admin, root, ids):
    change(app, root, ids.live, title="<b>A</b>")
    page = admin.get("audit_events/").text
    assert "<b>A</b>" not in page and "&lt;b&gt;A&lt;/b&gt;" in page


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (("sign_in", "users", 1, "password"), "root signed in"),
        (("export", "archive"), "root exported all content"),
        (("import", "tags"), "root imported a file into tags"),
        (("denied", "users", 4711, "GET /api/v1/users"), "root was refused access to user #4711"),
        (("end_sessions", "users"), "root signed out all devices of users"),
    ],
)
def test_events_that_change_no_record(app, root, newest, event, words):
    with app.app_context():
        record_event(root, *event)
    assert newest() == [words]


def test_record_without_a_title_is_identified_by_number(app, admin, root, ids, newest):
    with app.app_context():
        profile = read.find_id(PROFILES, root, user_id=ids.ann)
        write.update(PROFILES, root, profile, {"location": "Kiel"})
    assert newest() == [f"root changed the location of profile #{profile} to “Kiel”"]
    page = BeautifulSoup(admin.get().text, "html.parser")
    assert page.select_one(".timeline a").text == f"profile #{profile}"


def test_anonymous_actor_is_someone(app, ids, newest):
    nobody = Actor("anonymous", None, None, door="site", proof="none")
    with app.app_context():
        record_event(nobody, "sign_in_failed", "users", ids.ann)
        record_event(nobody, "sign_in_failed", "users", None, "passkey")
    assert newest(2) == [
        "Somebody failed to sign in as an unknown account",
        "Somebody failed to sign in as the user “ann”",
    ]


def test_event_shows_text_changes_and_links_to_its_record(app, admin, root, ids):
    change(app, root, ids.live, body="The *wave* comes and goes.", title="Neap")
    page = BeautifulSoup(admin.get("audit_events/").text, "html.parser")
    link = page.select_one("tbody td.title a")["href"].removeprefix("/admin/")
    shown = BeautifulSoup(admin.get(link).text, "html.parser")
    changed = shown.select_one("[aria-labelledby=changed-head]")
    assert changed.select_one("del").text and "wave" in [one.text for one in changed.select("ins")]
    [there] = shown.select(".head-actions a")
    assert there.text == "Go to the post" and admin.client.get(there["href"]).status_code == 200


def test_events_without_versions_have_no_values(app, admin, root, ids):
    with app.app_context():
        record_event(root, "update", "posts", ids.live, "title")
    assert rows(admin)[0] == "root changed the title of the post “Tide tables”"
    page = BeautifulSoup(admin.get("audit_events/").text, "html.parser")
    link = page.select_one("tbody td.title a")["href"].removeprefix("/admin/")
    assert "What changed" not in admin.get(link).text


def test_secrets_are_never_shown(app, admin, root, ids, newest):
    with app.app_context():
        write.update(USERS, SYSTEM, ids.ann, {"password": "correct horse battery"})
    assert newest() == ["Quire changed the password of the user “ann”"]
    assert "correct horse" not in admin.get("audit_events/").text


def test_page_of_sentences_takes_one_more_statement(app, admin, root, ids, statements):
    for number in range(12):
        change(app, root, ids.live, title=f"Tide {number}", category=None)
    admin.get("audit_events/")
    _, few = statements(admin.get, "audit_events/?per_page=5")
    _, many = statements(admin.get, "audit_events/?per_page=20")
    assert len(few) == len(many) <= 6

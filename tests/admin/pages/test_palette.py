"""The command palette finds what its user may see, of every type, and what they may create."""

import pytest

from quire.actor import SYSTEM, Actor
from quire.records import POSTS, SAVED_VIEWS, TAGS
from quire.store import global_search, search_suggestions, write
from quire.store.search import search_index

STATEMENTS = (
    (search_index, "count_hits"), (global_search, "_hits"), (search_suggestions, "_statement"),
)  # fmt: skip
"""Statements that hold how many hits are ranked, and where they are cached."""


def found(browser, text):
    results = browser.get("palette/", query_string={"q": text}).json["results"]
    return {(one["label"], one["hint"]) for one in results}


def test_records_of_all_types_are_found_by_their_words(admin, ids):
    assert found(admin, "boats") == {("boats", "Tag")}
    assert ("Tide tables", "Post") in found(admin, "tide")
    assert ("ann", "User") in found(admin, "ann")
    answer = admin.get("palette/?q=tables").json["results"]
    assert [one["url"] for one in answer] == [f"/admin/posts/edit/?id={ids.live}"]
    assert admin.get(answer[0]["url"].removeprefix("/admin/")).status_code == 200


def test_hints_are_in_the_language_of_the_person(admin, ids):
    german = {"headers": {"Accept-Language": "de"}}
    [hit] = admin.get("palette/?q=tables", **german).json["results"]
    assert (hit["label"], hit["hint"]) == ("Tide tables", "Beitrag")


def test_only_records_visible_in_the_panel_are_found(browser, app):
    with app.app_context():
        write.create(POSTS, SYSTEM, {"title": "Secret plan", "body": "x", "author": "abe"})
    assert found(browser("abe"), "secret") == {("Secret plan", "Post")}
    assert found(browser("ann"), "secret") == set()


def test_without_words_new_records_are_offered(admin, browser):
    assert {("New post", "Action"), ("New user", "Action")} <= found(admin, "")
    assert ("New user", "Action") not in found(browser("ann"), "")


def test_saved_views_lead_to_their_lists(app, admin, browser, ids):
    raw = {"name": "Half done", "type": "posts", "parameters": "status=draft"}
    with app.app_context():
        write.create(SAVED_VIEWS, Actor("admin", ids.root, "root"), raw)
    assert ("Half done", "View of posts") in found(admin, "")
    german = admin.get("palette/", headers={"Accept-Language": "de"}).json["results"]
    assert "Ansicht: Beiträge" in [one["hint"] for one in german]
    [url] = [o["url"] for o in admin.get("palette/").json["results"] if o["label"] == "Half done"]
    assert "Half a thought" in admin.client.get(url).text
    assert ("Half done", "View of posts") not in found(browser("ann"), "")


def test_private_views_of_others_are_not_offered(app, admin, browser, ids):
    raw = {"name": "Half done", "type": "posts", "parameters": "status=draft"}
    with app.app_context():
        write.create(SAVED_VIEWS, Actor("moderator", ids.mod, "mod"), raw)
    assert ("Half done", "View of posts") in found(browser("mod"), "")
    assert ("Half done", "View of posts") not in found(admin, ""), "its address answers 404"


@pytest.mark.parametrize("text", ["\x00", "x" * 5000, "'\"*^%(", "  "])
def test_unusual_words_cause_no_error(admin, text):
    assert admin.get("palette/", query_string={"q": text}).status_code == 200


@pytest.mark.parametrize(("name", "status"), [(None, 302), ("bob", 403)])
def test_members_and_anonymous_users_are_refused(browser, name, status):
    assert browser(name).get("palette/?q=tide").status_code == status


def test_results_are_sorted_by_relevance_then_newest(admin, ids, app):
    with app.app_context():
        for number in range(6):
            write.create(TAGS, SYSTEM, {"name": f"harbour {number}"})
        write.create(POSTS, SYSTEM, {"title": "Harbour", "body": "x", "author": "abe"})
        write.create(
            POSTS, SYSTEM, {"title": "Fog", "body": "It lay on the harbour.", "author": "abe"}
        )
    labels = [one["label"] for one in admin.get("palette/?q=harbour").json["results"]]
    assert labels == ["Harbour", "Fog", *(f"harbour {number}" for number in (5, 4, 3, 2))]


def test_trashed_records_are_not_found(admin, ids):
    assert ("Abe's nets", "Post") in found(admin, "nets")
    admin.post("posts/delete/", {"id": ids.abes})
    assert "Post" not in {hint for _, hint in found(admin, "nets")}


def test_invisible_matches_hide_no_visible_ones(browser, app, monkeypatch):
    monkeypatch.setattr(search_index, "MAX_RANKED", 2)
    for module, name in STATEMENTS:
        monkeypatch.setattr(module, name, getattr(module, name).__wrapped__)
    with app.app_context():
        for author in ("ann", "abe", "abe", "abe"):
            write.create(POSTS, SYSTEM, {"title": "Lighthouse", "body": "x", "author": author})
    assert found(browser("ann"), "lighthouse") == {("Lighthouse", "Post")}


@pytest.mark.parametrize("name", ["root", "ann"])
def test_all_types_take_one_statement(browser, name, statements, app):
    client = browser(name)
    with app.app_context():
        write.create(TAGS, SYSTEM, {"name": "harbour wall"})
    assert client.get("palette/?q=harbour").json["results"]
    with app.app_context():
        write.create(TAGS, SYSTEM, {"name": "harbour"})
    # the user, the versions of cached data, the number of hits, and the best of them
    _, sent = statements(client.get, "palette/?q=harbour")
    assert len(sent) <= 4
    _, sent = statements(client.get, "palette/?q=harbour")
    assert len(sent) <= 2

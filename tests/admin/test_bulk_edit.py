"""Changing one field of many rows: confirmed, tried, applied, refused by row, undone."""

import pytest
from bs4 import BeautifulSoup

from quire.actor import Actor
from quire.admin.actions import editable_in_bulk
from quire.admin.list import matching
from quire.records import POSTS, REDIRECTS, TAGS, USERS

BACK = "/admin/posts/?status=published"


def send(browser, ids=(), path="posts", **more):
    form = {"action": "edit", "url": BACK if path == "posts" else f"/admin/{path}/", **more}
    return browser.post(f"{path}/action/", {**form, "rowid": list(ids)})


def text_of(answer):
    return " ".join(BeautifulSoup(answer.text, "html.parser").main.get_text(" ").split())


def test_field_is_asked_for_first_and_then_its_value(admin, ids):
    rows = (ids.live, ids.abes)
    first = send(admin, rows)
    page = BeautifulSoup(first.text, "html.parser")
    assert "This applies to the 2 selected posts." in text_of(first)
    assert {"author", "category", "tags", "comments_open"} <= {
        one["value"] for one in page.select("#bulk-field option")
    }
    second = BeautifulSoup(send(admin, rows, field="author").text, "html.parser")
    assert second.select_one("#in-author")["data-picker"] == "one"
    assert [one["value"] for one in second.select("[name=rowid]")] == [str(one) for one in rows]
    assert not second.select("[name=confirmed]")


def test_dry_run_counts_and_changes_nothing(admin, ids, state):
    answer = send(admin, (ids.live, ids.abes), field="author", author="root", check="1")
    assert "2 posts will be changed. Nothing has been changed yet." in text_of(answer)
    assert 'value="root"' in answer.text and "Change 2 posts" in answer.text
    assert state(POSTS, ids.abes)["author"]["username"] == "abe"


def test_unchanged_rows_are_not_counted(admin, ids):
    rows = (ids.live, ids.abes)
    answer = send(admin, rows, field="author", author="abe", check="1")
    assert "1 post will be changed." in text_of(answer) and "Change 1 post" in answer.text
    send(admin, [ids.abes], field="author", author="abe", confirmed="1")
    assert "0 posts changed." in admin.get("posts/").text


def test_rows_are_changed_and_it_can_be_undone(admin, ids, state):
    rows = (ids.live, ids.abes)
    answer = send(admin, rows, field="author", author="root", confirmed="1")
    assert answer.location == BACK
    page = BeautifulSoup(admin.get("posts/").text, "html.parser")
    assert "2 posts changed." in page.get_text()
    assert {state(POSTS, one)["author"]["username"] for one in rows} == {"root"}
    form = page.select_one('.note form[action="/admin/batches/action/"]')
    assert "Action in the panel" in text_of(admin.get("batches/"))
    admin.post("batches/action/", {one["name"]: one["value"] for one in form.select("input")})
    assert state(POSTS, ids.abes)["author"]["username"] == "abe"


def test_refused_rows_are_named_and_the_others_changed(browser, ids, state):
    mod, rows = browser("mod"), (ids.live, 999_999)
    answer = send(mod, rows, field="comments_open", check="1")
    words = text_of(answer)
    assert "1 post will be changed." in words and "These cannot be changed: Post #999999: " in words
    send(mod, rows, field="comments_open", confirmed="1")
    assert state(POSTS, ids.live)["comments_open"] is False
    assert "#999999: " in mod.get("posts/").text


def test_invalid_value_changes_nothing(admin, ids, state):
    answer = send(admin, (ids.live,), field="author", author="nobody-of-that-name", check="1")
    assert "0 posts will be changed." in text_of(answer) and "confirmed" not in answer.text
    send(admin, (ids.live,), field="author", author="nobody-of-that-name", confirmed="1")
    assert state(POSTS, ids.live)["author"]["username"] != "nobody-of-that-name"
    assert "posts changed" not in admin.get("posts/").text


def test_all_matching_rows_are_edited(admin, ids, state):
    more = {"matching": "ask", "list": "/admin/posts/?author.username=abe&status=published"}
    answer = send(admin, field="author", author="root", check="1", **more)
    assert "This applies to the post that matches." in text_of(answer)
    assert "1 post will be changed." in text_of(answer)
    send(admin, field="author", author="root", confirmed="1", **more)
    assert state(POSTS, ids.abes)["author"]["username"] == "root"


def test_rows_beyond_the_limit_are_reported(admin, ids, monkeypatch):
    monkeypatch.setattr(matching, "MAX_MATCHING", 1)
    more = {"matching": "ask", "list": "/admin/posts/?status=published"}
    asked = text_of(send(admin, field="author", **more))
    assert "that match. The first 1 are changed now." in asked
    send(admin, field="author", author="root", confirmed="1", **more)
    text = admin.get("posts/").text
    assert "1 post changed." in text and "Repeat the action for them." in text


def test_empty_selection_is_reported(admin, ids):
    assert send(admin).location == BACK
    assert "Select at least one record first." in admin.get("posts/").text


def test_unavailable_field_is_asked_for_again(admin, ids):
    for field in ("slug", "body", "views", "nothing"):
        answer = send(admin, (ids.live,), field=field, check="1", **{field: "x"})
        assert "bulk-field" in answer.text


def test_authors_change_only_their_own(browser, ids, state):
    send(browser("ann"), (ids.abes,), field="comments_open", confirmed="1")
    assert state(POSTS, ids.abes)["comments_open"] is True


@pytest.mark.parametrize("record", [POSTS, TAGS, REDIRECTS, USERS])
def test_unique_and_large_fields_are_not_offered(record):
    offered = {one.name for one in editable_in_bulk(record, Actor("admin", 1, "root"))}
    assert not offered & {"slug", "body", "name", "path", "username", "email", "password"}


@pytest.mark.parametrize("record", [TAGS, REDIRECTS])
def test_users_without_access_are_offered_nothing(record):
    assert editable_in_bulk(record, Actor("author", 1, "ann")) == []


def test_bulk_edit_in_german(admin, ids):
    german = {"Accept-Language": "de"}
    form = {"action": "edit", "url": BACK, "rowid": [ids.live], "field": "comments_open"}
    text = admin.post("posts/action/", {**form, "check": "1"}, headers=german).text
    assert "1 Beitrag wird geändert." in text and "1 Beitrag ändern" in text
    assert "Es wurde noch nichts geändert." in text and "Noch einmal prüfen" in text

"""References to records are typed by key or by name, in forms, lists and bulk edits."""

import pytest
from bs4 import BeautifulSoup

from quire.actor import SYSTEM
from quire.records import CATEGORIES, POSTS
from quire.store import write


def page_of(answer):
    return BeautifulSoup(answer.text, "html.parser")


@pytest.mark.parametrize("typed", ["sea-and-shore", "Sea and shore", " SEA and shore "])
def test_form_accepts_a_key_or_a_name(admin, ids, state, typed):
    sent = {"title": "Abe's nets", "body": "Words.", "category": typed}
    assert admin.post(f"posts/edit/?id={ids.abes}", sent).status_code == 302
    assert state(POSTS, ids.abes)["category"]["name"] == "Sea and shore"


def test_keys_take_precedence_and_ambiguous_names_are_refused(admin, app, ids, state):
    with app.app_context():
        for name, slug in (("Sea", "ocean"), ("Ocean", "deep")):
            write.create(CATEGORIES, SYSTEM, {"name": name, "slug": slug})
    sent = {"title": "Abe's nets", "body": "Words."}
    admin.post(f"posts/edit/?id={ids.abes}", {**sent, "category": "ocean"})
    assert state(POSTS, ids.abes)["category"]["name"] == "Sea"
    for unclear in ("Oce", "\x00"):
        refused = admin.post(f"posts/edit/?id={ids.abes}", {**sent, "category": unclear})
        assert refused.status_code == 422, unclear


def test_refused_form_shows_the_name_of_the_choice(admin, ids):
    refused = admin.post(f"posts/edit/?id={ids.abes}", {"category": "sea-and-shore", "title": ""})
    shown = page_of(refused).select_one("#in-category")
    assert (shown["value"], shown["data-name"]) == ("sea-and-shore", "Sea and shore")


def test_list_is_filtered_by_name_and_says_so(admin):
    page = page_of(admin.get("posts/?category.slug=sea+AND+shore", follow_redirects=True))
    assert [one.get_text() for one in page.select("tbody .title a:first-child")] == ["Tide tables"]
    chip = page.select_one(".chips .chip").get_text(" ", strip=True)
    assert chip.startswith("Category is Sea and shore")
    shown = page.select_one('.filters [name="category.slug"]')
    assert (shown["value"], shown["data-name"]) == ("sea-and-shore", "Sea and shore")


def test_many_rows_are_edited_by_name(admin, ids, state):
    sent = {"action": "edit", "url": "/admin/posts/", "rowid": [ids.abes], "field": "category"}
    admin.post("posts/action/", {**sent, "category": "Sea and shore", "confirmed": "1"})
    assert state(POSTS, ids.abes)["category"]["slug"] == "sea-and-shore"


def test_pickers_look_up_one_record_by_key_or_name(admin, browser, ids):
    found = [{"value": "sea-and-shore", "label": "Sea and shore"}]
    for key in ("sea-and-shore", "sea and shore"):
        assert admin.get(f"posts/lookup?field=category&key={key}").json["results"] == found
    for key in ("sea", "", "%00", "9" * 30):
        assert admin.get(f"posts/lookup?field=category&key={key}").json["results"] == []
    assert admin.get("posts/lookup?field=title&key=sea").status_code == 404
    assert admin.get("posts/lookup?field=category&q=%00").json["results"] == []
    for key in ("half-a-thought", f"%23{ids.draft}"):  # her own draft
        found = browser("ann").get(f"comments/lookup?field=post&key={key}").json["results"]
        assert [one["label"] for one in found] == ["Half a thought"]
    assert admin.get(f"comments/lookup?field=post&key=%23{'9' * 19}").json["results"] == []


def test_filter_by_id_accepts_keys_and_names(admin, ids):
    for typed in ("tide-tables", "Tide tables", str(ids.live), f"%23{ids.live}"):
        answer = admin.get(f"comments/?post={typed}", follow_redirects=True)
        page = page_of(answer)
        assert answer.status_code == 200, typed
        assert "Post is Tide tables" in page.select_one(".chips .chip").get_text(" ", strip=True)
        shown = page.select_one('.filters [name="post"]')
        assert (shown["value"], shown["data-name"]) == (str(ids.live), "Tide tables")
        assert len(page.select("tbody tr")) == 1


def test_conflict_shows_names(admin, app, ids, state):
    version = state(POSTS, ids.live)["version"]
    with app.app_context():
        for name in ("Low tide", "High tide"):
            write.create(CATEGORIES, SYSTEM, {"name": name})
        write.update(POSTS, SYSTEM, ids.live, {"category": "low-tide"})
    sent = {"version": version, "title": "Tide tables", "body": "x", "category": "high-tide"}
    answer = admin.post(f"posts/edit/?id={ids.live}", sent)
    row = page_of(answer).select(".compare tbody tr")[0].get_text(" ", strip=True)
    assert answer.status_code == 409
    assert row.startswith("Category Sea and shore High tide Low tide")

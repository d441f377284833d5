"""Revisions: compared word by word, and restored by an ordinary change."""

import random
import time

import pytest
from sqlalchemy import select, update

from quire.records import CATEGORIES, REVISIONS
from quire.store.db import transaction
from quire.store.history.text_diff import diff


@pytest.fixture
def ann(as_):
    return as_("ann")


@pytest.fixture
def post(ann, content):
    """Ann's live post, changed twice."""
    address = f"posts/{content.live}"
    ann.patch(address, json={"body": "The quick brown fox.", "tags": ["sea", "fox"]})
    ann.patch(address, json={"title": "Second", "body": "The slow brown dog!", "slug": "second"})
    return address


def test_texts_are_compared_word_by_word_and_other_values_as_a_whole(ann, post):
    got = ann.get(f"{post}/revisions/2/diff?to=3").json
    assert (got["type"], got["from"], got["to"]) == ("posts", 2, 3)
    fields = {one["field"]: one for one in got["fields"]}
    assert list(fields) == ["title", "slug", "body"]
    assert fields["body"]["parts"] == [
        {"op": "equal", "text": "The "},
        {"op": "delete", "text": "quick"},
        {"op": "insert", "text": "slow"},
        {"op": "equal", "text": " brown "},
        {"op": "delete", "text": "fox."},
        {"op": "insert", "text": "dog!"},
    ]
    assert ann.get(f"{post}/revisions/2/diff").json == got
    tags = {one["field"]: one for one in ann.get(f"{post}/revisions/1/diff?to=2").json["fields"]}
    assert [tag["name"] for tag in tags["tags"]["after"]] == ["fox", "sea"]
    assert ann.get(f"{post}/revisions/2/diff?to=2").json["fields"] == []


def test_invalid_comparisons_are_refused(ann, as_, post):
    assert ann.get(f"{post}/revisions/9/diff").status_code == 404
    assert ann.get(f"{post}/revisions/1/diff?to=9").status_code == 404
    for text in ("x", "0", "-1", "99999999999", "٣"):
        assert ann.get(f"{post}/revisions/1/diff?to={text}").status_code == 400
    assert as_("abe").get(f"{post}/revisions/1/diff").status_code == 403


def test_revision_older_than_a_field_has_its_default(ann, app, content, post):
    table = REVISIONS.table.c
    first = (table.type == "posts", table.record_id == content.live, table.version == 1)
    with app.app_context(), transaction() as connection:
        data = connection.execute(select(table.data).where(*first)).scalar_one()
        older = {name: value for name, value in data.items() if name not in ("excerpt", "tags")}
        connection.execute(update(REVISIONS.table).where(*first).values(data=older))
    same = ann.get(f"{post}/revisions/1/diff?to=2").json["fields"]
    assert [one["field"] for one in same] == ["body", "tags"]
    stale = ann.patch(post, json={"title": "x", "version": 1}).json
    assert stale["changed_fields"] == ["title", "slug", "body", "tags"]
    ann.patch(post, json={"excerpt": "short"})
    done = ann.post(f"{post}/revisions/1/restore").json
    assert (done["excerpt"], done["tags"]) == ("", [])


def test_restoring_creates_a_version_with_relations(ann, client, post):
    done = ann.post(f"{post}/revisions/1/restore")
    assert done.status_code == 200
    assert (done.json["title"], done.json["version"]) == ("Live", 4)
    assert {tag["name"] for tag in done.json["tags"]} == {"sea", "sky"}
    assert (done.json["slug"], done.json["body_html"]) == ("live", "<p>About Live.</p>\n")
    assert client.get("posts/by-slug/second").status_code == 301
    last = ann.get(f"{post}/revisions?sort=-version").json["revisions"][0]
    assert (last["action"], last["actor"]["username"]) == ("restore_revision", "ann")
    assert ann.post(f"{post}/revisions/1/restore").json["version"] == 4


def test_restoring_does_not_change_visibility(ann, content):
    post = f"posts/{content.draft}"
    ann.post(f"{post}/publish")
    ann.patch(post, json={"title": "Third"})
    done = ann.post(f"{post}/revisions/1/restore").json
    assert (done["title"], done["status"]) == ("Draft", "published")


def test_stale_restore_changes_nothing(ann, as_, post):
    assert ann.post(f"{post}/revisions/1/restore", json={"version": 2}).status_code == 412
    headers = {"If-Match": '"v2-0123456789abcdef"'}
    assert ann.post(f"{post}/revisions/1/restore", headers=headers).status_code == 412
    assert ann.post(f"{post}/revisions/7/restore").status_code == 404
    refused = ann.post(f"{post}/revisions/1/restore", json={"title": "x", "skip_missing": 1})
    assert {one["field"] for one in refused.json["details"]} == {"title", "skip_missing"}
    for name, status in ((None, 401), ("bob", 403), ("abe", 403)):
        assert as_(name).post(f"{post}/revisions/1/restore").status_code == status
    assert ann.get(post).json["version"] == 3


def test_missing_references_are_named_or_skipped(ann, as_, make, content):
    post, moderator = f"posts/{content.live}", as_("mod")
    category = make(CATEGORIES, name="Shore")
    ann.patch(post, json={"category": category})
    sky = next(tag["id"] for tag in ann.get(post).json["tags"] if tag["name"] == "sky")
    ann.patch(post, json={"category": None, "tags": [], "title": "Bare"})
    moderator.delete(f"categories/{category}")
    moderator.delete(f"tags/{sky}")
    refused = ann.post(f"{post}/revisions/2/restore")
    assert refused.status_code == 422
    assert [(one["field"], one["message"]) for one in refused.json["details"]] == [
        ("category", "Category: the category “Shore” no longer exists."),
        ("tags", "Tags: the tag “sky” no longer exists."),
    ]
    done = ann.post(f"{post}/revisions/2/restore", json={"skip_missing": True}).json
    assert [tag["name"] for tag in done["tags"]] == ["sea"]
    assert (done["title"], done["category"]) == ("Live", None)


def test_slug_taken_meanwhile_is_a_conflict(ann, post):
    ann.post("posts", json={"title": "Live", "body": "x", "slug": "live"})
    refused = ann.post(f"{post}/revisions/1/restore")
    assert (refused.status_code, refused.json["details"][0]["field"]) == (409, "slug")


def shuffled(seed):
    return " ".join(random.Random(seed).choices("abcdefghij", k=131072))


HARD = {
    "one sign": lambda: ("a " * 131072, "b " * 131072),
    "shuffled": lambda: (shuffled(1), shuffled(2)),
    "periodic": lambda: ("ab, " * 65536, "x " + "ba. " * 65535),
    "signs": lambda: ("!?" * 131072, "?!." * 87381),
}


@pytest.mark.parametrize("name", HARD)
def test_hardest_texts_take_a_bounded_time(name):
    before, after = HARD[name]()
    start = time.process_time()
    found = diff(before, after)
    assert time.process_time() - start < 10
    assert "".join(one["text"] for one in found if one["op"] != "insert") == before
    assert "".join(one["text"] for one in found if one["op"] != "delete") == after


def test_any_texts_can_be_compared():
    assert diff("", "") == []
    assert diff("a\u0301 😀\n", "a\u0301 😀\n") == [{"op": "equal", "text": "a\u0301 😀\n"}]

"""Draft, scheduled, published, archived: how a post changes its status, by fields and by actions."""

import pytest

from tests.api.test_access_order import code
from tests.clocks import EARLIER, FUTURE, PAST

POST = {"title": "x", "body": "y"}


@pytest.mark.parametrize(
    ("given", "status", "published"),
    [
        ({}, "draft", False),
        ({"published_at": None}, "draft", False),
        ({"published": False}, "draft", False),
        ({"published": True}, "published", True),
        ({"published_at": PAST}, "published", True),
        ({"published_at": FUTURE}, "scheduled", False),
        ({"published_at": FUTURE, "published": False}, "scheduled", False),
        ({"published_at": PAST, "published": True}, "published", True),
        ({"published_at": None, "published": False}, "draft", False),
        ({"published_at": EARLIER, "unpublish_at": PAST}, "archived", False),
        ({"published_at": "2026-01-02T12:00:00.9+02:00"}, "published", True),
    ],
)
def test_new_posts(as_, given, status, published):
    answer = as_("ann").post("posts", json=POST | given)
    assert (answer.json["status"], answer.json["published"]) == (status, published)
    seen = as_(None).get(f"posts/{answer.json['id']}")
    assert seen.status_code == (200 if status == "published" else 404)


def test_times_are_shown_in_utc(as_):
    answer = as_("ann").post("posts", json=POST | {"published_at": "2026-01-02T12:00:00.9+02:00"})
    assert answer.json["published_at"] == "2026-01-02T10:00:00Z"


@pytest.mark.parametrize(
    "given",
    [
        {"published": True, "published_at": FUTURE},
        {"published": False, "published_at": PAST},
        {"published": True, "published_at": None},
    ],
)
def test_contradictions_are_refused(as_, given):
    answer = as_("ann").post("posts", json=POST | given)
    assert code(answer) == (422, "validation_failed")
    assert answer.json["details"][0]["field"] == "published"


def test_unchanged_keys_sent_back_do_not_contradict(as_, content):
    ann = as_("ann")
    live = ann.get(f"posts/{content.live}").json
    moved = ann.put(f"posts/{content.live}", json=live | {"published_at": FUTURE})
    assert moved.json["status"] == "scheduled"
    back = ann.patch(f"posts/{content.live}", json={"published": True, "published_at": FUTURE})
    assert back.json["status"] == "published"
    draft = ann.get(f"posts/{content.draft}").json
    put = ann.put(f"posts/{content.draft}", json=draft | {"published": True})
    assert put.json["status"] == "published"


def test_published_flag_can_be_patched(as_, content):
    ann = as_("ann")
    off = ann.patch(f"posts/{content.live}", json={"published": False}).json
    assert (off["status"], off["published_at"]) == ("draft", None)
    on = ann.patch(f"posts/{content.live}", json={"published": True}).json
    assert on["status"] == "published"
    same = ann.patch(f"posts/{content.live}", json={"published": True}).json
    assert same["version"] == on["version"]
    again = ann.patch(f"posts/{content.archived}", json={"published": True}).json
    assert (again["status"], again["unpublish_at"]) == ("published", None)


def test_publish(as_, content):
    ann = as_("ann")
    answer = ann.post(f"posts/{content.draft}/publish")
    assert (answer.status_code, answer.json["status"]) == (200, "published")
    again = ann.post(f"posts/{content.draft}/publish", json={})
    assert again.json == answer.json
    later = ann.post(f"posts/{content.draft}/publish", json={"at": FUTURE}).json
    assert (later["status"], later["published_at"]) == ("scheduled", FUTURE)
    back = ann.post(f"posts/{content.draft}/publish", json={"at": EARLIER}).json
    assert (back["status"], back["published_at"]) == ("published", EARLIER)
    now = ann.post(f"posts/{content.later}/publish", json={"at": None}).json
    assert now["status"] == "published"


@pytest.mark.parametrize(
    ("given", "field"), [({"at": "soon"}, "at"), ({"at": 5}, "at"), ({"when": 1}, "when")]
)
def test_invalid_inputs_of_publish_are_refused(as_, content, given, field):
    answer = as_("ann").post(f"posts/{content.draft}/publish", json=given)
    assert code(answer) == (422, "validation_failed")
    assert answer.json["details"][0]["field"] == field


def test_unpublish(as_, content):
    ann = as_("ann")
    for id in (content.live, content.later, content.archived):
        answer = ann.post(f"posts/{id}/unpublish").json
        assert (answer["status"], answer["published_at"]) == ("draft", None)
    assert code(ann.post(f"posts/{content.draft}/unpublish")) == (409, "wrong_state")


def test_trashed_record_must_be_restored_first(as_, content):
    ann = as_("ann")
    for answer in (
        ann.post(f"posts/{content.trashed}/publish"),
        ann.post(f"posts/{content.trashed}/unpublish"),
        ann.post(f"posts/{content.trashed}/duplicate"),
        ann.patch(f"posts/{content.trashed}", json={"title": "x"}),
    ):
        assert code(answer) == (409, "wrong_state")


def test_duplicate(as_, content):
    first = as_("abe").post(f"posts/{content.live}/duplicate")
    copy = first.json
    assert first.status_code == 201
    assert first.headers["Location"] == f"/api/v1/posts/{copy['id']}"
    assert (copy["title"], copy["slug"], copy["status"], copy["version"]) == (
        "Live",
        "live-2",
        "draft",
        1,
    )
    assert copy["author"]["username"] == "abe"
    assert [tag["name"] for tag in copy["tags"]] == ["sea", "sky"]
    assert as_("mod").post(f"posts/{content.draft}/duplicate").json["author"]["username"] == "mod"
    assert code(as_("bob").post(f"posts/{content.live}/duplicate")) == (403, "forbidden")


def test_pages_have_a_status_too(as_, content):
    mod = as_("mod")
    assert mod.post(f"pages/{content.page}/unpublish").json["status"] == "draft"
    assert code(as_(None).get(f"pages/{content.page}")) == (404, "not_found")
    assert code(as_("ann").get(f"pages/{content.page}")) == (404, "not_found")
    assert (
        mod.patch(f"pages/{content.page}", json={"published_at": FUTURE}).json["status"]
        == "scheduled"
    )
    assert mod.post(f"pages/{content.page}/publish").json["status"] == "published"


def test_slugs(as_, content):
    ann = as_("ann")
    assert ann.post("posts", json=POST | {"title": "Live"}).json["slug"] == "live-2"
    assert ann.post("posts", json=POST | {"title": "Live"}).json["slug"] == "live-3"
    taken = ann.post("posts", json=POST | {"slug": "live"})
    assert code(taken) == (409, "duplicate")
    assert taken.json["details"][0]["field"] == "slug"
    assert code(ann.patch(f"posts/{content.draft}", json={"slug": "live"})) == (409, "duplicate")
    assert ann.post("posts", json=POST | {"title": "???"}).json["slug"]
    assert ann.post("posts", json=POST | {"title": "Größe & Maß"}).json["slug"] == "grosse-mass"

"""Bodies with wrong values: every mistake is named, in our own words."""

import re

import pytest

from quire.declare.record import REGISTRY
from quire.records import CATEGORIES, POSTS

BODY = {"title": "T", "body": "b"}
LIBRARY = re.compile(
    r"datetime|timedelta|Input should|must be in \d|out of range|NoneType|has no|<class|appear to be"
    r"|Value error|strptime|isoformat|month must|instance of|\.\."
)
"""What Python and its libraries say."""
ODD = [
    0, 1, -1, 1.5, True, None, "", "x", [], [1], {}, {"id": "1"}, {"id": None}, [[]], [{"a": 1}], 2**62,
    "2030-01-01T00:00:00+25:00", "2030-01-01T00:00:60Z", "2030-13-01T00:00:00Z", "0000-01-01T00:00:00Z",
    "2030-02-30T00:00:00Z", "2030-01-01T24:30:00Z", "2030-01-01T00:00:00+24:00", "0001-01-01T00:00:00+23:00",
    "2030-02-30", "2030-13-01", "0000-01-01", "300.0.0.1", ["300.0.0.1"], ["1.1.1.1/99"], "NaN", "1e5",
    ["x:read"], "9" * 400, "\u200b",
]  # fmt: skip


def messages(answer):
    return {one["field"]: one["message"] for one in answer.json.get("details", [])}


@pytest.mark.parametrize("path", REGISTRY)
def test_no_message_comes_from_a_library(app, as_, path):
    record, root = REGISTRY[path], as_("root")
    if path == "media" or not any(one.on_create or one.on_update for one in record.fields):
        return
    bad = []
    for value in ODD:
        raw = {one.name: value for one in record.fields if one.on_create or one.on_update}
        answer = root.post(path, json=raw)
        bad += [text for text in messages(answer).values() if LIBRARY.search(text)]
        assert answer.status_code in (201, 404, 405, 409, 422), value
    assert not bad


@pytest.mark.parametrize(
    "moment",
    [
        "2030-01-01T00:00:00+25:00", "2030-01-01T00:00:00+24:00", "2030-01-01T00:00:60Z", "2030-13-01T00:00:00Z",
        "0000-01-01T00:00:00Z", "2030-02-30T00:00:00Z", "2030-01-01T25:00:00Z", "2030-01-01", "tomorrow",
    ],
)  # fmt: skip
def test_invalid_times_are_refused(as_, moment):
    root = as_("root")
    answer = root.post("posts", json={**BODY, "published_at": moment})
    words = "Published at must be a date and time such as 2026-01-31T12:00:00Z."
    assert (answer.status_code, messages(answer)) == (422, {"published_at": words})
    if moment != "2030-01-01":
        answer = root.get("posts", query_string={"published_at__gte": moment})
        assert (answer.status_code, answer.json["code"]) == (400, "invalid_parameter")
        assert answer.json["message"] == f"published_at__gte {words.removeprefix('Published at ')}"


def test_invalid_times_are_refused_in_actions(as_, make, people):
    id = make(POSTS, **BODY, author=people["ann"].id)
    answer = as_("ann").post(f"posts/{id}/publish", json={"at": "2030-01-01T00:00:00+25:00"})
    assert messages(answer) == {"at": "At must be a date and time such as 2026-01-31T12:00:00Z."}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("published", 0), ("published", 1), ("published", 0.0), ("published", "false"), ("published", None),
        ("comments_open", 1), ("comments_open", 1.0), ("title", 5), ("tags", "x"), ("cover", True),
        ("category", True), ("author", 1.5), ("author", []), ("tags", [True]), ("tags", [None]),
    ],
)  # fmt: skip
def test_types_are_strict(as_, make, people, name, value):
    id = make(POSTS, **BODY, author=people["ann"].id)
    root = as_("root")
    for answer in (
        root.patch(f"posts/{id}", json={name: value}),
        root.put(f"posts/{id}", json={**BODY, name: value}),
        root.post("posts", json={**BODY, name: value}),
    ):
        assert answer.status_code == 422
        assert [(one["field"], one["code"]) for one in answer.json["details"]] == [
            (name, "wrong_type")
        ]


def test_booleans_are_not_numbers(as_, make):
    page = as_("root").post("pages", json={**BODY, "position": True})
    assert messages(page) == {"position": "Position must be a whole number."}
    page = as_("root").post("pages", json={**BODY, "position": 1.0})
    assert (page.status_code, page.json["position"]) == (201, 1)
    user = as_("root").patch("users/3", json={"is_admin": 0})
    assert [one["code"] for one in user.json["details"]] == ["read_only"]


def test_references_can_be_objects(as_, make, people):
    root = as_("root")
    make(CATEGORIES, name="News")
    made = root.post(
        "posts",
        json={**BODY, "author": {"username": "Ann"}, "category": {"slug": "news"},
              "tags": [{"name": "new"}]},
    )  # fmt: skip
    assert made.status_code == 201
    assert made.json["author"]["username"] == "ann"
    assert made.json["category"]["slug"] == made.json["category"]["name"].lower() == "news"
    answer = root.post("posts", json={**BODY, "author": {"name": "ann"}, "cover": {"url": "/x"}})
    assert messages(answer) == {
        "author": "Author must be an ID or a username.",
        "cover": "Cover must be an ID.",
    }
    own = as_("ann").patch(f"posts/{made.json['id']}", json={"author": {"username": "ann"}})
    assert own.status_code == 200


def test_invalid_references_are_named_with_all_other_errors(as_, make, people):
    root = as_("root")
    id = make(POSTS, **BODY, author=people["ann"].id)
    raw = {"category": 99999999, "title": 5, "tags": [7777, "new"], "author": "nobody", "cover": 4}
    codes = {
        "title": "wrong_type", "category": "not_found", "tags": "not_found", "author": "not_found",
        "cover": "not_found",
    }  # fmt: skip
    for answer in (
        root.patch(f"posts/{id}", json=raw),
        root.put(f"posts/{id}", json={**raw, "body": "b"}),
        root.post("posts", json={**raw, "body": "b"}),
    ):
        assert answer.status_code == 422
        assert {one["field"]: one["code"] for one in answer.json["details"]} == codes
    several = root.patch(f"posts/{id}", json={"category": 9, "author": 99, "cover": 999})
    assert messages(several).keys() == {"category", "author", "cover"}
    assert root.get("tags").json["total"] == 0


def test_errors_within_a_list_are_located(as_):
    root = as_("root")
    links = root.patch("profiles/1", json={"links": ["https://example.org", "ftp://x"]})
    words = "must be a URL such as https://example.org/."
    assert messages(links) == {"links": f"Links, entry 2 {words}"}
    site = root.patch("profiles/1", json={"website": "example.org"})
    assert messages(site) == {"website": f"Website {words}"}
    menu = root.patch("appearance", json={"menu": [{"label": "Home"}]})
    assert messages(menu)["menu"].startswith("Menu entry 1 needs a path such as /about")
    key = {"name": "x", "scopes": [], "networks": ["192.0.2.7", "300.1.1.1/8"]}
    assert messages(root.post("api_keys", json=key)) == {
        "scopes": "Scopes needs 1 or more values.",
        "networks": "Networks, entry 2 must be a network such as 192.0.2.7, 192.0.2.0/24 or "
        "2001:db8::/32.",
    }


def test_byte_order_mark_is_ignored(as_):
    raw = b'\xef\xbb\xbf{"title": "T", "body": "b"}'
    made = as_("ann").post("posts", data=raw, content_type="application/json")
    assert (made.status_code, made.json["title"]) == (201, "T")


def test_lists_without_a_sort_order_are_sorted_by_id(app, as_):
    root = as_("root")
    for name in ("one", "two", "three"):
        root.post("tags", json={"name": name})
    ordered = {"posts", "settings", "appearance"}
    for path in REGISTRY.keys() - ordered:
        answer = root.get(path)
        if answer.status_code == 200:
            ids = [row["id"] for row in answer.json[path]]
            assert ids == sorted(ids), path


@pytest.mark.parametrize(
    ("parameter", "words"),
    [
        ("id=x", "id must be a whole number."), ("id=1_0", "id must be a whole number."),
        ("id__in=1,٢", "id__in must be a whole number."), ("views__gte=1.5", "views__gte must be a whole number."),
        ("id=" + "9" * 19, "id must be a whole number."), ("id=" + "9" * 5000, "id must be a whole number."),
        ("published=maybe", "published must be true or false."),
        ("category__isnull=1", "category__isnull must be true or false."),
        ("trashed=1", "trashed must be true or false."),
        ("created_at__lt=2030-02-30", "created_at__lt must be a date such as 2026-01-31."),
        ("created_at__lt=9999-12-31T23:59:59-12:00", "created_at__lt must be between the years 1 and 9999."),
        ("author=ann", "author must be a whole number. It takes IDs; to filter by name, use author.username."),
        ("q=" + "a" * 201, "A search can have at most 200 characters."),
    ],
)  # fmt: skip
def test_invalid_filter_values_are_refused(as_, parameter, words):
    answer = as_("root").get(f"posts?{parameter}")
    assert (answer.status_code, answer.json["message"]) == (400, words)
    assert answer.json["details"][0]["field"] == parameter.partition("=")[0]

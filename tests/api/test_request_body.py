"""The body of a request: one strict JSON object, or a 4xx that says why not."""

import json

import pytest

from tests.api.test_access_order import code

NEW = '{"title": "x", "body": "y"%s}'
BROKEN = {
    "array": b"[]",
    "null": b"null",
    "text": b'"x"',
    "nothing": b"",
    "not JSON": b"{title: 1}",
    "trailing": b'{"title": "x"} {}',
    "trailing comma": b'{"title": "x",}',
    "depth 33": b'{"a":' + b"[" * 32 + b"]" * 32 + b"}",
    "1001 keys": json.dumps(dict.fromkeys(map(str, range(1001)), 1)).encode(),
    "NaN": (NEW % ', "views": NaN').encode(),
    "Infinity": (NEW % ', "views": -Infinity').encode(),
    "1e400": (NEW % ', "views": 1e400').encode(),
    "2^63": (NEW % f', "views": {2**63}').encode(),
    "-2^63-1": (NEW % f', "views": {-(2**63) - 1}').encode(),
    "5000 digits": (NEW % f', "views": {"9" * 5000}').encode(),
    "twice": b'{"title": "x", "title": "z", "body": "y"}',
    "twice inside": (NEW % ', "category": {"id": 1, "id": 2}').encode(),
    "surrogate": rb'{"title": "\ud800", "body": "y"}',
    "surrogate key": rb'{"\ud800": "x", "body": "y"}',
    "NUL": rb'{"title": "a\u0000b", "body": "y"}',
    "raw NUL": b'{"title": "a\x00b", "body": "y"}',
    "UTF-16": (NEW % "").encode("utf-16"),
    "UTF-16-LE": (NEW % "").encode("utf-16-le"),
    "Latin-1": '{"title": "é", "body": "y"}'.encode("latin-1"),
    "overlong": b'{"title": "\xc0\x80", "body": "y"}',
}


def is_malformed(answer):
    return code(answer) == (400, "malformed_body") and "Traceback" not in answer.text


@pytest.mark.parametrize("name", BROKEN)
def test_ambiguous_or_malformed_body_is_400(as_, name):
    assert is_malformed(
        as_("ann").post("posts", data=BROKEN[name], content_type="application/json")
    )


@pytest.mark.parametrize("part", [b"[", b'{"a":'])
def test_deeply_nested_body_is_400(as_, part):
    body = part * 200_000
    assert is_malformed(as_("ann").post("posts", data=body, content_type="application/json"))


def test_values_at_the_limits_are_accepted(as_):
    ann = as_("ann")
    deep = b'{"a":' + b"[" * 31 + b"]" * 31 + b"}"
    assert ann.post("posts", data=deep, content_type="application/json").status_code == 422
    assert ann.post("posts", json=dict.fromkeys(map(str, range(1000)), 1)).status_code == 422
    answer = ann.post("posts", json={"title": "x", "body": "y", "views": 2**63 - 1})
    assert answer.status_code == 201
    assert answer.json["views"] == 0


@pytest.mark.parametrize(
    ("method", "mime", "status"),
    [
        ("POST", "text/plain", 415), ("POST", "application/merge-patch+json", 415), ("POST", "", 415),
        ("POST", "application/x-www-form-urlencoded", 415), ("PUT", "text/html", 415),
        ("POST", "application/json; charset=utf-8", 422), ("PATCH", "application/json", 200),
        ("PATCH", "application/merge-patch+json", 200), ("PATCH", "application/json-patch+json", 415),
    ],
)  # fmt: skip
def test_media_types(as_, content, method, mime, status):
    path = "posts" if method == "POST" else f"posts/{content.live}"
    answer = as_("ann").open(path, method=method, data=b"{}", content_type=mime)
    assert answer.status_code == status
    if status == 415:
        assert answer.json["code"] == "unsupported_media_type"


def test_sizes(as_):
    ann = as_("ann")
    exact = {"title": "x", "body": "é" * (128 * 1024)}
    assert ann.post("posts", json=exact).status_code == 201
    answer = ann.post("posts", json={"title": "x", "body": "é" * (128 * 1024) + "."})
    assert code(answer) == (422, "validation_failed")
    assert [(d["field"], d["code"]) for d in answer.json["details"]] == [("body", "too_long")]
    answer = ann.post("posts", json={"title": "x", "body": "x" * (1024 * 1024)})
    assert code(answer) == (413, "too_large")


WRONG = [
    ({"title": 5}, "title", "wrong_type"),
    ({"title": None}, "title", "wrong_type"),
    ({"title": ["x"]}, "title", "wrong_type"),
    ({"title": {}}, "title", "wrong_type"),
    ({"title": ""}, "title", "too_short"),
    ({"title": "  "}, "title", "too_short"),
    ({"title": "x" * 201}, "title", "too_long"),
    ({"comments_open": 1}, "comments_open", "wrong_type"),
    ({"comments_open": "true"}, "comments_open", "wrong_type"),
    ({"comments_open": None}, "comments_open", "wrong_type"),
    ({"published_at": 5}, "published_at", "wrong_type"),
    ({"published_at": "soon"}, "published_at", "bad_format"),
    ({"published_at": "2026-13-01T00:00:00Z"}, "published_at", "bad_format"),
    ({"published_at": "2026-01-01"}, "published_at", "bad_format"),
    ({"published_at": "0001-01-01T00:00:00+23:00"}, "published_at", "bad_format"),
    ({"published_at": "9999-12-31T23:59:59-23:00"}, "published_at", "bad_format"),
    ({"published": "yes"}, "published", "wrong_type"),
    ({"slug": "a b"}, "slug", "bad_format"),
    ({"slug": "../x"}, "slug", "bad_format"),
    ({"category": 999}, "category", "not_found"),
    ({"category": "nowhere"}, "category", "not_found"),
    ({"category": True}, "category", "wrong_type"),
    ({"category": 1.5}, "category", "wrong_type"),
    ({"category": []}, "category", "wrong_type"),
    ({"category": {"name": "x"}}, "category", "wrong_type"),
    ({"category": 2**62}, "category", "not_found"),
    ({"category": -1}, "category", "not_found"),
    ({"tags": "x"}, "tags", "wrong_type"),
    ({"tags": None}, "tags", "wrong_type"),
    ({"tags": [None]}, "tags", "wrong_type"),
    ({"tags": [["x"]]}, "tags", "wrong_type"),
    ({"tags": [999]}, "tags", "not_found"),
    ({"tags": [f"tag {number}" for number in range(51)]}, "tags", "too_long"),
    ({"tags": [""]}, "tags", "too_short"),
    ({"tags": ["x" * 101]}, "tags", "too_long"),
    ({"body": ""}, "body", "too_short"),
    ({"body": " \n\t"}, "body", "too_short"),
    ({"views": "many"}, None, None),
    ({"id": 5}, "id", "read_only"),
    ({"status": "published"}, "status", "read_only"),
    ({"body_html": "<b>"}, "body_html", "read_only"),
    ({"created_at": "2020-01-01T00:00:00Z"}, "created_at", "read_only"),
    ({"author": 1}, "author", "read_only"),
    ({"sorted_at": "x"}, "sorted_at", "unknown"),
    ({"author_id": 1}, "author_id", "unknown"),
    ({"__class__": "x"}, "__class__", "unknown"),
    ({"": 1}, "", "unknown"),
]


@pytest.mark.parametrize(("extra", "field", "word"), WRONG, ids=lambda v: str(v)[:30])
def test_invalid_values_are_named(as_, people, extra, field, word):
    answer = as_("ann").post("posts", json={"title": "x", "body": "y"} | extra)
    if field is None:
        assert answer.status_code == 201
        return
    assert code(answer) == (422, "validation_failed")
    assert [(d["field"], d["code"]) for d in answer.json["details"]] == [(field, word)]
    assert answer.json["details"][0]["message"] in answer.json["message"]


def test_list_that_nearly_fills_the_body_is_too_long(as_):
    answer = as_("ann").post("posts", json={"title": "x", "body": "y", "tags": [1] * 300_000})
    assert code(answer) == (422, "validation_failed")
    assert [(d["field"], d["code"]) for d in answer.json["details"]] == [("tags", "too_long")]


def test_all_invalid_fields_are_named_together(as_):
    answer = as_("ann").post(
        "posts",
        json={"title": "x" * 201, "nope": 1, "status": "draft", "comments_open": 3, "tags": 1},
    )
    found = {(d["field"], d["code"]) for d in answer.json["details"]}
    assert found == {
        ("title", "too_long"), ("nope", "unknown"), ("status", "read_only"), ("body", "required"),
        ("comments_open", "wrong_type"), ("tags", "wrong_type"),
    }  # fmt: skip
    assert "Title is longer than 200 characters." in answer.json["message"]


@pytest.mark.parametrize(
    ("path", "role", "needed"),
    [
        ("posts", "ann", {"title", "body"}), ("pages", "mod", {"title", "body"}),
        ("tags", "ann", {"name"}), ("categories", "mod", {"name"}), ("comments", "bob", {"post", "body"}),
        ("users", None, {"username", "email", "password"}), ("redirects", "mod", {"path", "target"}),
    ],
)  # fmt: skip
def test_missing_fields_are_named(as_, path, role, needed):
    answer = as_(role).post(path, json={})
    assert {(d["field"], d["code"]) for d in answer.json["details"]} == {
        (n, "required") for n in needed
    }


@pytest.mark.parametrize(
    "path",
    ["posts/" + "9" * 22, "posts/0", "posts/-1", "posts/1.5", "posts/abc", "posts/%00", "posts/2147483648", "users/01", "users/%D9%A1",
     "posts/1/revisions/" + "9" * 22, "nothing", "posts/1/nothing", "by-slug/x", "posts//1", "/x/../.."],
)  # fmt: skip
def test_unknown_urls_are_404(as_, path):
    answer = as_("root").get(f"/api/v1/{path}")
    assert code(answer) == (404, "not_found")


@pytest.mark.parametrize(
    "query",
    ["page=abc", "page=0", "page=-1", "page=" + "9" * 22, "page=1e20", "per_page=0", "per_page=101",
     "per_page=", "page=%00", "id=" + "9" * 22, "id=1.5", "id=x", "views__gte=1_0", "trashed=2",
     "published=maybe", "published_at=soon", "published_at__gte=2026-02-30", "status=nope", "count=all",
     "id__isnull=x", "title=%00", "search=" + "x" * 201, "search=a&q=b", "page=1&page=2"],
)  # fmt: skip
def test_parameter_values(client, query):
    answer = client.get(f"posts?{query}")
    assert code(answer) == (400, "invalid_parameter")
    assert answer.json["details"][0]["field"] == query.partition("=")[0] or "&" in query


@pytest.mark.parametrize(
    "query", ["id=9223372036854775807", "id__in=-5,7", "page=46116860184273879"]
)
def test_large_numbers_find_nothing(client, query):
    answer = client.get(f"posts?{query}")
    assert answer.status_code == 200
    assert answer.json["posts"] == []


def test_invalid_utf_8_finds_nothing(client):
    assert client.get("posts?title=%ff%fe").json["posts"] == []


def test_json_is_returned_as_utf_8(as_):
    answer = as_("ann").post("posts", json={"title": "Üß 🌊", "body": "é"})
    assert "Üß 🌊".encode() in answer.data
    assert json.loads(answer.data)["slug"]

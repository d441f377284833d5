"""`Prefer: return=minimal`: a change without its object in the response, but with its location."""

import pytest

from quire.records import POSTS

MINIMAL = {"Prefer": "return=minimal"}


def is_minimal(answer, location):
    return (
        (answer.status_code, answer.data) == (204, b"")
        and answer.headers["Location"] == location
        and answer.headers["Preference-Applied"] == "return=minimal"
    )


def test_writes_respond_with_location_and_etag(as_, content):
    ann, address = as_("ann"), f"/api/v1/posts/{content.live}"
    changes = (("PATCH", address, {"excerpt": "x"}), ("POST", f"{address}/unpublish", {}))
    for method, place, body in changes:
        answer = ann.open(place, method=method, json=body, headers=MINIMAL)
        assert is_minimal(answer, address)
        assert answer.headers["ETag"] == ann.get(address).headers["ETag"]
    based = {"If-Match": answer.headers["ETag"]}
    assert ann.patch(address, json={"title": "y"}, headers=based).status_code == 200


def test_new_record_is_minimal(as_, app):
    answer = as_("ann").post("posts", json={"title": "New", "body": "x"}, headers=MINIMAL)
    address = answer.headers["Location"]
    assert is_minimal(answer, address)
    assert as_("ann").get(address).json["title"] == "New"


def test_singletons_nested_records_and_drafts_are_minimal(as_, content):
    settings = as_("root").patch("settings", json={"tagline": "x"}, headers=MINIMAL)
    assert is_minimal(settings, "/api/v1/settings")
    below = as_("bob").post(f"posts/{content.live}/comments", json={"body": "Hi"}, headers=MINIMAL)
    assert is_minimal(below, below.headers["Location"])
    assert below.headers["Location"].startswith("/api/v1/comments/")
    draft = f"/api/v1/posts/{content.live}/draft"
    begun = as_("ann").patch(draft, json={"title": "z"}, headers=MINIMAL)
    assert is_minimal(begun, draft)
    assert begun.headers["ETag"] == as_("ann").get(draft).headers["ETag"]


def test_response_with_a_secret_is_not_minimal(as_, app):
    given = {"name": "k", "scopes": ["posts:read"]}
    answer = as_("ann").post("api_keys", json=given, headers=MINIMAL)
    assert answer.status_code == 201 and answer.json["key"]
    assert "Preference-Applied" not in answer.headers


@pytest.mark.parametrize(
    ("value", "applied"),
    [
        ("return=minimal", True), ("respond-async, Return=Minimal", True), ('return="minimal"; x', True),
        ("return=representation", False), ("return=minimalist", False), ("xreturn=minimal", False), ("", False),
    ],
)  # fmt: skip
def test_preference_is_parsed(as_, make, people, value, applied):
    id = make(POSTS, title="x", body="y", author=people["ann"].id)
    answer = as_("ann").patch(f"posts/{id}", json={"title": "z"}, headers={"Prefer": value})
    assert answer.status_code == (204 if applied else 200)


def test_errors_are_not_shortened(as_, content):
    answer = as_("ann").patch(f"posts/{content.live}", json={"title": ""}, headers=MINIMAL)
    assert answer.status_code == 422 and answer.json["details"]


def test_repeated_request_is_minimal_too(as_, content):
    headers = {**MINIMAL, "Idempotency-Key": "once"}
    address = f"/api/v1/posts/{content.live}"
    for _ in range(2):
        answer = as_("ann").patch(address, json={"title": "z"}, headers=headers)
        assert (answer.status_code, answer.headers["Location"]) == (204, address)
    assert answer.headers["Idempotency-Replayed"] == "true"

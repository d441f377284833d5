"""Fields that a client may not set are refused or ignored, whoever sends them."""

import pytest

NAMES = {
    "role": "admin", "is_active": False, "is_admin": True, "is_superuser": True, "author_id": 1, "user_id": 1,
    "owner_id": 1, "views": 10**6, "comment_count": 99, "created_at": "2001-01-01T00:00:00Z",
    "updated_at": "2001-01-01T00:00:00Z", "deleted_at": "2001-01-01T00:00:00Z", "deleted_by": 1, "version": 77,
    "id": 4711, "hash": "x", "password_hash": "x", "email_verified_at": "2001-01-01T00:00:00Z", "last_login_at":
    "2001-01-01T00:00:00Z", "search_document": "x", "body_html": "<script>", "html": "<script>", "status_id": 1,
    "state": {}, "type": "users", "url": "http://evil.example/", "__class__": "x", "__proto__": {"role": "admin"},
    "constructor": {"prototype": {}}, "_method": "DELETE", "author.role": "admin",
}  # fmt: skip
BODIES = {
    "posts": {"title": "x", "body": "y"},
    "comments": {"body": "Hi"},
    "tags": {"name": "x"},
    "categories": {"name": "x"},
    "pages": {"title": "x", "body": "y"},
}


def assert_fixed(before, answer, name, value):
    """Fail unless the value was refused or ignored."""
    assert answer.status_code in (200, 201, 412, 422), (name, answer.text)
    if answer.status_code < 300:
        assert answer.json.get(name, before) != value, name


@pytest.mark.parametrize("name", NAMES)
def test_read_only_fields_are_refused_on_creation(as_, content, name):
    ann, root = as_("ann"), as_("root")
    for path, body in BODIES.items():
        place = f"posts/{content.live}/comments" if path == "comments" else path
        client = root if path in ("pages", "categories") else ann
        answer = client.post(place, json=body | {name: NAMES[name]})
        assert_fixed(None, answer, name, NAMES[name])


@pytest.mark.parametrize("name", NAMES)
def test_read_only_fields_are_refused_on_change(as_, content, name):
    bob, ann = as_("bob"), as_("ann")
    places = [(bob, "users/me"), (ann, "users/me"), (ann, f"posts/{content.live}")]
    for client, path in places:
        before = client.get(path).json
        answer = client.patch(path, json={name: NAMES[name]})
        assert_fixed(before.get(name), answer, name, NAMES[name])
        after = client.get(path).json
        kept = {one for one in before if one not in ("updated_at", "version")}
        assert {one: after[one] for one in kept} == {one: before[one] for one in kept}


def test_registration_only_creates_members(client, as_):
    for number, (name, value) in enumerate(NAMES.items()):
        new = {"username": f"eve-{number}", "email": f"e{number}@example.org", "password": "pallas athene 9"}  # fmt: skip
        answer = client.post("users", json=new | {name: value})
        assert answer.status_code in (201, 422), (name, answer.text)
        if answer.status_code == 201:
            assert (answer.json["role"], answer.json["version"]) == ("member", 1), name

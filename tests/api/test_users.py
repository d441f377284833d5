"""Accounts: registering, seeing others, changing one's own, administrators."""

import pytest

from tests.api.test_access_order import code
from tests.users import PASSWORD

NEW = {"username": "Eve", "email": "Eve@Example.org", "password": "a long pass"}
PUBLIC = ["id", "username", "bio", "avatar", "created_at"]
OWN = {
    "email",
    "role",
    "is_admin",
    "is_active",
    "email_verified_at",
    "last_login_at",
    "updated_at",
    "version",
}


def named(answer):
    return {(d["field"], d["code"]) for d in answer.json["details"]}


def test_register(client):
    made = client.post("users", json=NEW)
    assert made.status_code == 201
    assert made.headers["Location"] == f"/api/v1/users/{made.json['id']}"
    assert made.headers["ETag"]
    assert set(made.json) == {*PUBLIC, *OWN}
    assert (made.json["email"], made.json["role"]) == ("eve@example.org", "member")
    assert (made.json["is_admin"], made.json["is_active"]) == (False, True)
    token = client.post("auth/token", json={"email": "eve@example.org", "password": "a long pass"})
    assert token.status_code == 200


@pytest.mark.parametrize(
    ("given", "field"),
    [({"username": "ANN"}, "username"), ({"email": "ANN@example.org"}, "email"),
     ({"email": " ann@example.org "}, "email")],
)  # fmt: skip
def test_taken_names_and_addresses_are_refused(client, people, given, field):
    answer = client.post("users", json=NEW | given)
    assert code(answer) == (409, "duplicate")
    assert named(answer) == {(field, "duplicate")}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"username": "ab"}, ("username", "too_short")), ({"username": "x" * 21}, ("username", "too_long")),
        ({"username": "a b c"}, ("username", "bad_format")), ({"username": "éva"}, ("username", "bad_format")),
        ({"username": "bob\n"}, None), ({"email": "nobody"}, ("email", "bad_format")),
        ({"email": None}, ("email", "wrong_type")), ({"password": "short"}, ("password", "too_short")),
        ({"password": "é" * 513}, ("password", "too_long")), ({"password": None}, ("password", "wrong_type")),
        ({"role": "admin"}, ("role", "unknown")), ({"is_admin": True}, ("is_admin", "unknown")),
        ({"is_active": True}, ("is_active", "unknown")), ({"current_password": "x"}, ("current_password", "unknown")),
        ({"password": "x" * 1024}, None),
    ],
    ids=str,
)  # fmt: skip
def test_validation_of_accounts(client, given, expected):
    answer = client.post("users", json={**NEW, **given})
    if expected is None:
        assert answer.status_code in (201, 409)
    else:
        assert code(answer) == (422, "validation_failed")
        assert named(answer) == {expected}


@pytest.mark.parametrize("registration", ["invitation", "closed"])
def test_registration_can_be_closed(as_, registration):
    as_("root").patch("settings", json={"registration": registration})
    assert code(as_(None).post("users", json=NEW)) == (401, "unauthorized")
    assert as_("root").post("users", json=NEW | {"role": "author"}).json["role"] == "author"


@pytest.mark.parametrize("name", ["bob", "ann", "mod"])
def test_only_administrators_create_users(as_, name):
    assert code(as_(name).post("users", json=NEW)) == (403, "forbidden")


def test_common_passwords(make_app):
    client = make_app(PASSWORD_REFUSE_COMMON=True).test_client()
    for password in (
        "password1", "eve@example.org", "0123456789", "9876543210", "IloveYou1", "abcdefghij",
        "aaaaaaaaaaaa", "abcabcabcabc", "7890123456", "jordan23 ",
    ):  # fmt: skip
        assert named(client.post("users", json=NEW | {"password": password})) == {
            ("password", "not_allowed")
        }
    assert client.post("users", json=NEW).status_code == 201


@pytest.mark.parametrize(
    "forms",
    [
        ("Pa\u0308sswo\u0308rter", "P\xe4ssw\xf6rter"),
        ("correct horse\u2003seven", "correct horse seven"),
    ],
)
def test_password_is_the_same_in_any_unicode_form(client, forms):
    for given, (first, second) in enumerate((forms, forms[::-1])):
        user = {"username": f"eve{given}", "email": f"eve{given}@example.org"}
        assert client.post("users", json=user | {"password": first}).status_code == 201
        sent = {"email": user["email"], "password": second}
        assert client.post("auth/token", json=sent).status_code == 200


def test_access_to_users(as_, people):
    names = lambda client: {user["username"] for user in client.get("users").json["users"]}  # noqa: E731
    writers = {"root", "mod", "ann", "abe"}
    assert names(as_(None)) == writers
    assert names(as_("bob")) == names(as_("mod")) == names(as_("root")) == writers | {"bob"}
    assert names(as_("ann")) == writers
    assert code(as_(None).get(f"users/{people['bob'].id}")) == (404, "not_found")
    assert as_("mod").get(f"users/{people['bob'].id}").status_code == 200


def test_visible_fields_of_users(as_, people):
    ann = people["ann"].id
    for name in (None, "bob", "abe", "mod"):
        assert list(as_(name).get(f"users/{ann}").json) == PUBLIC
    for name in ("ann", "root"):
        assert set(as_(name).get(f"users/{ann}").json) == {*PUBLIC, *OWN}
    shown = as_("ann").get("users?sort=username").json["users"]
    assert {user["username"] for user in shown if "email" in user} == {"ann"}


def test_users_can_change_themselves(as_, people):
    ann = as_("ann")
    for address in ("users/me", f"users/{people['ann'].id}"):
        assert ann.patch(address, json={"bio": address}).json["bio"] == address
    assert ann.patch("users/me", json={"username": "Anna"}).json["username"] == "Anna"
    assert named(ann.patch("users/me", json={"avatar": 1})) == {("avatar", "not_found")}
    for field in ("role", "is_active", "is_admin", "email_verified_at"):
        assert named(ann.patch("users/me", json={field: "admin"})) == {(field, "read_only")}, field
    own = ann.get("users/me").json
    assert ann.patch("users/me", json=own | {"bio": "x"}).status_code == 200
    assert ann.put(f"users/{own['id']}", json=ann.get("users/me").json).status_code == 200
    assert code(ann.patch(f"users/{people['abe'].id}", json={"bio": "x"})) == (403, "forbidden")
    assert code(ann.patch(f"users/{people['bob'].id}", json={"bio": "x"})) == (404, "not_found")


@pytest.mark.parametrize("change", [{"email": "new@example.org"}, {"password": "another pass"}])
@pytest.mark.parametrize("name", ["bob", "root"])
def test_address_and_password_need_the_current_password(as_, name, change):
    one = as_(name)
    assert named(one.patch("users/me", json=change)) == {("current_password", "required")}
    wrong = one.patch("users/me", json=change | {"current_password": "wrong"})
    assert code(wrong) == (422, "validation_failed")
    assert named(wrong) == {("current_password", "not_allowed")}
    right = one.patch("users/me", json=change | {"current_password": PASSWORD})
    assert right.status_code == 200
    assert "current_password" not in right.json
    assert "password" not in right.json


def test_unchanged_address_needs_no_password(as_):
    assert as_("bob").patch("users/me", json={"email": "BOB@example.org"}).status_code == 200


def test_administrators_can_change_others(as_, people):
    root, bob = as_("root"), people["bob"].id
    changed = root.patch(f"users/{bob}", json={"role": "author", "email": "b@example.org"})
    assert (changed.json["role"], changed.json["email"]) == ("author", "b@example.org")
    assert root.patch(f"users/{bob}", json={"password": "another pass"}).status_code == 200
    assert named(root.patch(f"users/{bob}", json={"role": "king"})) == {("role", "not_allowed")}
    assert code(as_("mod").patch(f"users/{bob}", json={"bio": "x"})) == (403, "forbidden")


@pytest.mark.parametrize("change", [{"role": "author"}, {"is_active": False}])
def test_last_administrator_stays(as_, people, change):
    root = as_("root")
    assert code(root.patch("users/me", json=change)) == (409, "last_admin")
    root.patch(f"users/{people['mod'].id}", json={"role": "admin"})
    assert root.patch("users/me", json=change).status_code == 200


def test_deleting_users(as_, people, content):
    root = as_("root")
    assert code(root.delete(f"users/{people['root'].id}")) == (403, "forbidden")
    assert code(as_("bob").delete(f"users/{people['bob'].id}")) == (403, "forbidden")
    assert code(as_("bob").delete("users/me")) == (405, "method_not_allowed")
    refused = root.delete(f"users/{people['ann'].id}")
    assert code(refused) == (409, "wrong_state")
    assert "posts (author)" in refused.json["message"]
    assert [one["field"] for one in refused.json["details"]] == ["posts.author"]
    assert root.delete(f"users/{people['bob'].id}").status_code == 204
    assert code(root.get(f"users/{people['bob'].id}")) == (404, "not_found")


def test_profiles(as_, people):
    profiles = as_(None).get("profiles").json["profiles"]
    assert {one["user"]["username"] for one in profiles} == {"root", "mod", "ann", "abe"}
    assert list(profiles[0]) == ["id", "user", "display_name", "website", "location", "links"]
    ann = as_("ann")
    own = next(
        one for one in ann.get("profiles").json["profiles"] if one["user"]["username"] == "ann"
    )
    given = {
        "display_name": "Ann A.",
        "website": "https://ann.example",
        "links": ["http://x.example/a"],
    }
    changed = ann.patch(f"profiles/{own['id']}", json=given)
    assert {name: changed.json[name] for name in given} == given
    assert named(ann.patch(f"profiles/{own['id']}", json={"website": "javascript:alert(1)"})) == {
        ("website", "bad_format")
    }
    assert code(as_("abe").patch(f"profiles/{own['id']}", json={})) == (403, "forbidden")


def test_settings(as_):
    shown = as_(None).get("settings")
    assert shown.json | {"updated_at": None} == {
        "site_name": "Quire", "tagline": "", "posts_per_page": 10, "registration": "open",
        "comments": "moderated", "version": 1, "updated_at": None,
    }  # fmt: skip
    assert code(as_(None).patch("settings", json={})) == (401, "unauthorized")
    assert code(as_("mod").patch("settings", json={})) == (403, "forbidden")
    root = as_("root")
    changed = root.patch("settings", json={"site_name": "Ours", "posts_per_page": 5}).json
    assert (changed["site_name"], changed["posts_per_page"], changed["version"]) == ("Ours", 5, 2)
    assert root.patch("settings", json=changed | {"tagline": "x"}).status_code == 200
    assert named(root.patch("settings", json={"posts_per_page": 0})) == {
        ("posts_per_page", "too_small")
    }
    assert named(root.patch("settings", json={"posts_per_page": 101})) == {
        ("posts_per_page", "too_large")
    }
    assert named(root.patch("settings", json={"registration": "half"})) == {
        ("registration", "not_allowed")
    }
    assert code(root.put("settings", json={})) == (405, "method_not_allowed")

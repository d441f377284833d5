"""API keys: their form, their scopes, networks and expiry."""

import pytest
from sqlalchemy import update

from quire.declare.clock import now
from quire.declare.record import REGISTRY
from quire.records import API_KEYS
from quire.records.api_keys import all_scopes
from quire.security.tokens import is_key, new_key
from quire.store.db import transaction
from tests.api.test_access_order import code

ALL = ["posts:read", "posts:write", "comments:read", "comments:write", "users:read"]


@pytest.fixture
def key_of(as_):
    """`key_of("ann", "posts:read", ...)`: a new key of hers."""

    def make(who, *scopes, **more):
        answer = as_(who).post("api_keys", json={"name": "k", "scopes": list(scopes), **more})
        assert answer.status_code == 201, answer.text
        return answer.json["key"]

    return make


@pytest.fixture
def with_key(app):
    """`with_key(key)`: a client that sends it."""

    def make(key, header="X-API-Key"):
        client = app.test_client()
        client.environ_base["HTTP_" + header.upper().replace("-", "_")] = (
            key if header == "X-API-Key" else f"Bearer {key}"
        )
        return client

    return make


def test_format_of_a_key():
    key = new_key()
    assert key.startswith("qk_") and len(key) == 52 and key[3:].isalnum() and is_key(key)
    for wrong in (key[:-1], key + "a", key[:-1] + ("a" if key[-1] != "a" else "b"), "qk_", "",
                  key.swapcase(), "ä" * 52):  # fmt: skip
        assert not is_key(wrong)


def test_key_is_shown_once(as_):
    made = as_("ann").post("api_keys", json={"name": "site", "scopes": ["posts:read"]})
    key = made.json["key"]
    assert made.json["prefix"] == key[:11] and made.json["owner"]["username"] == "ann"
    listed = as_("ann").get("api_keys").json["api_keys"][0]
    assert "key" not in listed and "hash" not in listed
    assert key[11:] not in as_("root").get("revisions?type=api_keys").text
    assert key not in as_("root").get("audit_events?type=api_keys").text


@pytest.mark.parametrize("header", ["X-API-Key", "Authorization"])
def test_key_authenticates_its_owner(key_of, with_key, content, header):
    client = with_key(key_of("ann", "posts:read", "posts:write", "users:read"), header)
    assert client.get("users/me").json["username"] == "ann"
    assert client.get(f"posts/{content.draft}").status_code == 200
    assert (
        client.post("posts", json={"title": "x", "body": "y"}).json["author"]["username"] == "ann"
    )
    assert code(client.patch(f"posts/{content.abes}", json={"title": "x"})) == (403, "forbidden")


def test_key_without_scopes_grants_nothing(key_of, with_key, content, comment):
    client = with_key(key_of("root", "comments:read"))
    id = comment("bob")
    assert client.get(f"comments/{id}").status_code == 200
    assert client.get(f"posts/{content.live}/comments").status_code == 404
    for answer in (
        client.get("posts"),
        client.get(f"posts/{content.live}"),
        client.get("users/me"),
    ):
        assert code(answer) == (403, "forbidden")
    assert client.get("posts").json["message"] == "This requires the scope posts:read."
    assert code(client.patch(f"comments/{id}", json={"body": "x"})) == (403, "forbidden")
    assert code(client.post(f"comments/{id}/spam")) == (403, "forbidden")
    assert code(client.get("search?q=live")) == (403, "forbidden")


def test_write_scope_includes_reading(key_of, with_key, content):
    client = with_key(key_of("ann", "posts:write"))
    made = client.post("posts", json={"title": "x", "body": "y"})
    assert made.status_code == 201
    assert client.get(f"posts/{made.json['id']}").status_code == 200
    assert code(client.get("comments")) == (403, "forbidden")


def test_records_outside_the_scopes_are_not_included(key_of, with_key, content, comment):
    comment("bob")
    client = with_key(key_of("root", "posts:read"))
    post = client.get(f"posts/{content.live}?include=author,comments").json
    assert post["author"] == {"id": post["author"]["id"], "username": "ann"}
    assert post["comments"] == []


def test_keys_cannot_change_accounts_keys_or_roles(key_of, with_key, people, as_):
    client = with_key(key_of("root", *all_scopes()))
    me = people["root"].id
    refused = [
        client.patch("users/me", json={"bio": "x"}),
        client.patch(f"users/{people['bob'].id}", json={"role": "admin"}),
        client.post("users", json={"username": "eve", "email": "e@example.org", "password": "x" * 9}),
        client.delete(f"users/{people['bob'].id}"),
        client.post("api_keys", json={"name": "y", "scopes": ["posts:read"]}),
        client.get("api_keys"), client.get("sessions"), client.delete("sessions"),
        client.put(f"users/{me}", json={}),
    ]  # fmt: skip
    assert [code(answer) for answer in refused] == [(403, "forbidden")] * len(refused)
    assert "API keys cannot do this" in refused[0].json["message"]


def test_revisions_are_limited_to_the_types_in_the_scopes(key_of, with_key, people, content, as_):
    root = as_("root")
    root.patch(f"tags/{root.get('tags').json['tags'][0]['id']}", json={"description": "Salt."})
    root.patch(f"users/{people['bob'].id}", json={"bio": "Hello."})
    listed = with_key(key_of("root", "revisions:read", "tags:read")).get("revisions?per_page=100")
    assert {one["type"] for one in listed.json["revisions"]} == {"tags"}
    assert {"users", "tags"} <= {r["type"] for r in root.get("revisions").json["revisions"]}
    narrow = with_key(key_of("root", "revisions:read"))
    assert narrow.get("revisions").json["revisions"] == []


def test_invalid_scope_is_explained(as_):
    refused = as_("ann").post("api_keys", json={"name": "k", "scopes": ["posts:read", "posts"]})
    assert refused.status_code == 422
    assert refused.json["message"] == "Scopes, entry 2 must look like posts:read."
    assert refused.json["details"][0]["field"] == "scopes"


def test_operations_closed_to_keys_have_no_scopes():
    scopes = set(all_scopes())
    assert not scopes & {"users:write", "api_keys:read", "api_keys:write", "sessions:read"}
    assert {f"{path}:read" for path in REGISTRY} - scopes == {
        "api_keys:read",
        "saved_views:read",
        "sessions:read",
        "webhooks:read",
    }


@pytest.mark.parametrize(
    ("given", "bad"),
    [
        ({"scopes": []}, ("scopes", "too_short")),
        ({"scopes": ["posts:burn"]}, ("scopes", "bad_format")),
        ({"scopes": ["boats:read"]}, ("scopes", "not_allowed")),
        ({"scopes": ["users:write"]}, ("scopes", "not_allowed")),
        ({"networks": ["here"]}, ("networks", "bad_format")),
        ({"expires_at": "2020-01-01T00:00:00Z"}, ("expires_at", "too_small")),
        ({"name": ""}, ("name", "too_short")),
    ],
)
def test_invalid_keys_are_refused_on_creation(as_, given, bad):
    answer = as_("ann").post("api_keys", json={"name": "k", "scopes": ["posts:read"], **given})
    assert code(answer) == (422, "validation_failed")
    assert (answer.json["details"][0]["field"], answer.json["details"][0]["code"]) == bad


def test_expired_key(app, key_of, with_key):
    client = with_key(key_of("ann", "posts:read", expires_at="2099-01-01T00:00:00Z"))
    assert client.get("posts").status_code == 200
    with app.app_context(), transaction() as connection:
        connection.execute(update(API_KEYS.table).values(expires_at=now()))
    assert code(client.get("posts")) == (401, "token_expired")


@pytest.mark.parametrize(
    ("networks", "status"),
    [(["127.0.0.1"], 200), (["127.0.0.0/8", "::1"], 200), (["192.0.2.0/24"], 401), (["::/0"], 401)],
)
def test_key_is_limited_to_its_networks(key_of, with_key, networks, status):
    client = with_key(key_of("ann", "posts:read", networks=networks))
    assert client.get("posts").status_code == status
    assert client.get("posts", environ_base={"REMOTE_ADDR": "unix"}).status_code == 401


def test_revoked_key(as_, key_of, with_key):
    client = with_key(key_of("ann", "posts:read"))
    id = as_("ann").get("api_keys").json["api_keys"][0]["id"]
    assert as_("ann").get("api_keys").json["api_keys"][0]["last_used_at"] is None
    assert client.get("posts").status_code == 200
    assert as_("ann").get("api_keys").json["api_keys"][0]["last_used_at"]
    assert code(as_("bob").delete(f"api_keys/{id}")) == (404, "not_found")
    assert as_("ann").delete(f"api_keys/{id}").status_code == 204
    assert code(client.get("posts")) == (401, "invalid_token")


def test_key_needs_no_csrf_token_and_no_cookie(guarded, people, as_):
    key = as_("ann").post("api_keys", json={"name": "k", "scopes": ALL}).json["key"]
    client = guarded.test_client()
    headers = {"X-API-Key": key}
    answer = client.post("posts", json={"title": "x", "body": "y"}, headers=headers)
    assert answer.status_code == 201 and "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("wrong", ["", "x", "qk_", "qk_" + "a" * 49, "é", "Bearer x"])
def test_invalid_key_is_never_anonymous(client, people, wrong):
    assert code(client.get("posts", headers={"X-API-Key": wrong})) == (401, "invalid_token")
    assert client.get("/", headers={"X-API-Key": wrong}).status_code == 401

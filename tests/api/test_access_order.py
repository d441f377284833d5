"""Refusals: who gets which status, and in which order checks are made."""

import time

import jwt
import pytest
from flask_restful import Resource

from quire.api.compat.ghost import GhostResource
from quire.api.resources import RecordResource
from quire.api.routes import CUSTOM_RESOURCES
from quire.config.load import TESTING_SECRET
from tests.api.client import Client
from tests.users import give_session, signed_in, token_of


def code(response):
    return response.status_code, response.json["code"]


@pytest.mark.parametrize(
    "header",
    [
        "Bearer nonsense",
        "Bearer ",
        "Basic YTpi",
        "Bearer a.b.c",
        "nonsense",
        "",
        "Bearer " + "x" * 5000,
    ],
)
def test_invalid_credentials_are_never_treated_as_anonymous(client, header):
    answer = client.get("posts", headers={"Authorization": header})
    assert code(answer) == (401, "invalid_token")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.fixture
def claims(app, people):
    """The claims of a valid token of the first user."""
    token = token_of(app, people["root"])
    return jwt.decode(token, options={"verify_signature": False})


def forged(claims, **changes):
    claims = {**claims, **changes}
    return jwt.encode({k: v for k, v in claims.items() if v is not None}, TESTING_SECRET, "HS256")


@pytest.mark.parametrize(
    "changes",
    [
        {"typ": "refresh"}, {"aud": "other"}, {"sub": 1}, {"sub": "999"}, {"sub": "1 "}, {"sub": None},
        {"sid": 99}, {"sid": "1"}, {"sid": 2**40}, {"sid": None}, {"exp": None}, {"aud": None}, {"typ": None}, {"typ": ["access"]},
        {"iat": int(time.time()) + 10_000}, {"nbf": int(time.time()) + 10_000}, {"sub": "²"},
        {"sub": "1" * 5000},
    ],
)  # fmt: skip
def test_tokens_with_wrong_claims_are_invalid(client, claims, changes):
    assert (
        client.get("posts", headers={"Authorization": f"Bearer {forged(claims)}"}).status_code
        == 200
    )
    answer = client.get("posts", headers={"Authorization": f"Bearer {forged(claims, **changes)}"})
    assert code(answer) == (401, "invalid_token")


@pytest.mark.parametrize("algorithm", ["none", "HS384", "HS512"])
def test_only_one_algorithm_is_accepted(client, claims, algorithm):
    token = jwt.encode(claims, None if algorithm == "none" else TESTING_SECRET * 2, algorithm)
    answer = client.get("posts", headers={"Authorization": f"Bearer {token}"})
    assert code(answer) == (401, "invalid_token")


def test_expired_token_has_its_own_error_code(client, claims):
    token = forged(claims, exp=int(time.time()) - 100)
    answer = client.get("posts", headers={"Authorization": f"Bearer {token}"})
    assert code(answer) == (401, "token_expired")


def test_anonymous_clients_are_refused_before_the_row_is_read(as_, content):
    nobody = as_(None)
    for id in (content.live, content.draft, 99999):
        for answer in (
            nobody.patch(f"posts/{id}", json={}),
            nobody.put(f"posts/{id}", json={}),
            nobody.delete(f"posts/{id}"),
            nobody.delete(f"posts/{id}?permanent=true"),
            nobody.post(f"posts/{id}/publish"),
            nobody.post(f"posts/{id}/comments", json={}),
            nobody.get(f"posts/{id}/revisions"),
        ):
            assert code(answer) == (401, "unauthorized"), answer.request
            assert answer.headers["WWW-Authenticate"]
    for path in ("audit_events", "audit_events/1", "revisions", "redirects", "users/me"):
        assert code(nobody.get(path)) == (401, "unauthorized"), path


def test_all_urls_of_a_record_check_access_in_the_same_order(app):
    found = [app.view_functions[rule.endpoint] for rule in app.url_map.iter_rules()]
    made = {one.view_class for one in found if getattr(one, "view_class", None)}
    own = {one for one in made if hasattr(one, "record")}
    assert len(own) > 100
    assert all(issubclass(one, RecordResource) for one in own)
    others = {resource for resource, _ in CUSTOM_RESOURCES.values()}
    rest = {one for one in made if issubclass(one, Resource)} - own - others
    assert all(issubclass(one, GhostResource) for one in rest)  # which knows no actor


def test_type_closed_to_the_role_is_refused_before_the_row_is_read(as_, content):
    bob = as_("bob")
    for answer in (
        bob.post("posts", json={"title": "x", "body": "y"}),
        bob.patch("posts/99999", json={}),
        bob.post("posts/99999/publish"),
        bob.delete("pages/99999"),
        bob.get("audit_events/99999"),
        bob.get("redirects"),
        bob.patch("settings", json={"site_name": "x"}),
        bob.post("users", json={}),
        as_("ann").post("categories", json={"name": "x"}),
        as_("ann").patch("tags/99999", json={}),
        as_("ann").delete(f"posts/{content.live}?permanent=true"),
    ):
        assert code(answer) == (403, "forbidden"), answer.request
        assert answer.json["message"].startswith("This requires")


def test_invisible_rows_are_404_and_visible_ones_403(as_, content):
    abe = as_("abe")
    for id in (content.draft, content.later, content.trashed, 99999):
        for answer in (
            abe.get(f"posts/{id}"),
            abe.patch(f"posts/{id}", json={"title": "x"}),
            abe.delete(f"posts/{id}"),
            abe.post(f"posts/{id}/publish"),
            abe.post(f"posts/{id}/duplicate"),
            abe.get(f"posts/{id}/revisions"),
            abe.get(f"posts/{id}/comments"),
            abe.post(f"posts/{id}/comments", json={"body": "x"}),
        ):
            assert code(answer) == (404, "not_found"), answer.request
    for answer in (
        abe.patch(f"posts/{content.live}", json={"title": "x"}),
        abe.put(f"posts/{content.live}", json={"title": "x", "body": "y"}),
        abe.delete(f"posts/{content.live}"),
        abe.post(f"posts/{content.live}/unpublish"),
        abe.get(f"posts/{content.live}/revisions"),
    ):
        assert code(answer) == (403, "forbidden"), answer.request


@pytest.fixture
def browser(guarded, people):
    """A browser in which Ann is signed in."""
    client: Client = guarded.test_client()
    give_session(guarded, client, people["ann"])
    return client


def test_changes_by_session_need_a_csrf_token(browser):
    new = {"title": "x", "body": "y"}
    assert browser.get("users/me").json["username"] == "ann"
    for headers in ({}, {"X-CSRFToken": "wrong"}):
        assert code(browser.post("posts", json=new, headers=headers)) == (403, "forbidden")
        assert code(browser.delete("posts/1", headers=headers)) == (403, "forbidden")
    assert browser.get("posts?status=draft").json["total"] == 0
    answer = browser.get("csrf-token")
    assert answer.headers["Cache-Control"] == "no-store"
    token = {"X-CSRFToken": answer.json["csrf_token"]}
    assert browser.post("posts", json=new, headers=token).status_code == 201


def test_changes_by_token_need_no_csrf_token(guarded, people):
    ann = signed_in(guarded, people["ann"])
    assert ann.post("posts", json={"title": "x", "body": "y"}).status_code == 201


def test_rights_follow_the_account_immediately(as_, people):
    ann, root = as_("ann"), as_("root")
    assert root.patch(f"users/{people['ann'].id}", json={"is_active": False}).status_code == 200
    assert code(ann.get("posts")) == (401, "invalid_token")


def test_method_overrides_are_ignored(as_, content):
    headers = {"X-HTTP-Method-Override": "DELETE", "X-Method-Override": "DELETE"}
    assert as_("root").get(f"posts/{content.live}", headers=headers).status_code == 200
    assert as_("root").get(f"posts/{content.live}").json["status"] == "published"

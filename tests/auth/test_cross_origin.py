"""The origin of a request: other sites cannot change anything, with our token or without."""

import pytest

from quire.auth.cross_origin import origin_of
from quire.records import TAGS, USERS
from quire.store.db import read_connection
from tests.site.conftest import token_of
from tests.users import PASSWORD, give_session, signed_in

OWN = "http://localhost"
FOREIGN = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": OWN},
    {"Sec-Fetch-Site": "sideways"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "https://localhost"},
    {"Origin": "http://localhost:8000"},
    {"Origin": "http://localhost.evil.example"},
    {"Origin": "http://sub.localhost"},
    {"Origin": ""},
    {"Origin": "http://localhost/"},
]
OURS = [
    {},
    {"Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": OWN},
    {"Sec-Fetch-Site": "same-origin", "Origin": OWN},
]


@pytest.fixture
def root(guarded, people):
    """A browser in which an administrator is signed in, and the token of its pages."""
    client = guarded.test_client()
    give_session(guarded, client, people["root"])
    client.token = {"csrf_token": client.get("csrf-token").json["csrf_token"]}
    return client


def tags(app):
    with app.app_context(), read_connection() as connection:
        return connection.execute(TAGS.table.select()).all()


@pytest.mark.parametrize("headers", FOREIGN)
def test_other_sites_cannot_change_anything_with_cookies(guarded, root, headers):
    form = {"name": "forged", **root.token}
    for path in ("/admin/tags/new/", "/auth/logout", "/posts/x"):
        assert root.post(path, data=form, headers=headers).status_code == 403
    token = {"X-CSRFToken": root.token["csrf_token"], **headers}
    answer = root.post("tags", json={"name": "forged"}, headers=token)
    assert (answer.status_code, answer.json["code"]) == (403, "forbidden")
    assert tags(guarded) == [] and root.get("users/me").json["username"] == "root"


@pytest.mark.parametrize("headers", OURS)
def test_our_pages_and_old_browsers_can(guarded, root, headers):
    form = {"name": "mine", **root.token}
    assert root.post("/admin/tags/new/", data=form, headers=headers).status_code == 302
    token = {"X-CSRFToken": root.token["csrf_token"], **headers}
    assert root.post("tags", json={"name": "other"}, headers=token).status_code == 201
    assert len(tags(guarded)) == 2


@pytest.mark.parametrize("headers", FOREIGN)
def test_signing_in_and_registration_from_other_sites_are_refused(guarded, people, headers):
    client = guarded.test_client()
    sent = {"email": "ann@example.org", "password": PASSWORD} | token_of(client, "/auth/login")
    assert client.post("/auth/login", data=sent, headers=headers).status_code == 403
    assert client.get("users/me").status_code == 401
    client.delete_cookie("quire")  # as SameSite=Lax allows
    assert client.post("/auth/login", data=sent, headers=headers).status_code == 403
    new = {"username": "eve", "email": "e@example.org", "password": PASSWORD, "confirm": PASSWORD}
    assert client.post("/auth/register", data=new | sent, headers=headers).status_code == 403
    with guarded.app_context(), read_connection() as connection:
        assert len(connection.execute(USERS.table.select()).all()) == len(people)


def test_reading_is_allowed_from_everywhere(root):
    headers = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
    for path in ("/", "/search", "posts", "/admin/"):
        assert root.get(path, headers=headers).status_code == 200
        assert root.options(path, headers=headers).status_code in (200, 204)


def test_requests_with_tokens_and_keys_are_exempt(guarded, people, as_):
    headers = {"Sec-Fetch-Site": "cross-site", "Origin": "https://app.example"}
    ann = signed_in(guarded, people["ann"])
    assert ann.post("tags", json={"name": "a"}, headers=headers).status_code == 201
    key = (
        as_("ann")
        .post("api_keys", json={"name": "k", "scopes": ["tags:read", "tags:write"]})
        .json["key"]
    )
    client = guarded.test_client()
    give_session(guarded, client, people["root"])
    answer = client.post("tags", json={"name": "b"}, headers={**headers, "X-API-Key": key})
    assert answer.status_code == 201


def test_programs_may_request_tokens(guarded, people):
    headers = {"Sec-Fetch-Site": "cross-site", "Origin": "https://app.example"}
    sent = {"email": "ann@example.org", "password": PASSWORD}
    answer = guarded.test_client().post("auth/token", json=sent, headers=headers)
    assert answer.status_code == 200


def test_public_url_determines_the_origin_if_set(make_app, people):
    app = make_app(WTF_CSRF_ENABLED=True, PUBLIC_URL="https://Example.org:443")
    for origin, refused in (("https://example.org", False), ("http://localhost", True)):
        answer = app.test_client().post("/auth/login", data={}, headers={"Origin": origin})
        assert ("from another site" in answer.text) == refused


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("https://Example.org/", "https://example.org"),
        ("https://example.org:443/a/b", "https://example.org"),
        ("http://example.org:80", "http://example.org"),
        ("http://example.org:443", "http://example.org:443"),
        ("http://[::1]:8000/", "http://[::1]:8000"),
        ("http://localhost:8000/", "http://localhost:8000"),
    ],
)
def test_origins_of_urls(address, origin):
    assert origin_of(address) == origin

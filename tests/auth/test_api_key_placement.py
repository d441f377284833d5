"""An API key is accepted in two headers, below the API, and nowhere else."""

import pytest

from tests.api.test_access_order import code
from tests.auth.test_api_keys import key_of  # noqa: F401 - a fixture
from tests.users import give_session, token_of

PUBLIC = ["/healthz", "/static/site.css", "/feed.atom", "/sitemap.xml", "/robots.txt"]
FOR_PEOPLE = ["/", "/posts/draft", "/auth/login", "/profile", "/admin/", "/display"]


@pytest.fixture
def key(key_of):  # noqa: F811
    return key_of("ann", "posts:read", "posts:write", "users:read")


@pytest.fixture
def ask(app):
    """`ask(path, headers, method)`: the response to a client without cookies."""
    client = app.test_client(use_cookies=False)
    client.checked = False
    return lambda path, headers, method="GET": client.open(path, headers=headers, method=method)


@pytest.mark.parametrize(
    "form", ["Bearer {}", "bearer {}", "BEARER {}", "bEaReR  {}"]
)  # RFC 9110, 11.1: schemes are case-insensitive
def test_scheme_is_case_insensitive(ask, key, form):
    answer = ask("users/me", {"Authorization": form.format(key)})
    assert answer.json["username"] == "ann"


@pytest.mark.parametrize("form", ["{}", "ApiKey {}", "Basic {}", "Token {}", "Bearer\t{}", "Bearer{}"])  # fmt: skip
def test_other_schemes_are_ignored(ask, key, form):
    answer = ask("users/me", {"Authorization": form.format(key)})
    assert code(answer) == (401, "invalid_token")


def test_two_keys_are_refused(ask, key):
    answer = ask("users/me", [("X-API-Key", key), ("X-API-Key", key)])
    assert code(answer) == (401, "invalid_token")


def test_authorization_header_takes_precedence(app, ask, key, people):
    token = f"Bearer {token_of(app, people['bob'])}"
    both = {"X-API-Key": key, "Authorization": token}
    assert ask("users/me", both).json["username"] == "bob"
    assert code(ask("users/me", {**both, "Authorization": "Bearer x"})) == (401, "invalid_token")
    assert code(ask("users/me", {**both, "Authorization": ""})) == (401, "invalid_token")


@pytest.mark.parametrize("name", ["api_key", "X-API-Key", "Authorization", "quire", "quire_remember"])  # fmt: skip
def test_keys_in_cookies_are_ignored(ask, key, name):
    assert code(ask("users/me", {"Cookie": f"{name}={key}"})) == (401, "unauthorized")


@pytest.mark.parametrize("name", ["api_key", "key", "access_token", "token", "X-API-Key"])
def test_keys_in_parameters_are_ignored(ask, key, name, content):
    assert code(ask(f"posts/{content.draft}?{name}={key}", {}))[0] in (400, 404)
    assert code(ask(f"users/me?{name}={key}", {})) == (401, "unauthorized")
    assert ask(f"/posts/draft?{name}={key}", {}).status_code == 404
    assert ask(f"/profile?{name}={key}", {}).status_code == 302


@pytest.mark.parametrize("header", ["X-API-Key", "Authorization"])
def test_pages_for_people_accept_no_keys(ask, key, content, header):
    sent = {header: key if header == "X-API-Key" else f"Bearer {key}"}
    for path in FOR_PEOPLE:
        for method in ("GET", "HEAD"):
            assert ask(path, sent, method).status_code == 401, path


def test_shared_responses_ignore_keys(ask, key, content):
    for path in PUBLIC:
        usual, keyed, broken = (ask(path, one) for one in ({}, {"X-API-Key": key}, {"X-API-Key": "qk_x"}))  # fmt: skip
        assert usual.data == keyed.data == broken.data and usual.status_code == 200, path
        assert "Set-Cookie" not in keyed.headers


def test_session_beside_a_key_is_ignored(app, people, key):
    client = app.test_client()
    give_session(app, client, people["root"])
    assert client.get("users/me").json["username"] == "root"
    assert client.get("users/me", headers={"X-API-Key": key}).json["username"] == "ann"
    assert code(client.get("audit_events", headers={"X-API-Key": key})) == (403, "forbidden")
    assert code(client.get("users/me", headers={"X-API-Key": "qk_x"})) == (401, "invalid_token")


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("OPTIONS", 204), ("TRACE", 405)])
def test_other_methods_accept_keys(ask, key, content, method, status):
    path = f"posts/{content.draft}"
    assert ask(path, {"X-API-Key": key}, method).status_code == status
    assert not ask(path, {"X-API-Key": key}, method).data or method == "TRACE"
    assert ask(path, {}, "HEAD").status_code == 404

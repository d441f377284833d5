"""Every URL and method has a policy, and every kind of visitor gets the response that it specifies."""

from itertools import product
from types import SimpleNamespace

import pytest
from sqlalchemy import delete, select

from quire.actor import Actor
from quire.api.routes import CUSTOM_RESOURCES
from quire.auth import jwt
from quire.records import API_KEYS, SESSIONS
from quire.records.api_keys import all_scopes
from quire.site.routes import ADDRESSES
from quire.store.db import db, read_connection, transaction
from tests.auth.route_policies import ask, table
from tests.extended_set import sampled
from tests.users import ROLES, give_session, signed_in

pytestmark = pytest.mark.no_cover  # thousands of requests, to URLs that other tests request too

POLICIES = table()
UNSAFE = [p for p in POLICIES if not p.startswith("GET") and not p.endswith("/query")]
"""All that may change something: a query in a body changes nothing."""
SECRETS = ("canary", "Traceback", "sqlalchemy", "SELECT ", "@example.org")
"""What no refusal says."""
LEAVING = ("POST /auth/logout", "POST /auth/stop-viewing")
"""Whoever has been here is somebody else afterwards."""


def turned_away(policy, actor):
    """Return the statuses for a user whom the rule never permits."""
    if policy.door in ("panel", "page"):
        return {302} if actor.is_anonymous else {403}
    return {401} if actor.is_anonymous else {403}


def expected(policy, actor):
    """Return a predicate: whether the policy permits a response for `actor`."""
    answer = policy.rule(actor)
    if answer is False:
        return lambda got: got.status_code in turned_away(policy, actor)
    refusals = {403, 404} if answer is not True else {404}
    if policy.door == "form" or not policy.proof:
        return lambda got: got.status_code < 500
    if policy.door == "panel":  # the view itself checks another rule
        return lambda got: got.status_code < 500 and not leads_to_sign_in(got)
    return lambda got: (
        not leads_to_sign_in(got)
        and (got.status_code in {200, 204, 301, 302, 304, 400, 409, 415, 422} | refusals
             or (got.status_code in (401, 403) and policy.door == "page"))
    )  # fmt: skip


def leads_to_sign_in(got):
    return got.status_code == 302 and got.location.startswith("/auth/login")


def complaints(client, place, right, doors=("api", "panel", "page", "form")):
    """Return every URL of `doors` for which `client` gets a response that `right(policy)` does not permit."""
    found = []
    for text, policy in POLICIES.items():
        if text in LEAVING or policy.door not in doors:
            continue
        method, path = place(text)
        with (
            client.application.app_context()
        ):  # whether registration is open is stored in the database
            fits = right(policy)
        got = ask(client, method, path)
        if not fits(got) or got.status_code >= 500 or leaks(got):
            found.append((text, got.status_code, got.headers.get("Location")))
    return found


def leaks(got):
    return got.status_code in (401, 403, 404) and any(word in got.text for word in SECRETS)


def state_of(app):
    """Return all stored rows, except those that record visits, and the order of commits."""
    with app.app_context(), read_connection() as connection:
        return {
            name: connection.execute(
                # sorted, since PostgreSQL moves rows when it writes their position
                select(*(c for c in one.c if c.name != "position")).order_by(*one.primary_key)
            ).all()
            for name, one in db.metadata.tables.items()
            if name not in ("audit_events", "sessions", "tallies", "attempts")
        }


def test_every_url_and_method_has_exactly_one_policy(app):
    bound = {
        f"{method} {rule.rule}"
        for rule in app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    assert bound - POLICIES.keys() == set(), "say in tests/auth/route_policies.py who may use these"
    assert POLICIES.keys() - bound == set()


def test_route_lists_agree_with_the_table():
    site = {f"{method} {path}" for path, _, methods in ADDRESSES for method in methods}
    assert site <= POLICIES.keys()
    paths = {place.split(" ", 1)[1] for place in POLICIES}
    assert {f"/api/v1{path}" for path in CUSTOM_RESOURCES} <= paths


@pytest.mark.parametrize("name", sampled([None, *ROLES], [None, "bob", "root"]))
def test_everyone_gets_what_the_policy_says(app, people, place, content, name):
    """Signed in by session, as pages require; other tests cover the tokens of the API."""
    client = app.test_client()
    client.checked = False
    if name:
        give_session(app, client, people[name])
    actor = Actor(ROLES[name], people[name].id) if name else Actor("anonymous")
    before = state_of(app)
    assert complaints(client, place, lambda policy: expected(policy, actor)) == []
    assert name or state_of(app) == before


@pytest.mark.parametrize("name", sampled(ROLES, ["ann"]))
def test_tokens_get_the_same(app, people, place, content, name):
    client = signed_in(app, people[name])
    client.checked = False
    actor = Actor(ROLES[name], people[name].id)

    assert complaints(client, place, lambda policy: for_programs(policy, actor)) == []


def for_programs(policy, actor):
    """Return a predicate for keys and tokens: as the policy says in the API, and refused on pages."""
    if policy.door == "api":
        return expected(policy, actor)
    if policy.door in ("panel", "page"):
        return lambda got: got.status_code == 401 and "error=" in got.headers["WWW-Authenticate"]
    return lambda got: got.status_code < 500


ACCOUNT_TABLES = ("users", "profiles", "api_keys", "links", "second_factors", "passkeys", "devices")


def test_administrators_key_with_every_scope_reaches_no_page_and_no_account(
    app, people, as_, place, content
):
    scopes = all_scopes()
    key = as_("root").post("api_keys", json={"name": "k", "scopes": scopes}).json["key"]
    client = app.test_client()
    client.checked = False
    client.environ_base["HTTP_X_API_KEY"] = key
    root = Actor("admin", people["root"].id, proof="key", scopes=frozenset(scopes))
    before = state_of(app)
    assert complaints(client, place, lambda policy: for_programs(policy, root)) == []
    after = state_of(app)
    assert [n for n in before if n in ACCOUNT_TABLES and _differ(before[n], after[n])] == []


def _differ(*states):
    """Return whether rows differ in more than the time of their last use."""
    first, second = ([row._asdict() | {"last_used_at": None} for row in rows] for rows in states)
    return first != second


@pytest.mark.parametrize("scheme", ["HTTP_X_API_KEY ", "HTTP_AUTHORIZATION Bearer "])
def test_key_beside_a_cookie_is_refused_on_pages(app, people, as_, place, content, scheme):
    """The cookie alone would open these pages; adding a key gives no access."""
    key = as_("root").post("api_keys", json={"name": "k", "scopes": all_scopes()}).json["key"]
    client = app.test_client()
    client.checked = False
    give_session(app, client, people["root"])
    header, _, prefix = scheme.partition(" ")
    client.environ_base[header] = prefix + key
    nobody = Actor("anonymous")
    doors = ("panel", "page")
    assert complaints(client, place, lambda policy: for_programs(policy, nobody), doors) == []


def broken(policy):
    """Return a predicate for the response to invalid credentials."""
    if not policy.proof:
        return lambda got: got.status_code < 500
    if policy.door == "api":
        return lambda got: got.status_code == 401 and "error=" in got.headers["WWW-Authenticate"]
    if policy.door in ("panel", "page"):
        return lambda got: got.status_code == 401
    return lambda got: got.status_code in (200, 302, 400, 401, 403, 404, 422)


@pytest.fixture
def bad_tokens(app, people, as_):
    """Credentials that were never valid or are no longer valid."""
    with app.app_context():
        app.config["JWT_ACCESS_TOKEN_EXPIRES"] = -60
        expired = jwt.issue(people["root"])["access_token"]
        app.config["JWT_ACCESS_TOKEN_EXPIRES"] = 900
        ended = jwt.issue(people["root"])["access_token"]
        key = as_("root").post("api_keys", json={"name": "k", "scopes": ["tags:read"]}).json["key"]
        with transaction() as connection:
            connection.execute(delete(SESSIONS.table))
            connection.execute(delete(API_KEYS.table))
    return SimpleNamespace(expired=expired, ended=ended, key=key, made_up="a.b.c")


@pytest.mark.parametrize("kind", sampled(["expired", "ended", "key", "made_up"], ["ended"]))
def test_invalid_credentials_grant_nothing(app, place, content, bad_tokens, kind):
    client = app.test_client()
    client.checked = False
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {getattr(bad_tokens, kind)}"
    assert complaints(client, place, broken) == []


def test_revoked_session_is_anonymous(app, people, place, content):
    client = app.test_client()
    client.checked = False
    give_session(app, client, people["root"])
    with app.app_context(), transaction() as connection:
        connection.execute(delete(SESSIONS.table))
    nobody = Actor("anonymous")
    assert complaints(client, place, lambda policy: expected(policy, nobody)) == []


def test_key_without_the_scope_grants_nothing(app, people, as_, place, content):
    key = as_("root").post("api_keys", json={"name": "k", "scopes": ["redirects:read"]}).json["key"]
    client = app.test_client()
    client.checked = False
    client.environ_base["HTTP_X_API_KEY"] = key
    root = Actor("admin", people["root"].id, proof="key", scopes=frozenset({"redirects:read"}))

    def right(policy):
        return for_programs(policy, root)

    assert complaints(client, place, right) == []
    open_to_it = [
        p for p in POLICIES if " /api/" in p and ask(client, *place(p)).status_code == 200
    ]
    assert {one for one in open_to_it if POLICIES[one].proof} == {
        "GET /api/compat/json-server/redirects", "GET /api/v1/", "GET /api/v1/redirects", "GET /api/v1/redirects/export",
        "GET /api/v1/access/explain", "GET /api/v1/changes",
    }  # fmt: skip


BODY_IS_THE_PROOF = ("/api/v1/auth/token", "/api/v1/auth/refresh", "/api/v1/auth/revoke")
"""They take no notice of cookies: what they are asked for stands in the body."""
REGISTRATION = ("/api/v1/users", "/api/compat/json-server/users")


@pytest.mark.parametrize(
    ("name", "token"),
    sampled(
        product(["root", "bob", None], [None, "wrong", "another"]),
        [("root", "another"), ("bob", "wrong"), (None, None)],
    ),
)
def test_no_change_without_a_csrf_token(guarded, people, place, comment, name, token):
    comment("bob")
    client = guarded.test_client()
    client.checked = False
    if name:
        give_session(guarded, client, people[name])
    if token == "another":
        token = guarded.test_client().get("csrf-token").json["csrf_token"]
    before, wrong = state_of(guarded), []
    for text in UNSAFE:
        method, path = place(text)
        sent = {"headers": {"X-CSRFToken": token} if token else {}}
        if not path.startswith("/api/"):
            sent["data"] = {
                "csrf_token": token or "",
                "rowid": "1",
                "action": "delete",
                "body": "x",
            }
        got = ask(client, method, path, **sent)
        refused = {403} if name else {302, 401, 403}
        if got.status_code not in refused and not is_no_matter(text, name, got):
            wrong.append((text, got.status_code))
    assert wrong == []
    assert state_of(guarded) == before


def is_no_matter(text, name, got):
    """Return whether the request needs no cookie, or there is nothing to change for anybody."""
    path = text.split(" ", 1)[1]
    if path.startswith("/ghost/"):  # read-only
        return True
    if path in BODY_IS_THE_PROOF or (path in REGISTRATION and not name):
        return True
    once = ("/auth/reset/", "/auth/verify/", "/auth/setup/", "/auth/register", "/auth/two-factor")
    signed = ("/auth/unsubscribe/",)  # the link itself is the credential
    return got.status_code in (302, 404, 410) and path.startswith(
        (*once, *signed, "/profile/passkeys/", "/admin/")
    )

"""Scripts of other origins: allowed ones read responses, all others get nothing."""

import re
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from importlib import import_module

import pytest
import requests

from quire.config.load import load
from quire.config.validation import UnsafeConfig
from quire.store.db import db
from tests.running_server import serving
from tests.serving.test_server import parsed, send
from tests.users import PASSWORD

APP, OTHER = "https://app.example.org", "http://localhost:5173"
STRANGERS = [
    None, "null", "", "*", "https://app.example.org.evil.example", "https://evil-app.example.org",
    "https://app.example.org:443", "https://app.example.org:8443", "http://app.example.org",
    "https://APP.example.org", "https://app.example.org/", "https://appxexample.org",
    "https://sub.app.example.org", "https://example.org", f"{APP}, {OTHER}", f"{APP} {OTHER}",
    "http://localhost", "http://localhost:51733", "https://app.example.org%00",
]  # fmt: skip
ALLOW = "Access-Control-Allow-Origin"


@pytest.fixture
def shared(make_app):
    """An application whose API two origins may use."""
    return make_app(CORS_ORIGINS=[APP, OTHER])


@pytest.fixture
def client(shared):
    client = shared.test_client()
    client.checked = False
    return client


def about(answer):
    """Return the CORS headers of a response."""
    return {name: value for name, value in answer.headers if name.startswith("Access-Control-")}


def preflight(client, path, origin, method="PATCH"):
    headers = {"Access-Control-Request-Method": method} | ({"Origin": origin} if origin else {})
    return client.options(path, headers=headers)


@pytest.mark.parametrize("origin", [APP, OTHER])
def test_listed_origins_can_read_responses_and_errors(client, people, origin):
    headers = {"Origin": origin}
    sent = {"email": "ann@example.org", "password": PASSWORD}
    answers = [
        client.get("posts", headers=headers),
        client.get("posts/4711", headers=headers),
        client.get("nowhere", headers=headers),
        client.post("posts", json={}, headers=headers),
        client.put("posts", json={}, headers=headers),
        client.get("posts?x=1", headers=headers),
        client.get("users/me", headers={**headers, "Authorization": "Bearer x"}),
        client.post("auth/token", json=sent, headers=headers),
        client.post("auth/token", data="{", headers=headers),
    ]
    assert [a.status_code for a in answers] == [200, 404, 404, 401, 405, 400, 401, 200, 415]
    for answer in answers:
        assert answer.headers[ALLOW] == origin
        assert "Access-Control-Allow-Credentials" not in answer.headers
        exposed = answer.headers["Access-Control-Expose-Headers"].split(", ")
        assert {"ETag", "Location", "Link", "X-Total-Count", "Retry-After", "X-Request-Id"} <= set(
            exposed
        )
    etag = answers[0].headers["ETag"]
    again = client.get("posts", headers={**headers, "If-None-Match": etag})
    assert (again.status_code, again.headers[ALLOW]) == (304, origin)


@pytest.mark.parametrize("origin", STRANGERS)
def test_other_origins_get_no_headers(client, origin):
    headers = {} if origin is None else {"Origin": origin}
    for answer in (
        client.get("posts", headers=headers),
        client.get("nowhere", headers=headers),
        preflight(client, "posts/1", origin),
    ):
        assert about(answer) == {}
        assert "Origin" in answer.headers["Vary"].split(", ")


def test_every_url_has_an_exact_preflight_response(shared, client):
    for rule in shared.url_map.iter_rules():
        if not rule.endpoint.startswith("api."):
            continue
        path = re.sub(r"<[^>]+>", "1", rule.rule)
        answer = preflight(client, path, APP)
        assert answer.status_code == 204 and answer.data == b"", path
        assert answer.headers[ALLOW] == APP
        allowed = set(answer.headers["Access-Control-Allow-Methods"].split(", "))
        assert allowed == set(answer.headers["Allow"].split(", ")) == rule.methods
        assert answer.headers["Access-Control-Max-Age"] == "600"
        sendable = answer.headers["Access-Control-Allow-Headers"].split(", ")
        assert {"Authorization", "X-API-Key", "Content-Type", "If-Match", "If-None-Match"} <= set(
            sendable
        )
        assert "Idempotency-Key" in sendable
        assert "Access-Control-Allow-Private-Network" not in answer.headers


def test_private_network_access_is_not_granted(client):
    headers = {"Origin": APP, "Access-Control-Request-Method": "GET"}
    headers["Access-Control-Request-Private-Network"] = "true"
    assert not [
        name for name in about(client.options("posts", headers=headers)) if "Private" in name
    ]


def test_pages_are_not_shared(client):
    for path in ("/", "/auth/login", "/admin/", "/healthz", "/api", "/api/v1x/posts", "/nowhere"):
        answer = client.get(path, headers={"Origin": APP})
        assert about(answer) == {}, path
        assert "Origin" not in answer.headers.get("Vary", "")


@pytest.mark.parametrize(
    "path", ["/feed.json", "/feed.atom", "/tags/sea/feed.rss", "/uploads/no.png"]
)
def test_feeds_and_uploads_are_shared(client, content, path):
    for headers in ({}, {"Origin": OTHER}, {"Origin": "https://evil.example"}):
        answer = client.get(path, headers=headers)
        assert answer.headers.get(ALLOW) == (OTHER if headers.get("Origin") == OTHER else None)
        assert "Origin" in answer.headers["Vary"].split(", ")
    etag = client.get(path).headers.get("ETag")
    if etag:
        again = client.get(path, headers={"Origin": APP, "If-None-Match": etag})
        assert (again.status_code, again.headers[ALLOW]) == (304, APP)


def test_preflights_do_not_count_towards_limits(make_app):
    client = make_app(
        CORS_ORIGINS=[APP], RATELIMIT_ENABLED=True, RATELIMIT_API="2/hour"
    ).test_client()
    client.checked = False
    for _ in range(5):
        answer = preflight(client, "posts", APP)
        assert (answer.status_code, answer.headers[ALLOW]) == (204, APP)
        assert not {"RateLimit", "RateLimit-Limit"} & set(answer.headers.keys())
    headers = {"Origin": APP}
    assert [client.get("posts", headers=headers).status_code for _ in range(3)] == [200, 200, 429]
    assert preflight(client, "posts", APP).status_code == 204


@pytest.mark.parametrize(
    "path", ["nowhere/at/all", "posts/4711", "users", "/uploads/no.png", "/feed.json"]
)
def test_preflights_succeed_for_any_state_without_the_database(client, statements, path):
    answer, seen = statements(preflight, client, path, APP, "GET")
    assert (answer.status_code, answer.headers[ALLOW], seen) == (204, APP, [])
    assert "GET" in answer.headers["Access-Control-Allow-Methods"].split(", ")
    assert len(answer.headers["X-Request-Id"]) >= 8


@contextmanager
def locked_database(app):
    """Keep another program's lock on the database for as long as the block lasts."""
    with app.app_context():
        url = db.engine.url
    if url.drivername.startswith("sqlite"):
        with closing(sqlite3.connect(url.database, isolation_level=None)) as connection:
            connection.execute("BEGIN EXCLUSIVE")
            yield
            connection.execute("ROLLBACK")
    else:
        address = url.set(drivername="postgresql").render_as_string(False)
        with import_module("psycopg").connect(address) as connection:
            connection.execute("LOCK TABLE tags, users, outbox")
            yield
            connection.rollback()


def test_preflights_are_answered_while_others_wait_for_a_locked_database(shared, people):
    """Twelve requests wait to write, which is more than there are threads."""
    with serving(shared) as address, ThreadPoolExecutor(12) as pool:
        sent = {"email": "root@example.org", "password": PASSWORD}
        token = ask(address, "POST", "auth/token", sent).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        with locked_database(shared):
            writing = [
                pool.submit(ask, address, "POST", "tags", {"name": f"t{n}"}, headers)
                for n in range(12)
            ]
            time.sleep(0.5)
            wanted = {"Origin": APP, "Access-Control-Request-Method": "POST"}
            answer = ask(address, "OPTIONS", "tags", None, wanted)
            assert (answer.status_code, answer.headers[ALLOW]) == (204, APP)
            assert not [one for one in writing if one.done()]
        assert {one.result().status_code for one in writing} == {201}


def ask(address, method, path, sent=None, headers=None):
    return requests.request(
        method, f"{address}/api/v1/{path}", json=sent, headers=headers, timeout=30
    )


def test_foreign_host_is_refused_with_a_readable_error(client):
    answer = client.get("posts", headers={"Origin": APP, "Host": "evil.example"})
    assert (answer.status_code, answer.headers[ALLOW]) == (400, APP)


TOO_LONG = b"X: " + b"x" * 300_000
BEFORE_FLASK = {
    413: b"POST /api/v1/posts HTTP/1.1\r\nHost: a\r\n%sContent-Length: 9999999\r\n\r\n",
    431: b"GET /api/v1/posts HTTP/1.1\r\nHost: a\r\n%s" + TOO_LONG,
    400: b"GET /api/v1/posts HTTP/1.1\r\n%sAccept: */*\r\n\r\n",
    401: b"POST /api/v1/media HTTP/1.1\r\nHost: a\r\n%sContent-Length: 999999\r\n\r\n",
}


@pytest.mark.parametrize("status", BEFORE_FLASK)
def test_refusals_by_the_server_are_readable(shared, status):
    with serving(shared) as address:
        port = int(address.rpartition(":")[2])
        for origin in (APP, "https://evil.example", None):
            line = f"Origin: {origin}\r\n".encode() if origin else b""
            found, head, _ = parsed(send(port, BEFORE_FLASK[status] % line))
            assert found == status
            assert (f"{ALLOW}: {origin}".lower() in head) == (origin == APP)
            assert ALLOW.lower() in head or origin != APP
            assert "vary: origin" in head


def test_cors_is_disabled_by_default(app):
    answer = app.test_client().get("posts", headers={"Origin": APP})
    assert about(answer) == {} and "Origin" not in answer.headers["Vary"]


@pytest.mark.parametrize(
    "value", ["*", "null", "app.example.org", "https://app.example.org/", "https://*.example.org",
              "https://App.example.org", "https://a.org/x", "https://u@a.org"],
)  # fmt: skip
def test_only_exact_origins_can_be_listed(value):
    with pytest.raises(UnsafeConfig, match="CORS_ORIGINS: must be exact origins"):
        load("testing", {"CORS_ORIGINS": f"{APP}, {value}"})


def test_several_origins_can_be_listed():
    listed = load("testing", {"CORS_ORIGINS": f"{APP}, {OTHER} capacitor://localhost"})
    assert listed["CORS_ORIGINS"] == [APP, OTHER, "capacitor://localhost"]
    assert load("testing", {"CORS_ORIGINS": ""})["CORS_ORIGINS"] == []

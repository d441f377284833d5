"""The error contract: one shape for everything below /api."""

import pytest

from quire.errors import DETAIL_CODES, ERROR_CODES, STATUS_NAMES
from quire.web.caching import PUBLIC
from tests.api.test_access_order import code
from tests.extended_set import sampled


def failures(ann, nobody, id):
    yield nobody.get("posts?x=1"), 400
    yield nobody.post("posts", json={}), 401
    yield ann.delete(f"posts/{id}?permanent=true"), 403
    yield nobody.get("posts/999"), 404
    yield nobody.get("nothing/at/all"), 404
    yield nobody.delete("posts"), 405
    yield ann.post(f"posts/{id}/restore"), 409
    yield ann.patch(f"posts/{id}", json={"version": 9}), 412
    yield ann.post("posts", data=b"x" * 1_100_000, content_type="application/json"), 413
    yield ann.post("posts", data=b"x", content_type="text/plain"), 415
    yield ann.post("posts", json={}), 422


@pytest.mark.parametrize("form", ["application/json", "application/problem+json"])
def test_errors_have_one_shape(as_, content, form):
    ann, nobody = as_("ann"), as_(None)
    for client in (ann, nobody):
        client.environ_base["HTTP_ACCEPT"] = form
    for answer, status in failures(ann, nobody, content.live):
        assert answer.status_code == status
        body = answer.json
        assert answer.mimetype == form
        assert body["error"] == STATUS_NAMES[status]
        assert body["code"] in ERROR_CODES
        assert body["message"].endswith(".")
        assert body["request_id"] == answer.headers["X-Request-Id"]
        assert all(set(one) == {"field", "code", "message"} for one in body["details"])
        assert all(one["code"] in DETAIL_CODES for one in body["details"])
        assert answer.headers["Cache-Control"] == "no-store"
        if form == "application/problem+json":
            assert (body["type"], body["title"], body["status"]) == (
                "about:blank",
                body["error"],
                status,
            )
            assert body["detail"] == body["message"]


def test_valid_request_id_of_the_client_is_used(client):
    assert (
        client.get("posts", headers={"X-Request-Id": "my-request-1"}).headers["X-Request-Id"]
        == "my-request-1"
    )
    for odd in ("x", "a b c d e f g", "<script>aaaa", "x" * 65):
        assert client.get("posts", headers={"X-Request-Id": odd}).headers["X-Request-Id"] != odd


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("PUT", "posts", "GET, HEAD, OPTIONS, POST"), ("POST", "posts/1", "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"),
     ("GET", "posts/1/publish", "OPTIONS, POST"), ("POST", "audit_events", "GET, HEAD, OPTIONS"),
     ("DELETE", "settings", "GET, HEAD, OPTIONS, PATCH"), ("DELETE", "users/me", "GET, HEAD, OPTIONS, PATCH"),
     ("TRACE", "posts", "GET, HEAD, OPTIONS, POST"), ("BREW", "posts", "GET, HEAD, OPTIONS, POST"),
     ("GET", "auth/token", "OPTIONS, POST"), ("POST", "openapi.json", "GET, HEAD, OPTIONS")],
)  # fmt: skip
def test_unsupported_methods_are_405(client, method, path, allowed):
    answer = client.open(path, method=method)
    assert code(answer) == (405, "method_not_allowed")
    assert answer.headers["Allow"] == allowed


def test_options_lists_methods(client):
    answer = client.options("posts")
    assert (answer.status_code, answer.data) == (204, b"")
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS, POST"
    assert "text/html" not in answer.headers.get("Content-Type", "")
    assert client.options("nothing").status_code == 404
    for root in ("/api/v1", "/api/v1/"):
        assert client.options(root).headers["Allow"] == "GET, HEAD, OPTIONS"


METHODS = ["OPTIONS", "POST", "DELETE", "TRACE", "X"]


@pytest.mark.parametrize("end", sampled(["", "/"], [""]))
def test_no_method_causes_a_server_error(app, people, client, end):
    """With and without a trailing slash, as an anonymous client."""
    client.checked = False
    rules = [rule.rule for rule in app.url_map.iter_rules() if not rule.arguments]
    places = {rule.rstrip("/") + end for rule in rules} - {""}
    asked = [(method, place) for place in sorted(places) for method in METHODS]
    assert [one for one in asked if client.open(one[1], method=one[0]).status_code >= 500] == []


def test_head_responds_like_get(as_, content):
    for client, path, status in (
        (as_(None), "posts", 200),
        (as_(None), "posts/999", 404),
        (as_("ann"), "users/me", 200),
    ):
        got, head = client.get(path), client.head(path)
        assert (head.status_code, head.data) == (status, b"")
        assert head.headers["Content-Type"] == got.headers["Content-Type"]


@pytest.mark.parametrize(
    ("accept", "mime"),
    [
        ("application/problem+json", "application/problem+json"),
        ("application/json, application/problem+json", "application/problem+json"),
        ("application/problem+json;q=0.9, */*;q=0.1", "application/problem+json"),
        ("application/json, application/problem+json;q=0.5", "application/json"),
        ("application/problem+json;q=0", "application/json"),
        ("text/html, application/problem+json;q=0, */*", "application/json"),
        ("application/*", "application/json"),
        ("application/problem+jsonx", "application/json"),
        ("text/html", "application/json"),
    ],
)
def test_format_of_an_error_follows_the_accept_header(client, accept, mime):
    assert client.get("posts/99", headers={"Accept": accept}).mimetype == mime


def test_compressed_body_is_refused(as_):
    ann = as_("ann")
    sent = {"title": "x", "body": "y"}
    for coding in ("gzip", "br", "identity, gzip", "GZIP"):
        answer = ann.post("posts", json=sent, headers={"Content-Encoding": coding})
        assert code(answer) == (415, "unsupported_media_type")
        assert answer.headers["Accept-Encoding"] == "identity"
    assert ann.post("posts", json=sent, headers={"Content-Encoding": "identity"}).status_code == 201


def test_every_response_has_the_common_headers(as_, content):
    nobody, ann = as_(None), as_("ann")
    for answer in (
        nobody.get("posts"),
        ann.get("posts"),
        nobody.get("posts/99"),
        ann.delete(f"posts/{content.live}"),
    ):
        headers = answer.headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        dependent = {"Authorization", "Cookie", "X-API-Key", "Accept"}
        assert dependent <= set(headers["Vary"].split(", "))
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert "Set-Cookie" not in headers
        assert "Server" not in headers
    assert nobody.get("posts").headers["Cache-Control"] == PUBLIC
    for answer in (ann.get("posts"), ann.get(f"posts/{content.draft}"), ann.get("users/me")):
        assert answer.headers["Cache-Control"] == "private, no-store"


def test_internal_errors_reveal_nothing(as_, content, monkeypatch):
    def broken(*args, **kwargs):
        raise RuntimeError("SELECT secret FROM users")

    monkeypatch.setattr("quire.store.read.list_records", broken)
    client = as_(None)
    client.checked = False
    answer = client.get("posts")
    assert code(answer) == (500, "internal_error")
    assert "secret" not in answer.text


def test_trailing_slashes_are_accepted(as_, content):
    assert as_(None).get("posts/").status_code == 200
    assert as_(None).get(f"posts/{content.live}/").status_code == 200
    assert as_("ann").post("tags/", json={"name": "x"}).status_code == 201


def test_impossible_slug_is_404(as_, content):
    for slug in ("%00", "live%00", "%ff", "a" * 500):
        assert code(as_(None).get(f"posts/by-slug/{slug}")) == (404, "not_found")

"""A script of another origin in a real browser: what it may read and send, and what is refused."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from quire.actor import SYSTEM
from quire.records import POSTS
from quire.store import write
from tests.running_server import serving
from tests.users import token_of

pytestmark = pytest.mark.browser

ASK = """async ([url, options]) => {
    if (options.size) options.body = "x".repeat(options.size);
    const answer = await fetch(url, options);
    const headers = Object.fromEntries(answer.headers);
    return {status: answer.status, headers, text: await answer.text()};
}"""


class Page(BaseHTTPRequestHandler):
    """An empty page of another origin."""

    def do_GET(self):
        """Send the same response for every path."""
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()

    def log_message(self, *words):
        """Do not log."""


@pytest.fixture
def other_origin():
    """The address of a page on another port."""
    with HTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def ask(make_app, people, other_origin, chromium):
    """`ask(path, **options)`: what a script at the other origin reads; and the token of an author."""
    app = make_app(CORS_ORIGINS=[other_origin], RATELIMIT_ENABLED=True, RATELIMIT_API="8/hour")
    raw = {"title": "Tides", "body": "x", "author": people["ann"].id}
    with app.app_context():
        write.create(POSTS, SYSTEM, raw | {"published_at": "2026-01-01T10:00:00Z"})
    with serving(app) as address, chromium.new_page() as page:
        page.goto(other_origin)
        yield (
            lambda path, **options: page.evaluate(ASK, [address + path, options]),
            {"Authorization": f"Bearer {token_of(app, people['ann'])}"},
        )


def test_script_of_another_origin(ask):
    ask, proof = ask
    listed = ask("/api/v1/posts")
    assert listed["status"] == 200 and "Tides" in listed["text"]
    assert {"etag", "link", "x-total-count", "x-request-id", "x-changes-cursor", "ratelimit",
            "ratelimit-policy"} <= listed["headers"].keys()  # fmt: skip

    sent = proof | {"Content-Type": "application/json", "Idempotency-Key": "once"}
    new = {"method": "POST", "headers": sent, "body": '{"title": "New", "body": "y"}'}
    first, again = ask("/api/v1/posts", **new), ask("/api/v1/posts", **new)
    assert first["status"] == again["status"] == 201
    assert "location" in first["headers"] and again["headers"]["idempotency-replayed"] == "true"

    large = ask("/api/v1/posts", method="POST", headers=sent, size=3_000_000)
    assert large["status"] == 413 and '"too_large"' in large["text"]
    nobody = ask("/api/v1/posts", method="POST", headers={"X-CSRFToken": "x"}, body="{}")
    assert nobody["status"] == 401 and "www-authenticate" in nobody["headers"]
    assert ask("/api/v1/nowhere", headers=proof)["status"] == 404
    assert ask("/feed.json", headers={"If-None-Match": '"x"'})["status"] == 200
    assert ask("/uploads/nothing.png")["status"] == 404

    statuses = [ask("/api/v1/posts", headers=proof)["status"] for _ in range(8)]
    assert statuses[-1] == 429
    refused = ask("/api/v1/posts", headers=proof)
    assert int(refused["headers"]["retry-after"]) > 0
    assert refused["headers"]["ratelimit"].startswith('"api";r=0;t=')

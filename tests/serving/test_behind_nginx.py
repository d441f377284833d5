"""Quire behind nginx as a caching proxy, with the lines in docs/operators.md."""

import http.client
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from quire.records import POSTS
from tests.nginx import nginx_configuration
from tests.running_server import free_port, serving
from tests.users import token_of
from tests.waiting import wait_for_port

NGINX = shutil.which("nginx")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(NGINX is None, reason="nginx is not installed")]
OPERATORS = Path(__file__).parents[2] / "docs" / "operators.md"
SECONDS = 20


def configuration(folder, upstream, port):
    """Return the documented lines, for these ports and this folder."""
    text = OPERATORS.read_text(encoding="utf-8")
    server = re.search(r"```nginx\n(.*?)```", text, re.DOTALL)[1]
    for documented, here in (
        ("/var/cache/nginx/quire", f"{folder}/cache"),
        ("listen 80", f"listen 127.0.0.1:{port}"),
        ("http://127.0.0.1:8000", upstream),
    ):
        assert documented in server
        server = server.replace(documented, here)
    return nginx_configuration(folder, server)


@pytest.fixture
def proxy(app, tmp_path):
    """The port of nginx in front of a server."""
    port = free_port()
    with serving(app) as upstream:
        file = tmp_path / "nginx.conf"
        file.write_text(configuration(tmp_path, upstream, port), encoding="utf-8")
        log = (tmp_path / "output").open("w", encoding="utf-8")
        process = subprocess.Popen([NGINX, "-c", str(file)], stdout=log, stderr=log)
        try:
            wait_for_port(port, process, tmp_path / "output")
            yield port
        finally:
            process.terminate()
            process.wait(SECONDS)
            log.close()


@pytest.fixture
def get(proxy):
    """`get(path, **headers)`: status, headers and body, and the state of the cache (`hit`, `miss`, ...)."""

    def asked(path, method="GET", **headers):
        connection = http.client.HTTPConnection("127.0.0.1", proxy, timeout=SECONDS)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, headers=sent)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer, body, (answer.headers["X-Cache"] or "").lower()

    return asked


@pytest.fixture
def post(make, people):
    """A public post, with a draft."""
    make(POSTS, title="Draft", body="canary " * 300, author=people["ann"].id)
    live = {"published_at": "2026-01-02T10:00:00Z", "author": people["ann"].id, "slug": "live"}
    return make(POSTS, title="Live", body="Text. " * 300, **live)


def test_public_responses_are_cached(get, post):
    for path in ("/api/v1/posts", f"/api/v1/posts/{post}", "/", "/posts/live", "/feed.atom"):
        first, again = get(path), get(path)
        assert (first[2], again[2]) == ("miss", "hit"), path
        assert again[1] == first[1] and again[0].status == 200
        known = get(path, If_None_Match=first[0].headers["ETag"])
        assert (known[0].status, known[1], known[2]) == (304, b"", "hit"), path
        assert get(path, "HEAD")[2] == "hit"
    for path in ("/search?q=text", "/api/v1/search?q=text", "/auth/login", "/api/v1/changes"):
        assert [get(path)[2] for _ in range(2)] == ["miss", "miss"], path


def test_expired_responses_are_revalidated(get, post, monkeypatch):
    monkeypatch.setattr("quire.web.caching.PUBLIC", "public, max-age=0, s-maxage=1")
    first = get("/api/v1/posts")
    end = time.monotonic() + SECONDS
    while (again := get("/api/v1/posts"))[2] == "hit" and time.monotonic() < end:
        time.sleep(0.1)
    assert again[2] == "revalidated" and again[1] == first[1]


def test_requests_with_credentials_bypass_the_cache(app, get, post, people):
    token = token_of(app, people["root"])
    proofs = (
        {"Authorization": f"Bearer {token}"},
        {"X_API_Key": "qk_none"},
        {"Cookie": "quire=none"},
    )
    for path in ("/api/v1/posts", "/posts/live"):
        stranger = get(path)[1]
        assert get(path)[2] == "hit"
        for proof in proofs:
            for _ in range(2):
                answer, _, cached = get(path, **proof)
                assert cached in ("miss", "bypass"), (path, proof)
                assert "public" not in answer.headers["Cache-Control"]
        assert get(path)[1:] == (stranger, "hit")
    own = get("/api/v1/posts", Authorization=f"Bearer {token}")
    assert b"canary" in own[1] and b"canary" not in get("/api/v1/posts")[1]


def test_encodings_are_cached_separately(get, post):
    for path in ("/api/v1/posts", "/posts/live"):
        for _ in range(2):
            for accepted in ("zstd", "br", "gzip", "identity"):
                answer, _, _ = get(path, Accept_Encoding=accepted)
                assert answer.headers.get("Content-Encoding", "identity") == accepted, path
        tags = [get(path, Accept_Encoding=one) for one in ("zstd", "br", "gzip", "identity")]
        assert [one[2] for one in tags] == ["hit"] * 4
        for accepted in ("zstd", "br"):
            tag = get(path, Accept_Encoding=accepted)[0].headers["ETag"]
            known = get(path, Accept_Encoding=accepted, If_None_Match=tag)
            assert known[0].status == 304


def test_changes_and_conditions_are_passed_on(app, get, post, people, proxy):
    token = token_of(app, people["ann"])
    path, headers = f"/api/v1/posts/{post}", {"Authorization": f"Bearer {token}"}
    tag = get(path, Accept_Encoding="br", **headers)[0].headers["ETag"]
    statuses = []
    for _ in range(2):
        connection = http.client.HTTPConnection("127.0.0.1", proxy, timeout=SECONDS)
        sent = {**headers, "If-Match": tag, "Content-Type": "application/json"}
        connection.request("PATCH", path, b'{"excerpt": "New."}', sent)
        statuses.append(connection.getresponse().status)
        connection.close()
    assert statuses == [200, 412]
    assert b"New." in get(path, **headers)[1]

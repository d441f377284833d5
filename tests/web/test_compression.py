"""Which responses are compressed, with which coding and entity tag, and which never are."""

import gzip
import http.client
import json
from urllib.parse import urlsplit

import brotli
import pytest
from flask import Response
from flask_compress.compat import compression as standard

from quire.records import POSTS
from quire.web.compression import compress, plain_tag
from tests.running_server import serving
from tests.users import PASSWORD, give_session

DECODE = {
    "zstd": standard.zstd.decompress,
    "br": brotli.decompress,
    "gzip": gzip.decompress,
    None: bytes,
}
ALL = {"Accept-Encoding": "zstd, br, gzip"}
LONG = "A sentence that says the same again. " * 100


@pytest.fixture
def post(make, people):
    """A long public post."""
    live = {"published_at": "2026-01-02T10:00:00Z", "author": people["ann"].id, "slug": "long"}
    return make(POSTS, title="Long", body=LONG, **live)


def fetch(client, path, accepted, method="GET", **headers):
    """Return the response to a client that accepts these codings, its coding, and its decoded body."""
    client.checked = False  # it only reads JSON
    sent = {"Accept-Encoding": accepted, **headers}
    response = client.open(path, method=method, headers=sent)
    coding = response.headers.get("Content-Encoding")
    return response, coding, DECODE[coding](response.data) if response.data else b""


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip, deflate, br, zstd", "zstd"), ("gzip, br", "br"), ("gzip", "gzip"), ("GZIP", "gzip"),
        ("br;q=0.5, gzip;q=0.6", "gzip"), ("gzip; q=0.5", "gzip"), ("*", "zstd"), ("", None),
        ("deflate", None), ("identity", None), ("gzip;q=0", None), ("*;q=0", None),
        ("zstd;q=0, br;q=0, *", "gzip"), ("gzip;q=0.5, identity", None), ("gzip, " * 50, None),
        ("gzip;q=x", None), (";,=", None),
    ],
)  # fmt: skip
def test_preferred_coding_of_the_client_is_used(client, post, accepted, coding):
    plain = client.get(f"/api/v1/posts/{post}")
    response, chosen, body = fetch(client, f"/api/v1/posts/{post}", accepted)
    assert (chosen, body) == (coding, plain.data)
    assert response.content_length == len(response.data)
    assert "Accept-Encoding" in response.vary


@pytest.mark.parametrize("accepted", ["zstd", "br", "gzip", "identity"])
def test_head_has_the_headers_of_get(client, post, accepted):
    paths = (
        f"/api/v1/posts/{post}", "/api/v1/posts", "/", "/posts/long", "/feed.atom", "/sitemap.xml",
        "/static/site.css", "/search?q=sentence", "/archive", "/api/v1/openapi.json",
    )  # fmt: skip
    for path in paths:
        got, asked = (fetch(client, path, accepted, method)[0] for method in ("GET", "HEAD"))
        assert got.status_code == 200 and not asked.data, path
        for name in ("ETag", "Content-Length", "Content-Encoding", "Vary", "Cache-Control"):
            assert got.headers.get(name) == asked.headers.get(name), (path, name)
        if tag := got.headers.get("ETag"):
            again = fetch(client, path, accepted, "HEAD", **{"If-None-Match": tag})[0]
            assert again.status_code == 304, path


TEXTS = (
    "/", "/posts/long", "/feed.atom", "/feed.rss", "/feed.json", "/static/site.css", "/api/v1/posts",
    "/static/passkeys.js", "/api/v1/openapi.json", "/api/v1/docs", "/api/v1/posts/export",
)  # fmt: skip


def test_text_responses_of_all_kinds_are_compressed(client, post):
    for path in TEXTS:
        plain = fetch(client, path, "identity")[2]
        for accepted in ("zstd", "br", "gzip"):
            response, coding, body = fetch(client, path, accepted)
            assert (coding, body) == (accepted, plain), path
            assert len(response.data) < len(plain)


def test_error_responses_are_compressed(client, post):
    path = "/api/v1/posts?" + "&".join(f"{'unknown' * 20}{number}=1" for number in range(20))
    kinds = ("application/json", "application/problem+json")
    for kind in kinds:
        response, coding, body = fetch(client, path, "gzip", Accept=kind)
        assert (response.status_code, response.mimetype, coding) == (400, kind, "gzip")
        assert json.loads(body)["code"] == "unknown_parameter"
    response, coding, body = fetch(client, "/nowhere", "br", Accept="text/html")
    assert (response.status, coding) == ("404 NOT FOUND", "br")
    assert b"<h1>" in body


def test_short_or_non_text_responses_are_not_compressed(app, client):
    response, coding, _ = fetch(client, "/robots.txt", "gzip")
    assert coding is None and "Accept-Encoding" in response.vary
    with app.test_request_context("/", headers=ALL) as context:
        picture = compress(context.request, Response(LONG, mimetype="image/png"))
    assert "Content-Encoding" not in picture.headers and "Vary" not in picture.headers


def test_large_files_are_sent_uncompressed(app, client, monkeypatch):
    monkeypatch.setattr("quire.web.compression.LARGEST_FILE", 2000)
    response, coding, body = fetch(client, "/static/site.css", "gzip")
    assert coding is None and response.content_length == len(body) > 2000
    response.close()


def test_range_request_returns_part_of_the_uncompressed_file(client):
    path = "/static/site.css"
    whole = fetch(client, path, "identity")[2]
    part, coding, body = fetch(client, path, "gzip", Range="bytes=0-1999")
    assert (part.status_code, coding, body) == (206, None, whole[:2000])
    compressed = fetch(client, path, "gzip")[0]
    assert "Accept-Ranges" not in compressed.headers
    tag = compressed.headers["ETag"]
    again = fetch(client, path, "gzip", **{"Range": "bytes=2000-", "If-Range": tag})
    assert (again[0].status_code, again[2]) == (200, whole)


@pytest.mark.parametrize(
    ("sent", "plain"),
    [
        ('"v1-abc:zstd"', '"v1-abc"'),
        ('W/"abc:gzip"', 'W/"abc"'),
        ('"a:b"', '"a:b"'),
        ('"v1-abc"', '"v1-abc"'),
        ("", ""),
    ],
)
def test_plain_tag_strips_only_known_codings(sent, plain):
    assert plain_tag(sent) == plain


@pytest.mark.parametrize("coding", ["zstd", "br", "gzip"])
def test_entity_tag_of_a_compressed_response_names_its_coding(as_, post, coding):
    ann, path = as_("ann"), f"/api/v1/posts/{post}"
    plain = ann.get(path).headers["ETag"]
    tag = fetch(ann, path, coding)[0].headers["ETag"]
    assert tag == f'{plain[:-1]}:{coding}"'
    assert ann.get(path, headers={"If-None-Match": tag}).status_code == 304
    changes = [ann.patch(path, json={"excerpt": str(n)}, headers={"If-Match": tag}) for n in (1, 2)]
    assert [one.status_code for one in changes] == [200, 412]


@pytest.mark.parametrize("path", ["/api/v1/posts", "/posts/long", "/feed.atom", "/static/site.css"])
def test_not_modified_response_repeats_the_entity_tag_sent(client, post, path):
    plain = fetch(client, path, "identity")[0].headers["ETag"]
    for accepted in ("zstd", "br", "gzip"):
        tag = fetch(client, path, accepted)[0].headers["ETag"]
        again = fetch(client, path, accepted, **{"If-None-Match": f'"x", {tag}'})[0]
        assert (again.status_code, again.headers["ETag"], again.data) == (304, tag, b"")
        assert "Accept-Encoding" in again.vary and "Content-Encoding" not in again.headers
    # a cache with a coding that this client cannot read must not give it
    other = fetch(
        client, path, "gzip", **{"If-None-Match": fetch(client, path, "br")[0].headers["ETag"]}
    )
    assert other[0].headers["ETag"] == plain


def test_responses_with_secrets_are_not_compressed(client, as_, people, post, monkeypatch):
    monkeypatch.setattr("quire.web.compression.MIN_BYTES", 1)
    ann = as_("ann")
    ann.checked = client.checked = False
    signs_in = {"email": "root@example.org", "password": PASSWORD}
    answers = [
        client.post("/api/v1/auth/token", json=signs_in, headers=ALL),
        ann.post("/api/v1/api_keys", json={"name": "key", "scopes": ["posts:read"]}, headers=ALL),
        ann.post(f"/api/v1/posts/{post}/previews", headers=ALL),
        ann.patch(f"/api/v1/posts/{post}", json={"excerpt": "none"}, headers=ALL),
    ]
    codings = [(one.status_code, one.headers.get("Content-Encoding")) for one in answers]
    assert codings == [(200, None), (201, None), (201, None), (200, "zstd")]


def test_pages_with_a_csrf_token_are_not_compressed(client, post, app, people):
    for path in ("/auth/login?next=/guess", "/auth/register", "/api/v1/csrf-token"):
        assert fetch(client, path, "gzip")[1] is None, path
    give_session(app, client, people["root"])
    for path in ("/posts/long", "/admin/", "/admin/posts/new/", "/profile/two-factor"):
        response, coding, body = fetch(client, path, "gzip")
        assert (response.status_code, coding) == (200, None) and b"csrf_token" in body, path
    assert fetch(client, f"/api/v1/posts/{post}", "gzip")[1] == "gzip"


def test_csrf_pages_are_compressed_for_same_origin_requests(client, app, people):
    give_session(app, client, people["root"])
    sites = (("same-origin", "gzip"), ("none", "gzip"), ("same-site", None), ("cross-site", None))
    for site, expected in sites:
        response, coding, body = fetch(client, "/admin/", "gzip", **{"Sec-Fetch-Site": site})
        assert (coding, b"csrf_token" in body) == (expected, True), site
        assert "Sec-Fetch-Site" in response.vary and response.cache_control.no_store


def test_referer_is_used_without_sec_fetch_site(client, app, people):
    # as over plain http to another machine
    give_session(app, client, people["root"])
    here, there = "http://localhost/admin/posts/", "http://localhost.example.com/"
    for referer, expected in ((here, "gzip"), (there, None), ("http://localhost", None)):
        response, coding, body = fetch(client, "/admin/", "gzip", Referer=referer)
        assert (coding, b"csrf_token" in body) == (expected, True), referer
        assert "Referer" in response.vary
    other = {"Sec-Fetch-Site": "cross-site", "Referer": here}
    assert fetch(client, "/admin/", "gzip", **other)[1] is None


def test_csrf_lists_with_only_paging_parameters_are_compressed(client, app, people):
    give_session(app, client, people["root"])
    for query in ("", "?per_page=100", "?per_page=100&page=1"):
        response, coding, body = fetch(client, f"/admin/users/{query}", "gzip")
        assert (response.status_code, coding, b"csrf_token" in body) == (200, "gzip", True), query
    for query in ("?search=guess", "?per_page=guess", "?guess=1", "?username=guess"):
        assert fetch(client, f"/admin/users/{query}", "gzip")[1] is None, query
    other = {"Sec-Fetch-Site": "cross-site"}
    assert fetch(client, "/admin/users/", "gzip", **other)[1] is None


def test_export_is_compressed_as_a_stream(as_, post, make, people):
    for number in range(60):
        make(POSTS, title=f"Post {number}", body=LONG, author=people["ann"].id)
    ann = as_("ann")
    for form in ("ndjson", "csv"):
        path = f"/api/v1/posts/export?format={form}"
        plain = ann.get(path).data
        for accepted in ("zstd", "br", "gzip"):
            response, coding, body = fetch(ann, path, accepted)
            assert (coding, body) == (accepted, plain)
            assert "Content-Length" not in response.headers


def test_connection_serves_many_compressed_responses(app, post):
    requests = (
        ("GET", "/api/v1/posts", 200), ("HEAD", "/api/v1/posts", 200), ("GET", "/static/site.css", 200),
        ("HEAD", "/posts/long", 200), ("GET", "/posts/long", 200), ("GET", "/nowhere", 404),
    )  # fmt: skip
    with serving(app) as address:
        connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=20)
        connection.connect()
        socket = connection.sock
        for method, path, status in requests:
            headers = {"Accept-Encoding": "br"}
            for _ in range(2):
                connection.request(method, path, headers=headers)
                answer = connection.getresponse()
                body = answer.read()
                assert connection.sock is socket, (method, path, answer.status)
                if status == 404:
                    break
                assert answer.status == (304 if "If-None-Match" in headers else status)
                assert bool(body) == (method == "GET" and answer.status == 200)
                headers["If-None-Match"] = answer.headers["ETag"]
        connection.close()

"""The host names that the server accepts, and its response to requests for others."""

import pytest
from flask import url_for

from quire.web.hosts import is_served_host, served_hosts
from tests.running_server import serving
from tests.serving.test_server import send

PATHS = [
    "/",
    "/auth/reset",
    "/admin/",
    "/static/site.css",
    "/feed.atom",
    "/nothing",
    "/api/v1/posts",
]
FOREIGN = [
    "evil.example",
    "localhost.evil.example",
    "",
    "a b",
    "[",
    "localhost:99999",
    "x@localhost",
]


def asked(client, path, host, **more):
    return client.get(path, headers={"Host": host}, **more)


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:81", "localhost.", "127.0.0.1:8000", "[::1]:1"]
)
def test_localhost_is_served_by_default(client, host):
    assert [asked(client, path, host).status_code for path in ("/", "/api/v1/posts")] == [200, 200]


@pytest.mark.parametrize(
    ("scheme", "host", "own"),
    [
        ("http", "LocalHost:80", "localhost"),
        ("https", "localhost:443", "localhost"),
        ("http", "localhost:443", "localhost:443"),
        ("http", "[::1]:8000", "[::1]:8000"),
    ],
)
def test_generated_urls_omit_the_default_port(client, scheme, host, own):
    root = f"{scheme}://{own}/"
    listed = client.get("/api/v1/posts", base_url=f"{scheme}://{host}")
    assert listed.headers["Link"].startswith(f'<{root}api/v1/posts?page=1>; rel="first"')
    with client.application.test_request_context("/", base_url=f"{scheme}://{host}"):
        assert url_for("site.home", _external=True) == root


@pytest.mark.parametrize("host", FOREIGN)
def test_unknown_host_is_refused_on_every_path(client, host):
    client.checked = False
    for path in PATHS:
        answer = asked(client, path, host)
        assert answer.status_code == 400, path
        assert "evil" not in answer.text and "TRUSTED_HOSTS" in answer.text, path


@pytest.mark.parametrize("host", FOREIGN)
def test_health_check_answers_for_any_host(client, host):
    usual, other = asked(client, "/healthz", "localhost"), asked(client, "/healthz", host)
    assert other.status_code == 200
    assert other.data == usual.data
    assert {**other.headers, "X-Request-Id": ""} == {**usual.headers, "X-Request-Id": ""}


def test_host_of_the_public_url_is_served_too(make_app):
    client = make_app(PUBLIC_URL="https://blog.example.org:8443").test_client()
    answers = {host: asked(client, "/", host).status_code
               for host in ("blog.example.org", "localhost", "example.org")}  # fmt: skip
    assert answers == {"blog.example.org": 200, "localhost": 200, "example.org": 400}


def test_only_trusted_hosts_are_served_when_set(make_app):
    app = make_app(TRUSTED_HOSTS="Blog.example.org, .example.net, b\u00fccher.example")
    answers = {host: asked(app.test_client(), "/", host).status_code
               for host in ("blog.example.org:99", "a.b.example.net", "example.net",
                            "xn--bcher-kva.example", "localhost", "notexample.net")}  # fmt: skip
    assert list(answers.values()) == [200, 200, 200, 200, 400, 400]


def test_error_page_for_an_unknown_host_has_working_links(client):
    answer = asked(client, "/auth/reset", "evil.example")
    assert 'href="/static/site.css' in answer.text
    assert answer.headers["Cache-Control"] == "no-store"


def test_api_refuses_an_unknown_host_in_json(client):
    answer = asked(client, "/api/v1/posts", "evil.example")
    assert (answer.status_code, answer.json["code"]) == (400, "malformed_body")


def test_request_without_a_host_header_is_served(app):
    with serving(app) as address:
        answer = send(int(address.rpartition(":")[2]), b"GET /posts/nothing/here HTTP/1.0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.0 404")


def test_whole_host_names_are_compared():
    assert served_hosts((), "http://[::1]:8000")[0] == "[::1]"
    assert is_served_host("a.example.org", (".example.org",)) and not is_served_host(
        "<.example.org", (".example.org",)
    )

"""Large bodies are accepted only with credentials, and only a few at the same time from one network."""

import contextlib
import json
import socket

import pytest

from quire.serving import request_admission
from tests import running_server

HEAD = b"POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n%s\r\n"
PROVED = b"Authorization: Bearer x\r\n"


def application(environ, start_response):
    """Respond with the length of the body."""
    body = str(len(environ["wsgi.input"].read())).encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]


def running(**options):
    return running_server.running(
        application, threads=2, max_request_body_size=2_000_000, **options
    )


@contextlib.contextmanager
def sending(port, data):
    """Connect a client that has sent `data` and waits."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        client.sendall(data)
        yield client


def refused(client):
    """Return status, headers and error of the response that ends a connection."""
    answer = b"".join(iter(lambda: client.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), head, json.loads(body)


@pytest.mark.parametrize(
    "path",
    [
        b"/api/v1/media",
        b"/api/v1/media/7/replace_file",
        b"/profile",
        b"/admin/imports/upload",
        b"/admin/media/new/",
        b"/admin/media/replace/",
    ],
)
@pytest.mark.parametrize("expect", [b"", b"Expect: 100-continue\r\n"], ids=["at once", "asks"])
def test_large_file_needs_credentials(path, expect):
    with running() as (_, port), sending(port, HEAD % (path, expect) + b"x" * 1000) as client:
        status, head, error = refused(client)
    assert (status, error["code"], error["error"]) == (401, "unauthorized", "Unauthorized")
    assert b"Www-Authenticate: Bearer" in head


def test_large_chunked_file_needs_credentials():
    head = b"POST /api/v1/media HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    with running() as (_, port), sending(port, head + b"fff\r\n") as client:
        assert refused(client)[0] == 401


@pytest.mark.parametrize("proof", [PROVED, b"X-API-Key: x\r\n", b"Cookie: a=b\r\n"])
def test_credentials_of_any_kind_admit_the_body(proof):
    data = HEAD % (b"/api/v1/media", proof + b"Connection: close\r\n") + b"x" * 900_000
    with running() as (_, port), sending(port, data) as client:
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    assert answer.endswith(b"900000")


def test_small_bodies_and_other_paths_need_no_credentials():
    close = b"Connection: close\r\n"
    small = (
        b"POST /api/v1/media HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n" + close + b"\r\n12345"
    )
    other = HEAD % (b"/api/v1/posts", close) + b"x" * 900_000
    for data, length in ((small, b"5"), (other, b"900000")):
        with running() as (_, port), sending(port, data) as client:
            assert b"".join(iter(lambda: client.recv(65536), b"")).endswith(length)


def finish(client):
    """Send the announced body; return whether all of it arrived."""
    client.sendall(b"x" * 899_999)
    answer = b""
    while not answer.endswith(b"900000"):
        answer += client.recv(65536)
    return True


@pytest.fixture
def few(monkeypatch):
    """A limit of two simultaneous large bodies from one network."""
    monkeypatch.setattr(request_admission, "LARGE_BODIES", 2)


def opened(stack, port, headers=b""):
    data = HEAD % (b"/api/v1/posts", PROVED + headers) + b"x"
    return stack.enter_context(sending(port, data))


def test_simultaneous_large_bodies_of_a_network_are_limited(few):
    with running() as (_, port), contextlib.ExitStack() as stack:
        clients = [opened(stack, port) for _ in range(2)]
        status, head, error = refused(opened(stack, port))
        assert (status, error["code"]) == (429, "too_many_requests")
        assert b"Retry-After: 5" in head
        assert finish(clients[0])
        assert finish(opened(stack, port))


def test_clients_behind_a_trusted_proxy_count_separately(few):
    with running(trusted_proxy="127.0.0.1") as (_, port), contextlib.ExitStack() as stack:
        for number in range(4):
            forwarded = b"X-Forwarded-For: 203.0.113.9, 198.51.100.%d\r\n" % number
            client = opened(stack, port, forwarded)
        assert finish(client)
        again = [opened(stack, port, b"X-Forwarded-For: 198.51.100.7\r\n") for _ in range(3)]
        assert refused(again[2])[0] == 429

"""Requests that two servers in a row could read differently are refused, or read in the only way of the RFC."""

import json

import pytest

from tests.running_server import serving
from tests.serving.test_server import parsed, port, send  # noqa: F401 - a fixture

HEAD = b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"


def by_length(*values):
    """Return a request with these Content-Length values."""
    return HEAD + b"".join(b"Content-Length:%s\r\n" % one for one in values) + b"\r\n12345"


def chunked(body=b"5\r\n12345\r\n0\r\n\r\n", *values):
    """Return a request with a chunked body, with these values of Transfer-Encoding."""
    lines = b"".join(b"Transfer-Encoding:%s\r\n" % one for one in values or [b" chunked"])
    return HEAD + lines + b"\r\n" + body


def with_lines(*lines):
    """Return a request for the first page with these header lines."""
    return b"\r\n".join([b"GET / HTTP/1.1", *lines, b"", b""])


def asked(line):
    """Return a request with this request line."""
    return line + b"\r\nHost: a\r\nConnection: close\r\n\r\n"


BODY = chunked.__defaults__[0]
REFUSED = {
    **{f"length{value!r}": by_length(value) for value in
       (b"", b" -5", b" 1_0", b" 0x5", b" 5e0", b" 5.0", b" 5 5", b" 5, 5", b" 5\x00", b" \x0b5", b" \xb2")},
    "lengths that agree": by_length(b" 5", b" 5"),
    "lengths that differ": by_length(b" 5", b" 6"),
    **{f"coding{value!r}": chunked(BODY, value) for value in
       (b"", b" ", b" identity", b" xchunked", b" chunked;a=b", b' "chunked"', b" \x0bchunked", b" chunked,",
        b" chunked, chunked", b" chunked, identity", b" gzip, chunked", b" chunked\x00")},
    "coding twice": chunked(BODY, b" chunked", b" chunked"),
    "coding twice, once empty": chunked(BODY, b"", b" chunked"),
    "coding before a colon": HEAD + b"Transfer-Encoding : chunked\r\n\r\n" + BODY,
    **{f"chunk{size!r}": chunked(size + b"\r\n12345\r\n0\r\n\r\n") for size in
       (b"+5", b"-5", b"0x5", b"0_5", b" 5", b"5 ", b"5;a\nb", b'5;a="', b"5;\x00")},
    "chunk without its end": chunked(b"5\r\n123450\r\n\r\n"),
    "chunk that is longer": chunked(b"5\r\n1234567\r\n0\r\n\r\n"),
    **{f"header{line!r}": with_lines(b"Host: a", line) for line in
       (b"X\x00: b", b"X: \x00b", b"X: a\rb", b"X\r: b", b"X Y: b", b"X", b": b", b"X: a\r\n\tb")},
    "folded first header": with_lines(b" X: a", b"Host: a"),
    "host before a colon": with_lines(b"Host : a"),
    **{f"line{line!r}": asked(line) for line in
       (b"GET\t/\tHTTP/1.1", b"GET  / HTTP/1.1", b"GET / a HTTP/1.1", b"get / HTTP/1.1", b"GET /\r HTTP/1.1",
        b"GET /\xff HTTP/1.1", b"GET / http/1.1", b"GET / HTTP/1.10", b"GET / HTTP/1.1 ")},
    "HTTP/2 by itself": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
}  # fmt: skip


@pytest.mark.parametrize("data", REFUSED.values(), ids=map(ascii, REFUSED))
def test_ambiguous_requests_are_refused(port, data):  # noqa: F811
    status, head, body = parsed(send(port, data))
    assert (status, json.loads(body)["code"]) == (400, "malformed_body")
    assert "connection: close" in head


@pytest.mark.parametrize(
    "data",
    [
        by_length(b" 0005"),
        chunked(BODY, b" CHUNKED"),
        chunked(BODY, b"chunked\t"),
        chunked(b"5;a=b\r\n12345\r\n0\r\n\r\n"),
        chunked(b"0000000005\r\n12345\r\n0\r\n\r\n"),
        chunked(b"5\r\n12345\r\n0\r\nContent-Length: 9\r\nHost: evil\r\n\r\n"),
    ],
    ids=repr,
)
def test_every_encoding_of_the_same_body_is_read_alike(port, data):  # noqa: F811
    assert parsed(send(port, data))[::2] == (200, b"12345")


@pytest.mark.parametrize("name", [b"Transfer_Encoding: chunked", b"Content_Length: 44"])
def test_headers_with_underscores_announce_no_body(port, name):  # noqa: F811
    assert parsed(send(port, HEAD + name + b"\r\n\r\n"))[::2] == (200, b"ok")


def test_request_inside_a_body_is_not_answered(port):  # noqa: F811
    inner = b"GET /?fail HTTP/1.1\r\nHost: a\r\n\r\n"
    head = b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(inner)
    answers = send(port, head + inner + asked(b"GET / HTTP/1.1"))
    assert answers.count(b"HTTP/1.1 200 OK") == 2 and b" 500 " not in answers


TARGETS = [
    (b"http://127.0.0.1/", b"localhost", 200),
    (b"http://localhost/", b"evil.example", 200),
    (b"http://evil.example/", b"localhost", 400),
    (b"http://evil.example/api/v1/posts", b"localhost", 400),
    (b"http://x:y@localhost/", b"localhost", 400),
    (b"http://localhost.evil.example/", b"localhost", 400),
    (b"http://localhost:99999/", b"localhost", 400),
    (b"http://evil.example/healthz", b"localhost", 200),
    (b"file:///etc/passwd", b"localhost", 404),
    (b"evil.example:80", b"localhost", 404),
    (b"*", b"localhost", 404),
    (b"/../../etc/passwd", b"localhost", 404),
]


def test_host_of_an_absolute_target_takes_precedence(app):
    """RFC 9112, 3.2.2: the Host header is then ignored."""
    form = b"GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n"
    with serving(app) as address:
        place = int(address.rpartition(":")[2])
        got = [(*one[:2], parsed(send(place, form % one[:2]))[0]) for one in TARGETS]
    assert got == TARGETS

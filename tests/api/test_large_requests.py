"""Requests that are made to be slow get a response, and their time grows in proportion to their size."""

import pytest

from tests.growth import grows_too_fast
from tests.users import signed_in

JSON = {"content_type": "application/json"}
FORM = {"content_type": "application/x-www-form-urlencoded"}
PARTS = {"content_type": "multipart/form-data; boundary=b"}


def new_post(text):
    """Create a post with this text as its body."""
    return f'{{"title": "x", "body": "{text}"}}'


BODIES = {
    "nested lists": ("posts", "[", lambda text: text, JSON, 400),
    "nested objects": ("posts", '{"a":', lambda text: text, JSON, 400),
    "keys": ("posts", '"é":1,', lambda text: "{" + text.rstrip(",") + "}", JSON, 400),
    "digits": ("posts", "9", lambda text: f'{{"title": {text or 1}}}', JSON, 400),
    "digits after a point": ("posts", "9", lambda text: f'{{"title": 1.{text or 1}}}', JSON, 422),
    "spaces": ("posts", " ", lambda text: text + "{}", JSON, 422),
    "escapes": ("posts", r"\u0061", new_post, JSON, 201),
    "combining marks": ("posts", "\u0301", new_post, JSON, 201),
    "addresses in brackets": ("posts", "(http://", new_post, JSON, 201),
    "opening brackets": ("posts", "[", new_post, JSON, 201),
    "marks in a title": ("posts", "\u0301", lambda text: f'{{"title": "a{text}", "body": "y"}}', JSON, 422),
    "elements of a list": ("posts", "1,", lambda text: '{"tags": [' + text.rstrip(",") + "]}", JSON, 422),
    "texts of a list": ("posts", '"é",', lambda text: '{"tags": [' + text.rstrip(",") + "]}", JSON, 422),
    "fields of a form": ("/auth/login", "a=b&", lambda text: text, FORM, 413),
    "percent signs in a form": ("/auth/login", "%", lambda text: "email=" + text, FORM, 400),
    "escapes in a form": ("/auth/login", "%C3%A9", lambda text: "email=" + text, FORM, 401),
    "line ends in a part": ("/auth/login", "\r",
        lambda text: f'--b\r\nContent-Disposition: form-data; name="email"\r\n\r\n{text}\r\n--b--\r\n', PARTS, 401),
    "ends of parts": ("/auth/login", "--b\r\n", lambda text: text + "--b--", PARTS, 401),
    "parts": ("/auth/login", '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n',
        lambda text: text + "--b--\r\n", PARTS, 413),
}  # fmt: skip


@pytest.mark.parametrize("name", BODIES)
def test_large_bodies(app, people, name):
    path, token, whole, kind, status = BODIES[name]
    client = signed_in(app, people["ann"]) if kind is JSON else app.test_client()
    client.checked = False
    seen = set()

    def send(text):
        seen.add(client.post(path, data=whole(text).encode(), **kind).status_code)

    assert not grows_too_fast(send, token, 250_000)
    send(token * (250_000 // len(token.encode())))
    assert status in seen and seen <= {status, 200, 201, 400, 401, 413, 422}


QUERIES = {
    "filters": ("id__ne=1&", 400),
    "one filter of many values": ("id__in=1&", 400),
    "values": ("1,", 400),
    "orders": ("sort=-id,id&", 200),
    "fields": ("fields=id,title&", 200),
    "includes": ("include=author&", 200),
    "empty names": ("=&", 400),
    "percent signs": ("%", 400),
}


@pytest.mark.parametrize("name", QUERIES)
def test_large_queries(client, content, name):
    token, status = QUERIES[name]
    client.checked = False
    start = "id__nin=" if name == "values" else ""
    seen = set()

    def ask(text):
        answer = client.get("posts", query_string=start + text.rstrip("&,"))
        seen.add(answer.status_code)
        assert sum(len(f"{k}: {v}\r\n") for k, v in answer.headers) < 4096

    assert not grows_too_fast(ask, token, 60_000)
    ask(token * (60_000 // len(token)))
    assert status in seen and seen <= {200, 400, 414}


@pytest.mark.parametrize(
    ("header", "token"),
    [("Cookie", "a=b; "), ("Cookie", "quire=x; "), ("Cookie", '"\\'), ("Accept", "a/b;q=0.1,"),
     ("Accept-Language", "de;q=0.1,"), ("If-None-Match", 'W/"a",'), ("If-Match", '"a",'), ("Range", "bytes=0-1,"),
     ("Authorization", "Bearer "), ("X-API-Key", "qk_"), ("X-Forwarded-For", "1.2.3.4, "), ("Forwarded", "for=a;"),
     ("Referer", "http://a/"), ("X-CSRFToken", "a."), ("Content-Type", "a;"), ("User-Agent", "("), ("Host", "a.")],
)  # fmt: skip
def test_large_headers(client, content, header, token):
    client.checked = False
    seen = set()

    def ask(text):
        for path in ("/", "posts"):
            seen.add(client.get(path, headers={header: text}).status_code)

    assert not grows_too_fast(ask, token, 100_000)
    assert seen <= {200, 400, 401, 412, 416}

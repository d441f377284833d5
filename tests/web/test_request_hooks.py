"""Hooks receive the request, so that reads rarely look it up through Flask's proxies."""

import sys

import pytest
from flask import Flask, Response
from werkzeug import local

from quire.records import POSTS
from quire.web.request_hooks import after_request, before_request

LIMIT = 22
"""The lookups of Flask and its extensions, and a few of ours."""


@pytest.fixture
def bare():
    app = Flask("bare")
    app.add_url_rule("/", view_func=lambda: "view")
    return app


def test_before_hooks_run_in_order_and_after_hooks_in_reverse(bare):
    calls = []
    for name in "ab":
        before_request(bare, lambda request, name=name: calls.append((name, request.path)))
        after_request(
            bare, lambda request, response, name=name: calls.append(name.upper()) or response
        )
    assert bare.test_client().get("/").text == "view"
    assert calls == [("a", "/"), ("b", "/"), "B", "A"]


def test_first_response_of_a_hook_skips_later_hooks_and_the_view(bare):
    before_request(bare, lambda request: Response("first"))
    before_request(bare, lambda request: pytest.fail("it has been answered"))
    after_request(bare, lambda request, response: Response([*response.response, b", completed"]))
    assert bare.test_client().get("/").text == "first, completed"


@pytest.mark.parametrize("path", ["/api/v1/posts", "/api/v1/posts/{id}"])
def test_reads_rarely_use_the_request_proxy(client, make, people, path):
    live = {"published_at": "2026-01-02T10:00:00Z", "author": people["ann"].id}
    id = make(POSTS, title="Live", body="Text.", **live)
    client.get(f"{path.format(id=id)}?fields=id")
    lookup = local._ProxyLookup.__get__.__code__
    found = []

    def note(frame, event, argument):
        if event == "call" and frame.f_code is lookup:
            found.append(frame.f_back.f_code.co_qualname)

    sys.setprofile(note)
    try:
        response = client.get(path.format(id=id))
    finally:
        sys.setprofile(None)
    assert response.status_code == 200
    assert len(found) <= LIMIT, sorted(found)

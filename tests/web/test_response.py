"""The headers that are sent with a response: its own first, then ours that it lacks."""

import pytest
from flask import Flask

from quire.web import response
from quire.web.response import AppResponse, add_own_headers, drop_own_header


@pytest.fixture
def headers_of():
    """`headers_of(answer)`: the headers that the server sends with it."""
    app = Flask("bare")
    response.init_app(app)

    def headers_of(answer):
        app.view_functions = {"view": lambda: answer}
        app.add_url_rule("/", "view", app.view_functions["view"])
        return app.test_client().get("/").headers

    return headers_of


def test_added_headers_do_not_replace_those_of_the_view(headers_of):
    answer = AppResponse("x", headers={"X-First": "view"})
    add_own_headers(answer, ("x-first", "ours"), ("X-Second", "ours"))
    headers = headers_of(answer)
    assert (headers.getlist("X-First"), headers["X-Second"]) == (["view"], "ours")


def test_added_header_can_be_dropped(headers_of):
    answer = AppResponse("x")
    add_own_headers(answer, ("X-First", "1"), ("X-Second", "2"))
    drop_own_header(answer, "X-First")
    headers = headers_of(answer)
    assert "X-First" not in headers and headers["X-Second"] == "2"


@pytest.mark.parametrize(
    "answer, name, value",
    [
        (AppResponse("x", 201, {"Location": "/ü"}), "Location", "/%C3%BC"),
        (AppResponse("x", 200, {"Content-Location": "/ü"}), "Content-Location", "/%C3%BC"),
        (AppResponse(["x", "y"]), "Content-Length", "2"),
        (AppResponse("x", 304), "Content-Length", None),
    ],
)
def test_locations_and_content_length_are_completed(headers_of, answer, name, value):
    assert headers_of(answer).get(name) == value

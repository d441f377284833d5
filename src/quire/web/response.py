"""The class of all answers of the application: what is sent of one costs little."""

from collections.abc import Iterable
from typing import Any

from flask import Flask, Response

from quire.web.range_requests import PartialResponse

_TO_SETTLE = frozenset({"location", "content-location"})


class AppResponse(PartialResponse):
    """An answer of the application; Flask makes any other answer one of this class.

    Werkzeug looks through each character of each header for line breaks, when it is set and again in the copy
    that is sent. `own_headers`, which hold nothing of a request, are sent as they are, behind all others, and
    where nothing about the others is left to settle, there is no copy.
    """

    own_headers: tuple[tuple[str, str], ...] = ()

    def get_wsgi_response(self, environ: dict[str, Any]) -> tuple[Iterable[bytes], str, Any]:
        """Body, status and headers as they are sent."""
        names = {name.lower() for name, _ in self.headers}
        is_settled = "content-length" in names and names.isdisjoint(_TO_SETTLE)
        is_sent = self.status_code == 200 and is_settled
        headers = self.headers if is_sent else self.get_wsgi_headers(environ)
        own = [one for one in self.own_headers if one[0].lower() not in names]
        return self.get_app_iter(environ), self.status, [*headers, *own]


def add_own_headers(response: Response, *headers: tuple[str, str]) -> None:
    """Send these headers too, unless `response` has others of their names; nothing in them comes from a request."""
    assert isinstance(response, AppResponse)
    response.own_headers += headers


def drop_own_header(response: Response, name: str) -> None:
    """Do not send this one of the headers that were added."""
    assert isinstance(response, AppResponse)
    response.own_headers = tuple(one for one in response.own_headers if one[0] != name)


def init_app(app: Flask) -> None:
    """Let all answers of the application be of this class."""
    app.response_class = AppResponse

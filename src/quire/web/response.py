"""The response class of the application, which is cheap to send."""

from collections.abc import Iterable
from typing import Any

from flask import Flask, Response

from quire.web.range_requests import PartialResponse

_TO_SETTLE = frozenset({"location", "content-location"})


class AppResponse(PartialResponse):
    """A response of the application; Flask converts any other response to this class.

    Werkzeug checks each character of each header for line breaks, when it is set and again in the copy that is
    sent. `own_headers`, which contain nothing from a request, are sent unchecked after the others, and if nothing
    about the others is left to settle, there is no copy.
    """

    own_headers: tuple[tuple[str, str], ...] = ()

    def get_wsgi_response(self, environ: dict[str, Any]) -> tuple[Iterable[bytes], str, Any]:
        """Return body, status and headers as they are sent."""
        names = {name.lower() for name, _ in self.headers}
        is_settled = "content-length" in names and names.isdisjoint(_TO_SETTLE)
        is_sent = self.status_code == 200 and is_settled
        headers = self.headers if is_sent else self.get_wsgi_headers(environ)
        own = [one for one in self.own_headers if one[0].lower() not in names]
        return self.get_app_iter(environ), self.status, [*headers, *own]


def add_own_headers(response: Response, *headers: tuple[str, str]) -> None:
    """Add headers unless `response` has them; nothing in them may come from a request."""
    assert isinstance(response, AppResponse)
    response.own_headers += headers


def drop_own_header(response: Response, name: str) -> None:
    """Remove one of the headers that were added."""
    assert isinstance(response, AppResponse)
    response.own_headers = tuple(one for one in response.own_headers if one[0] != name)


def init_app(app: Flask) -> None:
    """Use this class for all responses of the application."""
    app.response_class = AppResponse

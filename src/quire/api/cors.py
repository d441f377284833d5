"""CORS: scripts from the exact origins that the operator lists may use the API.

They may also read uploaded files and feeds, which are public. They authenticate to the API with tokens
and keys. Cookies are never allowed, so another site cannot use the session of a browser.
"""

import re

from flask import Flask, Request, Response, current_app
from flask.globals import request_ctx

from quire.api.errors import ordered_methods
from quire.api.responses import empty_response
from quire.web.caching import vary_by
from quire.web.headers import cors_headers
from quire.web.request_hooks import after_request, before_request

_EXPOSED_HEADERS = re.compile(
    r"/api/(v1|compat)/|/uploads/|(/(tags|categories|authors)/[^/]+)?/feed\.(atom|rss|json)$"
)
"""Paths whose responses are shared with listed origins."""
ALLOWED_HEADERS = (
    "Authorization, X-API-Key, Content-Type, If-Match, If-None-Match, Idempotency-Key, Prefer, "
    "X-CSRFToken, X-Request-Id"
)
"""Headers that scripts may send."""
ALL_METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
MAX_AGE_SECONDS = 600
"""How long a browser may cache a preflight response."""


def _shared_headers(request: Request) -> dict[str, str]:
    """The headers that let a script from a listed origin read the response; empty for other origins."""
    if not _EXPOSED_HEADERS.match(request.path):
        return {}
    return cors_headers(request.headers.get("Origin"), current_app.config["CORS_ORIGINS"])


def _answer_preflight(request: Request) -> Response | None:
    """Answer a preflight request from a listed origin before anything is counted, looked up or refused.

    At an address that does not exist all methods are allowed, so that the script can read the 404.
    """
    is_preflight = "Access-Control-Request-Method" in request.headers
    if request.method != "OPTIONS" or not is_preflight or not _shared_headers(request):
        return None
    response = empty_response(204, {"Allow": _methods(request)})
    response.headers["Access-Control-Allow-Methods"] = response.headers["Allow"]
    response.headers["Access-Control-Allow-Headers"] = ALLOWED_HEADERS
    response.headers["Access-Control-Max-Age"] = str(MAX_AGE_SECONDS)
    return response


def _methods(request: Request) -> str:
    rule = request.url_rule
    methods = request_ctx.url_adapter.allowed_methods() if request_ctx.url_adapter else ()
    return ordered_methods(", ".join(methods or (rule.methods if rule else None) or ALL_METHODS))


def _add_cors_headers(request: Request, response: Response) -> Response:
    """Let scripts from listed origins read this response, even an error."""
    if _EXPOSED_HEADERS.match(request.path):
        vary_by(response, "Origin")
        response.headers.update(_shared_headers(request))
    return response


def init_app(app: Flask) -> None:
    """Answer scripts from other origins, if any are listed.

    Called before anything that may refuse a request; only the assignment of request ids comes earlier.
    """
    if app.config["CORS_ORIGINS"]:
        before_request(app, _answer_preflight)
        after_request(app, _add_cors_headers)

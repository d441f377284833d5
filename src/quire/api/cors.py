"""Scripts of other sites: those of the exact origins that the operator lists may use the API.

They may read uploaded files and feeds too, which are public. At the API they prove who they are by tokens and keys. Cookies are never allowed along, so that nothing a
browser holds for us is at the disposal of another site.
"""

import re

from flask import Flask, Response, current_app, request

from quire.api.errors import ordered_methods
from quire.web.headers import cors_headers

_EXPOSED_HEADERS = re.compile(
    r"/api/v1/|/uploads/|(/(tags|categories|authors)/[^/]+)?/feed\.(atom|rss|json)$"
)
"""The beginnings of paths whose answers are shared."""
ALLOWED_HEADERS = (
    "Authorization, X-API-Key, Content-Type, If-Match, If-None-Match, Idempotency-Key, Prefer, "
    "X-Request-Id"
)
"""Headers that scripts may send."""
MAX_AGE_SECONDS = 600
"""How long a browser need not ask again."""


def _add_cors_headers(response: Response) -> Response:
    """Let the script of a listed origin read this answer, be it a refusal."""
    if not _EXPOSED_HEADERS.match(request.path):
        return response
    response.vary.add("Origin")
    shared = cors_headers(request.headers.get("Origin"), current_app.config["CORS_ORIGINS"])
    headers = response.headers
    headers.update(shared)
    if (
        shared
        and request.method == "OPTIONS"
        and "Access-Control-Request-Method" in request.headers
    ):
        headers["Access-Control-Allow-Methods"] = ordered_methods(headers.get("Allow", "OPTIONS"))
        headers["Access-Control-Allow-Headers"] = ALLOWED_HEADERS
        headers["Access-Control-Max-Age"] = str(MAX_AGE_SECONDS)
        del headers["Access-Control-Expose-Headers"]
    return response


def init_app(app: Flask) -> None:
    """Answer scripts of other origins, where any are listed.

    Called before all others that complete answers, it is the last one to run.
    """
    if app.config["CORS_ORIGINS"]:
        app.after_request(_add_cors_headers)

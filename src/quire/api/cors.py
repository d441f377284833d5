"""Scripts of other sites: those of the exact origins that the operator lists may use the API.

They prove who they are by tokens and keys. Cookies are never allowed along, so that nothing a
browser holds for us is at the disposal of another site.
"""

from flask import Flask, Response, current_app, request

from quire.api.problems import in_order

PREFIX = "/api/v1/"
READABLE = ", ".join(
    "ETag Location Link X-Total-Count Retry-After RateLimit RateLimit-Policy RateLimit-Limit "
    "RateLimit-Remaining RateLimit-Reset X-Request-Id Allow WWW-Authenticate".split()
)
"""Headers of answers that scripts may read, beside the few that they always may."""
SENDABLE = (
    "Authorization, X-API-Key, Content-Type, If-Match, If-None-Match, Idempotency-Key, X-Request-Id"
)
"""Headers that scripts may send."""
KEPT_SECONDS = 600
"""How long a browser need not ask again."""


def _share(response: Response) -> Response:
    """Let the script of a listed origin read this answer, be it a refusal."""
    if not request.path.startswith(PREFIX):
        return response
    response.vary.add("Origin")
    origin = request.headers.get("Origin")
    if origin not in current_app.config["CORS_ORIGINS"]:
        return response
    headers = response.headers
    headers["Access-Control-Allow-Origin"] = origin
    if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
        headers["Access-Control-Allow-Methods"] = in_order(headers.get("Allow", "OPTIONS"))
        headers["Access-Control-Allow-Headers"] = SENDABLE
        headers["Access-Control-Max-Age"] = str(KEPT_SECONDS)
    else:
        headers["Access-Control-Expose-Headers"] = READABLE
    return response


def init_app(app: Flask) -> None:
    """Answer scripts of other origins, where any are listed.

    Called before all others that complete answers, it is the last one to run.
    """
    if app.config["CORS_ORIGINS"]:
        app.after_request(_share)

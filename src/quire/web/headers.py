"""Headers of every response, and the id of a request."""

import re
import secrets
from collections.abc import Container, Mapping
from functools import partial
from typing import Any

from flask import Flask, Request, Response, g

from quire.monitoring.request_id import set_request_id
from quire.web.caching import IDENTITY_HEADERS, vary_by
from quire.web.current import current_globals
from quire.web.request_hooks import after_request, before_request
from quire.web.response import add_own_headers

_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}
OWN_SITES = frozenset({"same-origin", "none"})
"""Values of Sec-Fetch-Site for requests from our own pages, the address bar or a bookmark."""
API_VARY = (*IDENTITY_HEADERS, "Accept", "Accept-Encoding")
API_POLICY = "default-src 'none'; frame-ancestors 'none'"
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'{nonce}; style-src 'self'; "
    "img-src 'self' data: https:; media-src 'self' https:; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
# shared by all responses, since many are cached (response_cache.py)
_ALWAYS = tuple(ALWAYS.items())
_API_POLICY = (("Content-Security-Policy", API_POLICY),)

READABLE = ", ".join(
    "ETag Location Link X-Total-Count Retry-After RateLimit RateLimit-Policy RateLimit-Limit "
    "RateLimit-Remaining RateLimit-Reset X-Request-Id Allow WWW-Authenticate "
    "Content-Disposition Content-Range Idempotency-Replayed X-Changes-Cursor "
    "Preference-Applied Server-Timing Deprecation Sunset".split()
)
"""Response headers that scripts of other sites may read, besides the few that they always may."""


def cors_headers(origin: str | None, listed: Container[str]) -> dict[str, str]:
    """Return the headers that let a script of `origin` read a response; none unless it is listed."""
    if origin is None or origin not in listed:
        return {}
    return {"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": READABLE}


def csp_nonce() -> str:
    """Return the nonce of this response, for script elements of our own templates."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    return str(g.csp_nonce)


def _script_nonce(response: Response) -> str:
    """Return what allows elements with this response's nonce; shared responses have none."""
    return "" if response.cache_control.public else f" 'nonce-{csp_nonce()}'"


def request_id(environ: Mapping[str, Any]) -> str:
    """Return the id of a request, used in the log: that of the client or a proxy, otherwise a new one."""
    client_id = environ.get("HTTP_X_REQUEST_ID", "")
    id = client_id if _ID.fullmatch(client_id) else secrets.token_hex(8)
    set_request_id(id)
    return id


def _set_request_id(request: Request) -> None:
    current_globals().request_id = request_id(request.environ)


def _add_headers(uses_https: bool, request: Request, response: Response) -> Response:
    # `request_id` has checked each of its characters
    id = current_globals().get("request_id", "")
    add_own_headers(response, *_ALWAYS, ("X-Request-Id", id), *_policy(response))
    if request.path.startswith("/api/"):
        vary_by(response, *API_VARY)
    if uses_https:
        response.headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    return response


def _policy(response: Response) -> tuple[tuple[str, str], ...]:
    if response.headers.getlist("Content-Security-Policy"):
        return ()
    html = response.mimetype == "text/html"
    if not html:
        return _API_POLICY
    return (("Content-Security-Policy", PAGE_POLICY.format(nonce=_script_nonce(response))),)


def init_app(app: Flask) -> None:
    """Assign ids to requests and complete responses."""
    uses_https = app.config["PUBLIC_URL"].startswith("https://")
    before_request(app, _set_request_id)
    after_request(app, partial(_add_headers, uses_https))
    app.jinja_env.globals["csp_nonce"] = csp_nonce

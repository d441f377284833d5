"""Headers that every answer carries, the id of a request, and entity tags as proxies write them."""

import re
import secrets
from collections.abc import Container
from typing import Any

from flask import Flask, Response, current_app, g, request

_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}
API_POLICY = "default-src 'none'; frame-ancestors 'none'"
PAGE_POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self'; "
    "img-src 'self' data: https:; media-src 'self' https:; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


READABLE = ", ".join(
    "ETag Location Link X-Total-Count Retry-After RateLimit RateLimit-Policy RateLimit-Limit "
    "RateLimit-Remaining RateLimit-Reset X-Request-Id Allow WWW-Authenticate "
    "Content-Disposition Content-Range Idempotency-Replayed X-Changes-Cursor "
    "Preference-Applied".split()
)
"""Headers of answers that scripts may read, beside the few that they always may."""
_CODED_TAG = re.compile(r'"([^"]*?)(?:(?:--?|;)(?:x-)?(?:gzip|br|zstd|deflate)"|"-gzip)')
"""An entity tag with the coding that a proxy compressed the answer by, such as `"v1-abc-gzip"`."""
TAG_HEADERS = ("HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH", "HTTP_IF_RANGE")


def normalize_entity_tags(environ: dict[str, Any]) -> None:
    """Let conditions name the tags that we made.

    A proxy that compresses an answer marks its tag, since the bytes are others (RFC 9110 section
    8.8.3.3), and does not take the mark away from what the client sends back.
    """
    for name in TAG_HEADERS:
        if name in environ:
            environ[name] = _CODED_TAG.sub(r'"\1"', environ[name])


def cors_headers(origin: str | None, listed: Container[str]) -> dict[str, str]:
    """The headers by which a script of `origin` may read an answer; none unless it is listed."""
    if origin is None or origin not in listed:
        return {}
    return {"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": READABLE}


def csp_nonce() -> str:
    """The nonce of this answer, for script elements of our own templates."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    return str(g.csp_nonce)


def _set_request_id() -> None:
    sent = request.headers.get("X-Request-Id", "")
    g.request_id = sent if _ID.fullmatch(sent) else secrets.token_hex(8)


def _add_headers(response: Response) -> Response:
    headers = response.headers
    for name, value in ALWAYS.items():
        headers.setdefault(name, value)
    headers.add("X-Request-Id", g.get("request_id", ""))
    if "Content-Security-Policy" not in headers:
        html = response.mimetype == "text/html"
        headers["Content-Security-Policy"] = (
            PAGE_POLICY.format(nonce=csp_nonce()) if html else API_POLICY
        )
    if request.path.startswith("/api/"):
        headers["Vary"] = "Authorization, Cookie, X-API-Key, Accept"
    if current_app.config["PUBLIC_URL"].startswith("https://"):
        headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    return response


def init_app(app: Flask) -> None:
    """Number requests and complete answers."""
    app.before_request(_set_request_id)
    app.after_request(_add_headers)
    app.jinja_env.globals["csp_nonce"] = csp_nonce

"""Headers that every answer carries, and the id that a request is known by."""

import re
import secrets

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


def csp_nonce() -> str:
    """The nonce of this answer, for script elements of our own templates."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    return str(g.csp_nonce)


def _number_request() -> None:
    sent = request.headers.get("X-Request-Id", "")
    g.request_id = sent if _ID.fullmatch(sent) else secrets.token_hex(8)


def _complete(response: Response) -> Response:
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
        headers["Vary"] = "Authorization, Cookie, Accept"
    if current_app.config["PUBLIC_URL"].startswith("https://"):
        headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    return response


def init_app(app: Flask) -> None:
    """Number requests and complete answers."""
    app.before_request(_number_request)
    app.after_request(_complete)
    app.jinja_env.globals["csp_nonce"] = csp_nonce

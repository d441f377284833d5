"""Headers of the panel's answers: a strict policy for scripts, a long life for assets."""

import secrets

from flask import g, request
from flask.wrappers import Response

POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; "
    "img-src 'self' data:{pictures}; font-src 'self'; connect-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
YEAR = 31_536_000
"""Seconds that an asset is kept: its address changes with its content."""


def nonce() -> str:
    """The word of this answer that lets its own scripts run."""
    if "admin_nonce" not in g:
        g.admin_nonce = secrets.token_urlsafe(16)
    return str(g.admin_nonce)


def headers(response: Response) -> Response:
    """Set the policy of a page, or how long an asset lives."""
    if (request.endpoint or "").endswith(".static"):
        if response.status_code in (200, 304) and "v" in request.args:
            response.headers["Cache-Control"] = f"public, max-age={YEAR}, immutable"
    else:
        # a page that holds what is not ours has a stricter one already
        # where somebody writes, pictures from elsewhere are shown as they are to readers
        pictures = " https: blob:" if g.get("admin_shows_pictures") else ""
        policy = POLICY.format(nonce=nonce(), pictures=pictures)
        response.headers.setdefault("Content-Security-Policy", policy)
        response.headers["Cache-Control"] = "no-store"
    return response

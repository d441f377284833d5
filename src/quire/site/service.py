"""Addresses for programs that visit: health, and what robots need not look at."""

from flask import Response

_ROBOTS = """\
User-agent: *
Disallow: /admin/
Disallow: /api/
Disallow: /auth/
Disallow: /search
Disallow: /theme/
"""


def health() -> Response:
    """The process answers; nothing is asked of the database."""
    body = b'{"status":"ok"}'
    return Response(body, headers={"Cache-Control": "no-store"}, mimetype="application/json")


def robots() -> Response:
    """What search engines leave alone."""
    return Response(_ROBOTS, mimetype="text/plain")

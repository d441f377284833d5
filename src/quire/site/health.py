"""An address for programs that watch over this one: health."""

from flask import Response


def health() -> Response:
    """The process answers; nothing is asked of the database."""
    body = b'{"status":"ok"}'
    return Response(body, headers={"Cache-Control": "no-store"}, mimetype="application/json")

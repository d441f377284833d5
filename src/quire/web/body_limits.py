"""Limits of request bodies: larger where files are accepted; compressed bodies are refused."""

import re
from collections.abc import Mapping
from typing import Any

from flask import Flask, Request, current_app

from quire.errors import UnsupportedMediaType
from quire.web.request_hooks import before_request

UPLOAD_PATHS = re.compile(
    r"/api/v1/media(/[0-9]+/replace_file)?|/admin/media/(new|replace)|/admin/imports/upload|/profile"
)
"""Paths, without a trailing slash, whose POST may contain a file."""
WRAPPING = 64 * 1024
"""Bytes that a form needs in addition to the file in it."""


def accepts_files(method: str, path: str) -> bool:
    """Whether a request may contain a file."""
    return method == "POST" and UPLOAD_PATHS.fullmatch(path.rstrip("/")) is not None


def max_body_bytes(config: Mapping[str, Any]) -> int:
    """Return the maximum size in bytes of a body with a file."""
    return int(max(config["MAX_UPLOAD_BYTES"] + WRAPPING, config["MAX_CONTENT_LENGTH"]))


def _check_body(request: Request) -> None:
    """Refuse a body with a content coding (RFC 9110 section 15.5.16), and allow larger bodies for files.

    Raises UnsupportedMediaType.
    """
    environ = request.environ
    coding = environ.get("HTTP_CONTENT_ENCODING", "").strip().lower()
    if coding not in ("", "identity"):
        raise UnsupportedMediaType(
            "Compressed bodies are not supported. Send it without Content-Encoding.",
            headers={"Accept-Encoding": "identity"},
        )
    if accepts_files(environ["REQUEST_METHOD"], request.path):
        request.max_content_length = max_body_bytes(current_app.config)


def init_app(app: Flask) -> None:
    """Check bodies before they are read."""
    before_request(app, _check_body)

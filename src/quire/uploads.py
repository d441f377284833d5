"""Where files come in: only there a body may be larger than all others, and how much larger."""

from collections.abc import Mapping
from typing import Any

from flask import Flask, current_app, request

PLACES = frozenset({"/api/v1/media", "/admin/media/new", "/admin/imports/upload", "/profile"})
"""Paths, without a slash at their end, whose POST may bring a file."""
WRAPPING = 64 * 1024
"""Bytes that a form needs beside the file in it."""


def takes_files(method: str, path: str) -> bool:
    """Whether a request may bring a file."""
    return method == "POST" and path.rstrip("/") in PLACES


def most_bytes(config: Mapping[str, Any]) -> int:
    """Bytes of the largest body that brings a file."""
    return int(max(config["MAX_UPLOAD_BYTES"] + WRAPPING, config["MAX_CONTENT_LENGTH"]))


def _allow() -> None:
    if takes_files(request.method, request.path):
        request.max_content_length = most_bytes(current_app.config)


def init_app(app: Flask) -> None:
    """Let Flask read larger bodies there."""
    app.before_request(_allow)

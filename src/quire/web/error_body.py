"""The JSON body of an error that is answered before Flask sees the request."""

import json
from http import HTTPStatus

from quire.errors import STATUS_NAMES

ERROR_CODES = {
    401: "unauthorized",
    413: "too_large",
    429: "too_many_requests",
    431: "too_large",
    500: "internal_error",
    503: "unavailable",
}
"""Codes of errors before Flask, by status; all others are malformed requests."""


def error_body(status: int, reason: str, request_id: str) -> bytes:
    """Return the body that tells a client why a request was refused before Flask saw it."""
    body = {
        "error": STATUS_NAMES.get(status) or HTTPStatus(status).phrase.capitalize(),
        "code": ERROR_CODES.get(status, "malformed_body"),
        "message": reason,
        "details": [],
        "request_id": request_id,
    }
    return json.dumps(body).encode()

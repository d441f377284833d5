"""Failures as JSON: the error contract, or RFC 9457 when the client asks for it."""

from typing import Any

import orjson
from flask import Response, g, request
from werkzeug.exceptions import HTTPException

from quire.errors import STATUS_NAMES, Problem

PROBLEM_JSON = "application/problem+json"
_HTTP = {
    400: ("malformed_body", "The request cannot be understood."),
    403: ("forbidden", "This is not allowed."),
    404: ("not_found", "There is nothing here."),
    405: ("method_not_allowed", "This address does not take that method."),
    413: ("too_large", "The body is too large."),
    415: ("unsupported_media_type", "This media type is not read here."),
    429: ("too_many_requests", "Too many requests; wait and try again."),
    500: ("internal_error", "Something went wrong here; it has been noted."),
    503: ("unavailable", "Not now; try again later."),
}


class FromHttp(Problem):
    """What Flask and Werkzeug raise themselves, in our words."""

    def __init__(self, error: HTTPException):
        status = error.code if error.code in _HTTP else 400 if (error.code or 500) < 500 else 500
        code, message = _HTTP[status]
        kept = ("Allow", "Retry-After", "WWW-Authenticate")
        headers = {name: value for name, value in error.get_headers() if name in kept}
        if "Allow" in headers:
            headers["Allow"] = in_order(headers["Allow"])
        super().__init__(message, code=code, headers=headers)
        self.status = status  # type: ignore[misc]


def in_order(methods: str) -> str:
    """The methods of an Allow header, the same in every process."""
    return ", ".join(sorted(methods.split(", ")))


def as_problem(error: Exception) -> Problem:
    """Any failure as one of ours; what a stray exception says stays in the log."""
    if isinstance(error, Problem):
        return error
    assert isinstance(error, HTTPException)
    return FromHttp(error)


def respond(problem: Problem) -> Response:
    """The JSON answer to a failed request."""
    data: dict[str, Any] = {
        "error": STATUS_NAMES[problem.status],
        "code": problem.code,
        "message": problem.message,
        "details": problem.details,
        "request_id": g.get("request_id"),
        **problem.extra,
    }
    mime = "application/json"
    if PROBLEM_JSON in request.headers.get("Accept", ""):
        mime = PROBLEM_JSON
        data |= {"type": "about:blank", "title": data["error"], "status": problem.status}
        data["detail"] = problem.message
    headers = {"Cache-Control": "no-store", **problem.headers}
    if problem.status == 401:
        headers.setdefault("WWW-Authenticate", 'Bearer realm="quire"')
    return Response(orjson.dumps(data), problem.status, headers, mime)

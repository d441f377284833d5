"""Errors as JSON: in our own format, or RFC 9457 if the client asks for it."""

from typing import Any

import orjson
from flask import Response, g, request
from werkzeug.exceptions import HTTPException

from quire.errors import STATUS_NAMES, Problem
from quire.web.language import is_english, translate

PROBLEM_JSON = "application/problem+json"
_HTTP = {
    400: ("malformed_body", "The request could not be understood."),
    403: ("forbidden", "You are not allowed to do this."),
    404: ("not_found", "There is nothing at this address."),
    405: ("method_not_allowed", "This address does not support that method."),
    413: ("too_large", "The body is too large."),
    415: ("unsupported_media_type", "This media type is not supported."),
    429: ("too_many_requests", "Too many requests. Wait and try again."),
    500: ("internal_error", "Something went wrong on our side. The error has been logged."),
    503: ("unavailable", "The service is temporarily unavailable. Try again later."),
}


class HttpProblem(Problem):
    """An error raised by Flask or Werkzeug, with our code and message."""

    def __init__(self, error: HTTPException):
        status = error.code if error.code in _HTTP else 400 if (error.code or 500) < 500 else 500
        code, message = _HTTP[status]
        names = ("Allow", "Retry-After", "WWW-Authenticate")
        headers = {name: value for name, value in error.get_headers() if name in names}
        if "Allow" in headers:
            headers["Allow"] = ordered_methods(headers["Allow"])
        super().__init__(message, code=code, headers=headers)
        self.status = status  # type: ignore[misc]


def ordered_methods(methods: str) -> str:
    """The methods of an Allow header, in the same order in every process."""
    return ", ".join(sorted(methods.split(", ")))


def as_problem(error: Exception) -> Problem:
    """Convert an error to a Problem, without the message of the original exception."""
    if isinstance(error, Problem):
        return error
    assert isinstance(error, HTTPException)
    return HttpProblem(error)


def _accepts_problem_json() -> bool:
    """Whether the client accepts RFC 9457's media type and does not prefer plain JSON."""
    accepted = request.accept_mimetypes
    quality = max((q for name, q in accepted if name.lower() == PROBLEM_JSON), default=0)
    return quality > 0 and quality >= accepted.quality("application/json")


def error_body(problem: Problem) -> dict[str, Any]:
    """The description of an error, alone or as one of many; in English, except for our own pages."""
    details = problem.details
    if not is_english():
        details = [{**one, "message": translate(one["message"])} for one in details]
    return {
        "error": STATUS_NAMES[problem.status],
        "code": problem.code,
        "message": translate(problem.message),
        "details": details,
        **problem.extra,
    }


def problem_response(problem: Problem) -> Response:
    """The JSON response to a failed request."""
    data = {**error_body(problem), "request_id": g.get("request_id")}
    mime = PROBLEM_JSON if _accepts_problem_json() else "application/json"
    if mime == PROBLEM_JSON:
        data |= {"type": "about:blank", "title": data["error"], "status": problem.status}
        data["detail"] = data["message"]
    headers = {"Cache-Control": "no-store", **problem.headers}
    if problem.status == 401:
        headers.setdefault("WWW-Authenticate", 'Bearer realm="quire"')
    return Response(orjson.dumps(data), problem.status, headers, mime)

"""All errors of requests, each with its HTTP status, its stable code and its message."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from quire.translations.messages import Message, duration_in_words

STATUS_NAMES = {
    400: "Bad request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    410: "Gone",
    412: "Precondition failed",
    413: "Content too large",
    415: "Unsupported media type",
    422: "Unprocessable entity",
    424: "Failed dependency",
    428: "Precondition required",
    429: "Too many requests",
    500: "Internal server error",
    503: "Service unavailable",
}
"""Plain names of the statuses that Quire answers (RFC 9110, RFC 6585)."""

ERROR_CODES = (
    "malformed_body unknown_parameter invalid_parameter invalid_cursor unauthorized "
    "invalid_credentials invalid_token token_expired forbidden not_found method_not_allowed "
    "duplicate wrong_state comments_closed last_admin version_conflict too_large "
    "unsupported_media_type validation_failed precondition_required too_many_requests "
    "internal_error unavailable idempotency_key_reused request_in_progress already_created "
    "too_costly cursor_expired batch_failed maintenance"
).split()
"""Every `code` of an error; clients may depend on them."""

DETAIL_CODES = (
    "required unknown read_only wrong_type too_short too_long too_small too_large not_allowed "
    "bad_format not_found duplicate"
).split()
"""Every `code` inside `details`."""

Detail = dict[str, str]


def detail(field: str, code: str, message: str) -> Detail:
    """Describe an invalid field: its name, a word of DETAIL_CODES, a sentence for people."""
    return {"field": field, "code": code, "message": message}


class Problem(Exception):
    """A request that fails in a way the client can understand.

    `message` is a sentence for people, `details` names single fields, `extra` goes to the top level of the response
    (such as current_version), `headers` to its headers.
    """

    status: ClassVar[int] = 500
    code = "internal_error"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        details: Sequence[Detail] = (),
        extra: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ):
        super().__init__(message)
        self.message = message
        self.code = code or self.code
        self.details = list(details)
        self.extra = dict(extra or {})
        self.headers = dict(headers or {})


class BadRequest(Problem):
    """400: the request cannot be parsed: its body is malformed or a parameter is unknown."""

    status = 400
    code = "malformed_body"


def unknown_parameter(name: str, what: str, allowed: Iterable[str]) -> BadRequest:
    """Return the 400 for a name that is unknown, or that this actor may not know."""
    words = ", ".join(allowed)
    choices = f"Known: {words}." if words else "None are available."
    message = f"{name or 'An empty name'} is not a valid {what}. {choices}"
    return BadRequest(message, code="unknown_parameter", details=[detail(name, "unknown", message)])


def invalid_parameter(name: str, message: str) -> BadRequest:
    """Return the 400 for a parameter whose value is invalid."""
    return BadRequest(
        message, code="invalid_parameter", details=[detail(name, "bad_format", message)]
    )


class TooCostly(BadRequest):
    """400: the response would be larger than this installation allows."""

    code = "too_costly"


class Unauthenticated(Problem):
    """401: the client is not authenticated, or its credentials are invalid."""

    status = 401
    code = "unauthorized"


class PermissionDenied(Problem):
    """403: visible but not allowed; the message says what is missing."""

    status = 403
    code = "forbidden"


class NotFound(Problem):
    """404: it does not exist, or not for this actor; the two cannot be distinguished."""

    status = 404
    code = "not_found"

    def __init__(self, message: str = Message("There is nothing at this address."), **more: Any):
        super().__init__(message, **more)


def no_such(noun: str) -> NotFound:
    """Return the error for a record that does not exist for this actor; `noun` is the name of its type."""
    return NotFound(Message("There is no such %(noun)s.", noun=Message(noun)))


class Conflict(Problem):
    """409: a value is taken, or the record is in the wrong state for this."""

    status = 409
    code = "wrong_state"

    @property
    def fields(self) -> set[str]:
        """The names of the fields whose values are taken."""
        return {one["field"] for one in self.details}


class CursorExpired(Problem):
    """410: the cursor of the feed of changes is no longer valid."""

    status = 410
    code = "cursor_expired"


class VersionConflict(Problem):
    """412: the record has changed since it was read."""

    status = 412
    code = "version_conflict"


class TooLarge(Problem):
    """413: the content is larger than allowed."""

    status = 413
    code = "too_large"


class UnsupportedMediaType(Problem):
    """415: the body has a type that is not supported here."""

    status = 415
    code = "unsupported_media_type"


class ValidationFailed(Problem):
    """422: the body can be parsed but violates rules; `details` names all invalid fields."""

    status = 422
    code = "validation_failed"

    def __init__(self, details: Sequence[Detail], message: str | None = None):
        super().__init__(message or Message.join(d["message"] for d in details), details=details)


class IdempotencyKeyReused(Problem):
    """422: the Idempotency-Key was used with another body before."""

    status = 422
    code = "idempotency_key_reused"


class BatchFailed(Problem):
    """422: some operations of a batch failed, so none was executed; `extra` contains the outcome of each."""

    status = 422
    code = "batch_failed"


class BatchAborted(Problem):
    """424: an operation of a batch that was not executed because others failed."""

    status = 424
    code = "batch_failed"

    def __init__(self) -> None:
        super().__init__("This was not done, because another operation failed.")


class VersionRequired(Problem):
    """428: this installation requires the version that a change is based on."""

    status = 428
    code = "precondition_required"


class TooManyRequests(Problem):
    """429: too many attempts; `seconds` until the next is allowed.

    `name` is the limit, of `limit` attempts in `window` seconds.
    """

    status = 429
    code = "too_many_requests"

    def __init__(self, name: str, limit: int, window: int, seconds: int):
        limits = rate_limit_headers(name, limit, window, 0, seconds)
        message = Message(
            "Too many attempts. Try again in %(duration)s.",
            duration=duration_in_words(seconds, rounded=math.ceil),
        )
        super().__init__(message, headers={"Retry-After": str(seconds), **limits})


def rate_limit_headers(
    name: str, limit: int, window: int, remaining: int, seconds: int
) -> dict[str, str]:
    """Return the headers that tell a client how many attempts are left, and when the limit is reset.

    draft-ietf-httpapi-ratelimit-headers-10, and the three headers of its early versions, which more clients know.
    Times are in seconds.
    """
    return {
        "RateLimit-Policy": f'"{name}";q={limit};w={window}',
        "RateLimit": f'"{name}";r={remaining};t={seconds}',
        "RateLimit-Limit": str(limit),
        "RateLimit-Remaining": str(remaining),
        "RateLimit-Reset": str(seconds),
    }


class Unavailable(Problem):
    """503: currently impossible; the same request may succeed later."""

    status = 503
    code = "unavailable"


class TransactionConflict(Unavailable):
    """503: the database has rolled back a change because of concurrent ones; a retry may succeed."""

    def __init__(self) -> None:
        super().__init__(
            "Others have changed the same at the same time. Try again.",
            headers={"Retry-After": "1"},
        )


class UnderMaintenance(Unavailable):
    """503: the site is closed for maintenance to all but administrators; `message` is the operator's."""

    code = "maintenance"

    def __init__(self, message: str = ""):
        super().__init__(
            message or Message("The site is down for maintenance. Try again later."),
            headers={"Retry-After": "60"},
        )


class QueryTimeout(Unavailable):
    """503: the request takes the database longer than the `seconds` allowed for one request."""

    code = "too_costly"

    def __init__(self, seconds: float):
        super().__init__(
            f"This was stopped, because it takes the database longer than {seconds:g} seconds. Narrow "
            "the filter or search, ask for fewer rows at once, or try again later.",
            headers={"Retry-After": "60"},
        )

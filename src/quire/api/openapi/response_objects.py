"""The responses of operations: their headers, and the errors that each can return."""

from typing import Any

from quire.api.openapi.schemas import ref
from quire.errors import STATUS_NAMES

Schema = dict[str, Any]
JSON = "application/json"
PROBLEM = "application/problem+json"

HEADERS: dict[str, Schema] = {
    "X-Request-Id": {
        "description": "The id of this request in the server's logs. Clients may send their own.",
        "required": True,
        "schema": {"type": "string"},
    },
    "ETag": {
        "description": "Identifies this version of the resource; send it back in If-None-Match or If-Match.",
        "required": True,
        "schema": {"type": "string"},
    },
    "Link": {
        "description": "Links to the `next`, `prev`, `first` and `last` page (RFC 8288).",
        "schema": {"type": "string"},
    },
    "Deprecation": {
        "description": "When this was deprecated (RFC 9745); `Link` leads to an explanation.",
        "schema": {"type": "string", "examples": ["@1772323200"]},
    },
    "Sunset": {
        "description": "When this may be removed (RFC 8594).",
        "schema": {"type": "string", "examples": ["Mon, 01 Mar 2027 00:00:00 GMT"]},
    },
    "X-Total-Count": {
        "description": "The total number of records, if it was counted.",
        "schema": {"type": "integer"},
    },
    "X-Changes-Cursor": {
        "description": "A cursor of the change feed, from which no change after this list is missed.",
        "schema": {"type": "string"},
    },
    "Location": {
        "description": "The URL of the new record, or the new URL of a record that has moved.",
        "required": True,
        "schema": {"type": "string", "format": "uri-reference"},
    },
    "Preference-Applied": {
        "description": "`return=minimal`: the response leaves out the object, as `Prefer` requested.",
        "required": True,
        "schema": {"type": "string"},
    },
    "Content-Disposition": {
        "description": "The name under which to save the file.",
        "required": True,
        "schema": {"type": "string"},
    },
    "Cache-Control": {
        "description": "Who may cache this response, and for how long.",
        "schema": {"type": "string"},
    },
    "WWW-Authenticate": {
        "description": "How to authenticate (RFC 6750).",
        "required": True,
        "schema": {"type": "string"},
    },
    "Idempotency-Replayed": {
        "description": "`true` if this is the response to an earlier request with the same key.",
        "schema": {"const": "true"},
    },
    "Retry-After": {
        "description": "Seconds to wait before the next request.",
        "schema": {"type": "integer"},
    },
    "RateLimit-Policy": {
        "description": "The limit, its quota `q` and its window `w` in seconds, such as "
        '`"api";q=100;w=60` (draft-ietf-httpapi-ratelimit-headers).',
        "schema": {"type": "string"},
    },
    "RateLimit": {
        "description": "How many requests or attempts remain (`r`), and the seconds until the window "
        'ends (`t`), such as `"api";r=50;t=30`.',
        "schema": {"type": "string"},
    },
    "RateLimit-Limit": {
        "description": "The number of requests or attempts allowed in the current window.",
        "schema": {"type": "integer"},
    },
    "RateLimit-Remaining": {
        "description": "How many of them remain.",
        "schema": {"type": "integer"},
    },
    "RateLimit-Reset": {
        "description": "Seconds until the window ends.",
        "schema": {"type": "integer"},
    },
    "Allow": {
        "description": "The methods that this path supports.",
        "required": True,
        "schema": {"type": "string"},
    },
}

ERRORS: dict[int, str] = {
    400: "The request is malformed, or has an unknown or invalid parameter.",
    401: "Authentication is required, or the credentials are not valid.",
    403: "You are not allowed to do this. The message says what is required.",
    404: "The resource does not exist, or you cannot see it.",
    409: "A value is already taken, or the record is in the wrong state for this action. Or a request "
    "with the same Idempotency-Key is in progress (`request_in_progress`, with `Retry-After`) or has "
    "created something with a secret that is shown only once (`already_created`, with `Location`).",
    410: "The cursor is too old, or was issued when you could see something else.",
    412: "The record has changed since the given version.",
    413: "The request body is too large.",
    415: "The media type of the request body is not supported.",
    422: "The request body is not valid; `details` lists all invalid fields. Or the Idempotency-Key "
    "was used with another request body (`idempotency_key_reused`).",
    428: "This installation requires If-Match or `version` with every change.",
    429: "Too many requests.",
    503: "Temporarily unavailable; try again later.",
}
RATE = [name for name in HEADERS if name.startswith("RateLimit")]
_EXTRA = {
    401: ["WWW-Authenticate"],
    409: ["Retry-After"],
    429: ["Retry-After", *RATE],
    503: ["Retry-After"],
}


def headers(*names: str) -> Schema:
    """References to header components; every response has a request id."""
    always = ("X-Request-Id", *names)
    return {name: {"$ref": f"#/components/headers/{name}"} for name in always}


def response_name(status: int) -> str:
    """`NotFound` for 404."""
    return STATUS_NAMES[status].title().replace(" ", "")


def components() -> dict[str, Schema]:
    """Every error response."""
    return {response_name(status): _error(status, text) for status, text in ERRORS.items()}


_CODES = {
    400: "malformed_body", 401: "unauthorized", 403: "forbidden", 404: "not_found", 409: "duplicate",
    410: "cursor_expired", 412: "version_conflict", 413: "too_large", 415: "unsupported_media_type",
    422: "validation_failed", 428: "precondition_required", 429: "too_many_requests", 503: "unavailable",
}  # fmt: skip
_DETAIL = {"field": "title", "code": "too_long", "message": "Title is longer than 200 characters."}


def _error(status: int, description: str) -> Schema:
    own, problem = ("StaleError", "StaleProblem") if status == 412 else ("Error", "ProblemError")
    example = _error_example(status, description)
    about = {"type": "about:blank", "title": example["error"], "status": status}
    return {
        "description": description,
        "headers": headers(*_EXTRA.get(status, [])),
        "content": {
            JSON: {"schema": ref(own), "example": example},
            PROBLEM: {
                "schema": ref(problem),
                "example": {**example, **about, "detail": example["message"]},
            },
        },
    }


def _error_example(status: int, description: str) -> Schema:
    stale = {"current_version": 4, "changed_fields": ["title"]} if status == 412 else {}
    return {
        "error": STATUS_NAMES[status],
        "code": _CODES[status],
        "message": _DETAIL["message"]
        if status == 422
        else description.partition(". ")[0].rstrip(".") + ".",
        "details": [_DETAIL] if status == 422 else [],
        "request_id": "6f1d2c3b4a596877",
        **stale,
    }


def errors(*statuses: int) -> Schema:
    """References to error responses; 400, 401, 429 and 503 can always happen."""
    every = sorted({400, 401, 429, 503, *statuses})
    return {str(s): {"$ref": f"#/components/responses/{response_name(s)}"} for s in every}


def json_response(description: str, schema: Schema, *names: str) -> Schema:
    """A response with a JSON body and headers."""
    return {
        "description": description,
        "headers": headers(*names, "Cache-Control"),
        "content": {JSON: {"schema": schema}},
    }


def not_modified() -> Schema:
    """304."""
    return {"description": "The cached response is still current.", "headers": headers("ETag")}


def no_content(description: str) -> Schema:
    """204."""
    return {"description": description, "headers": headers()}


def minimal() -> Schema:
    """204 for `Prefer: return=minimal`."""
    described = "The change has been saved; `Prefer: return=minimal` asked for no more."
    return {
        "description": described,
        "headers": headers("ETag", "Location", "Preference-Applied"),
    }

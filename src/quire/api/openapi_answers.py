"""What operations answer: headers, error responses, and which of them an operation can give."""

from typing import Any

from quire.api.openapi_schemas import ref
from quire.errors import STATUS_NAMES

Schema = dict[str, Any]
JSON = "application/json"
PROBLEM = "application/problem+json"

HEADERS: dict[str, Schema] = {
    "X-Request-Id": {
        "description": "The id of this request in the logs; a client may send its own.",
        "required": True,
        "schema": {"type": "string"},
    },
    "ETag": {
        "description": "Names this state of it; send it back as If-None-Match or If-Match.",
        "required": True,
        "schema": {"type": "string"},
    },
    "Link": {
        "description": "RFC 8288 links to `next`, `prev`, `first` and `last`.",
        "schema": {"type": "string"},
    },
    "X-Total-Count": {
        "description": "How many there are, when that was counted.",
        "schema": {"type": "integer"},
    },
    "Location": {
        "description": "The address of what was made, or of where it has moved.",
        "required": True,
        "schema": {"type": "string", "format": "uri-reference"},
    },
    "Cache-Control": {"description": "Who may keep this.", "schema": {"type": "string"}},
    "WWW-Authenticate": {
        "description": "How to prove who is asking (RFC 6750).",
        "required": True,
        "schema": {"type": "string"},
    },
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}},
    "RateLimit-Limit": {
        "description": "How many requests or attempts there are in a time.",
        "schema": {"type": "integer"},
    },
    "RateLimit-Remaining": {"description": "How many are left.", "schema": {"type": "integer"}},
    "RateLimit-Reset": {
        "description": "Seconds until there are more.",
        "schema": {"type": "integer"},
    },
    "Allow": {
        "description": "The methods of this address.",
        "required": True,
        "schema": {"type": "string"},
    },
}

ERRORS: dict[int, str] = {
    400: "The request cannot be read, or a parameter is not known here.",
    401: "Nobody has proved who is asking, or the proof is broken.",
    403: "Known and not allowed; the message says what is missing.",
    404: "Not there, or not for whoever asks.",
    405: "This address does not take that method.",
    409: "A value is taken, or the record is in the wrong state for this.",
    412: "The record has changed since the version that was named.",
    413: "The body is too large.",
    415: "The body is of a type that is not read here.",
    422: "The body can be read but breaks rules; `details` names every bad field.",
    428: "This installation wants If-Match or `version` with every change.",
    429: "Too many requests.",
    503: "Not now; the same request may succeed later.",
}
RATE = ["RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"]
_EXTRA = {
    401: ["WWW-Authenticate"],
    405: ["Allow"],
    429: ["Retry-After", *RATE],
    503: ["Retry-After"],
}


def headers(*names: str) -> Schema:
    """References to header components; every answer has its request's id."""
    found = ("X-Request-Id", *names)
    return {name: {"$ref": f"#/components/headers/{name}"} for name in found}


def response_name(status: int) -> str:
    """`NotFound` for 404."""
    return STATUS_NAMES[status].title().replace(" ", "")


def components() -> dict[str, Schema]:
    """Every error response."""
    return {response_name(status): _error(status, text) for status, text in ERRORS.items()}


def _error(status: int, description: str) -> Schema:
    own, problem = ("StaleError", "StaleProblem") if status == 412 else ("Error", "ProblemError")
    return {
        "description": description,
        "headers": headers(*_EXTRA.get(status, [])),
        "content": {JSON: {"schema": ref(own)}, PROBLEM: {"schema": ref(problem)}},
    }


def errors(*statuses: int) -> Schema:
    """References to error responses; 400, 401, 429 and 503 can always happen."""
    every = sorted({400, 401, 429, 503, *statuses})
    return {str(s): {"$ref": f"#/components/responses/{response_name(s)}"} for s in every}


def answer(description: str, schema: Schema, *names: str) -> Schema:
    """A response with a JSON body and headers."""
    return {
        "description": description,
        "headers": headers(*names, "Cache-Control"),
        "content": {JSON: {"schema": schema}},
    }


def fresh() -> Schema:
    """304."""
    return {"description": "The client has it already.", "headers": headers("ETag")}


def empty(description: str) -> Schema:
    """204."""
    return {"description": description, "headers": headers()}

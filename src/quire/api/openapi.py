"""The registry read aloud as OpenAPI 3.1: one document for programs, people and tests."""

from functools import cache
from typing import Any

from quire.api import openapi_answers as answers
from quire.api import openapi_by_hand as by_hand
from quire.api import openapi_drafts, openapi_history, openapi_media, openapi_paths, openapi_schemas
from quire.api import openapi_parameters as parameters
from quire.declare.record import REGISTRY

VERSION = "1"
"""Of the contract: it grows, and breaks nothing before 2."""

DESCRIPTION = """\
JSON over HTTP. Every answer carries `X-Request-Id`; every refusal has the shape of `Error`, or of
RFC 9457 for `Accept: application/problem+json`, and a method that an address does not take is
answered with 405 and `Allow`.

Times are UTC in RFC 3339 with `Z`; input takes any offset. References are read as small objects
and written as an id, a natural key or the object as it was read. A body is one JSON object, at
most 32 levels deep, without NUL, duplicate keys, NaN or integers beyond 64 bits.

What somebody may not see does not exist for him: the answer is 404, and a hidden field in a filter,
sort, `fields` or `include` is an unknown name.
"""

SECURITY = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "An access token of `POST /auth/token`, or an API key.",
    },
    "key": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "An API key of `POST /api_keys`; it opens what its scopes name.",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "quire",
        "description": "The browser session of somebody who signed in at `/auth/login`.",
    },
    "csrf": {
        "type": "apiKey",
        "in": "header",
        "name": "X-CSRFToken",
        "description": "Beside the session for everything but reading; from `GET /csrf-token`.",
    },
}


@cache
def document() -> dict[str, Any]:
    """The document. It is built once; do not change it."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Quire", "version": VERSION, "description": DESCRIPTION},
        "servers": [{"url": "/api/v1"}],
        "tags": _tags(),
        "paths": {
            **openapi_media.with_files(openapi_paths.paths()),
            **openapi_drafts.paths(),
            **openapi_history.paths(),
            **by_hand.paths(),
        },
        "components": {
            "schemas": _schemas(),
            "parameters": parameters.components(),
            "headers": answers.HEADERS,
            "responses": answers.components(),
            "securitySchemes": SECURITY,
        },
    }


def _tags() -> list[dict[str, str]]:
    records = {record.label: record.summary for record in REGISTRY.values()}
    return [{"name": n, "description": d} for n, d in {**records, **by_hand.TAGS}.items()]


def _schemas() -> dict[str, Any]:
    schemas = openapi_schemas.components()
    openapi_drafts.add_schemas(schemas)
    openapi_history.add_schemas(schemas)
    for model in (*by_hand.MODELS, *openapi_media.MODELS):
        openapi_schemas.named(model, schemas)
    return schemas

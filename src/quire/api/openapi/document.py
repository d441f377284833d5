"""The OpenAPI 3.1 document, generated from the record types."""

import json
import re
from functools import cache
from typing import Any

from quire.api.openapi import (
    bulk,
    changes,
    custom,
    drafts,
    media,
    parameters,
    paths,
    queries,
    representations,
    response_objects,
    revisions,
)
from quire.api.openapi.deprecations import add_deprecations
from quire.api.openapi.examples import add_examples
from quire.api.openapi.schemas import add_created, add_model, add_schemas
from quire.declare.record import REGISTRY

_REFERENCE = re.compile(r'"#/components/(\w+)/([^"]+)"')
VERSION = "1"
"""The version of the API: additions keep it; a breaking change would make it 2."""

DESCRIPTION = """\
JSON over HTTP. Every response has an `X-Request-Id` header. Errors use the `Error` schema, or
RFC 9457 problem details with `Accept: application/problem+json`. A method that a path does not
support returns 405 with an `Allow` header.

Times are returned in UTC, as RFC 3339 with `Z`; any offset is accepted in requests. References to
other records are returned as small objects, and can be sent as an id, a natural key, or the object
as it was returned. A request body is one JSON object, at most 32 levels deep, with at most
1,000 keys in an object, without NUL characters, duplicate keys, NaN, or integers beyond 64 bits.

Responses to requests that use something deprecated (a type, an action, or a field named in the query
or the body) carry `Deprecation`, `Sunset` and a `Link`.

Operations whose `security` is empty need no credentials. Credentials that are sent anyway are
checked, and may show more.

Records that you cannot see return 404, as if they did not exist. In a filter, sort, `fields` or
`include`, a field that you cannot see is treated as an unknown name.
"""

SECURITY = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "An access token from `POST /auth/token`, or an API key.",
    },
    "key": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "An API key from `POST /api_keys`, limited to its scopes.",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "quire",
        "description": "The session cookie of a browser that signed in at `/auth/login`.",
    },
    "csrf": {
        "type": "apiKey",
        "in": "header",
        "name": "X-CSRFToken",
        "description": "Required with the session cookie for all requests that change data; get it from `GET /csrf-token`.",
    },
}


@cache
def document() -> dict[str, Any]:
    """The document. It is built once; do not change it."""
    return build_document()


def build_document() -> dict[str, Any]:
    """The document of the record types currently registered."""
    whole: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {
            "title": "Quire",
            "version": VERSION,
            "description": DESCRIPTION,
            "contact": {"name": "The Quire authors"},
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/api/v1"}],
        "tags": _tags(),
        "paths": {**_paths(), **queries.paths(), "/changes": {"get": changes.get_changes()}},
        "components": {
            "schemas": _schemas(),
            "parameters": parameters.components(),
            "headers": response_objects.HEADERS,
            "responses": response_objects.components(),
            "securitySchemes": SECURITY,
        },
    }
    add_deprecations(whole["paths"])
    add_examples(whole)
    _drop_unused(whole["components"], whole)
    return whole


def _drop_unused(components: dict[str, Any], whole: dict[str, Any]) -> None:
    """Drop the components that no path refers to, directly or indirectly."""
    references: set[tuple[str, str]] = set()
    waiting = [whole["paths"]]
    while waiting:
        for kind, name in set(_REFERENCE.findall(json.dumps(waiting.pop()))) - references:
            references.add((kind, name))
            waiting.append(components[kind][name])
    for kind in components.keys() - {"securitySchemes"}:
        schemas = components[kind].items()
        components[kind] = {name: one for name, one in schemas if (kind, name) in references}


def _paths() -> dict[str, Any]:
    """All paths, with Idempotency-Key and Prefer added to the operations that support them."""
    records = {
        **media.add_media(paths.paths()),
        **bulk.paths(),
        **drafts.paths(),
        **revisions.paths(),
    }
    records = custom.add_webhook_test(bulk.add_undo(records))
    return {**{path: _with_keys(item) for path, item in records.items()}, **custom.paths()}


def _with_keys(item: dict[str, Any]) -> dict[str, Any]:
    changes = {"post", "put", "patch", "delete"} & item.keys()
    return {**item, **{method: _with_key(item[method]) for method in changes}}


def _with_key(operation: dict[str, Any]) -> dict[str, Any]:
    operation = _with_preference(operation)
    key = parameters.ref("Idempotency-Key")
    replayed = response_objects.headers("Idempotency-Replayed")
    responses = {
        status: {**one, "headers": one["headers"] | replayed} if status < "300" else one
        for status, one in operation["responses"].items()
    }
    return {
        **operation,
        "parameters": [*operation.get("parameters", ()), key],
        "responses": dict(sorted((response_objects.errors(409, 422) | responses).items())),
    }


def _with_preference(operation: dict[str, Any]) -> dict[str, Any]:
    """Add `Prefer` to an operation that returns the object it has changed."""
    responses = operation["responses"]
    if not any("ETag" in responses.get(status, {}).get("headers", ()) for status in ("200", "201")):
        return operation
    return {
        **operation,
        "parameters": [*operation.get("parameters", ()), parameters.ref("Prefer")],
        "responses": {**responses, "204": response_objects.minimal()},
    }


def _tags() -> list[dict[str, str]]:
    records = {record.label: record.summary for record in REGISTRY.values()}
    tags = {**records, **custom.TAGS, changes.TAG: changes.TAG_DESCRIPTION}
    return [{"name": n, "description": d} for n, d in tags.items()]


def _schemas() -> dict[str, Any]:
    schemas: dict[str, Any] = {}
    add_schemas(schemas)
    representations.add_schemas(schemas)
    add_created(schemas)
    queries.add_schemas(schemas)
    drafts.add_schemas(schemas)
    revisions.add_schemas(schemas)
    schemas |= changes.schemas()
    bulk.add_schemas(schemas)
    for model in (*custom.MODELS, *media.MODELS):
        add_model(model, schemas)
    media.add_schemas(schemas)
    schemas["TokenResponse"] = custom.token_response()
    representations.add_includes(schemas)
    return schemas

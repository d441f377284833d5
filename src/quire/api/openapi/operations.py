"""The building blocks of operations: security, request bodies, nouns in sentences."""

from typing import Any

from quire.api.openapi import parameters, response_objects
from quire.declare.record import Record

Schema = dict[str, Any]
MERGE_PATCH = "application/merge-patch+json"
AUTHENTICATED_READ: list[Schema] = [{"bearer": []}, {"key": []}, {"session": []}]
AUTHENTICATED_WRITE: list[Schema] = [{"bearer": []}, {"key": []}, {"session": [], "csrf": []}]
PUBLIC: list[Schema] = []
"""For operations that need no credentials; any that are sent are still checked, and can show more."""


def path_parameters(*names: str) -> list[Schema]:
    """References to the parameters of a path, such as the id of a record."""
    return [parameters.ref(name) for name in names]


def operation(
    id: str,
    summary: str,
    tag: str,
    security: list[Schema],
    responses: Schema,
    *,
    description: str,
    **more: Any,
) -> Schema:
    """An operation; `more` holds its parameters and requestBody."""
    present = {name: value for name, value in more.items() if value}
    return {
        "operationId": id,
        "summary": summary,
        "description": description,
        "tags": [tag],
        "security": security,
        **present,
        "responses": responses,
    }


def plural(record: Record) -> str:
    """`AuditEvents` for audit_events."""
    return record.path.title().replace("_", "")


def article(record: Record) -> str:
    """`a post`, `the settings`."""
    if record.singleton:
        return f"the {record.plural_noun}"
    return f"an {record.noun}" if record.noun[0] in "aeioA" else f"a {record.noun}"


def body(schema: Schema, *, required: bool = True, merge: bool = False) -> Schema:
    """A request body; PATCH also accepts the media type of RFC 7396."""
    types = (response_objects.JSON, MERGE_PATCH) if merge else (response_objects.JSON,)
    return {"required": required, "content": {mime: {"schema": schema} for mime in types}}

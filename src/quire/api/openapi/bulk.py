"""Paths and schemas of bulk requests and of undoing batches."""

from copy import deepcopy
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from quire.api.bulk import bulk_model, operation_models, write_rules
from quire.api.openapi import response_objects
from quire.api.openapi.operations import AUTHENTICATED_WRITE, body, operation, plural
from quire.api.openapi.schemas import Detail, Error, ProblemError, add_model, ref, singular_name
from quire.declare.record import REGISTRY, Record
from quire.errors import ERROR_CODES
from quire.store.history.undoable_batches import BATCHES_LAST

Schema = dict[str, Any]
_CLOSED = ConfigDict(extra="forbid")


class RowFailure(BaseModel):
    """An operation that failed as the single request would; 424 if it was abandoned because others failed."""

    model_config = _CLOSED
    index: int
    status: int
    id: int | None
    record: None
    error: str
    code: Literal[*ERROR_CODES]  # type: ignore[valid-type]
    message: str
    details: list[Detail]
    current_version: int = 0
    changed_fields: list[str] = []


class BulkError(Error):
    """Some operations failed, so none was carried out; `results` has the outcome of each."""

    results: list[RowFailure]
    succeeded: int
    failed: int
    batch: None


class BulkProblem(ProblemError, BulkError):
    """The same error in the format of RFC 9457."""


class UndoResult(BaseModel):
    """The result of undoing one change; `index` is its position in the original request."""

    model_config = _CLOSED
    index: int = Field(examples=[0])
    status: int = Field(examples=[200])
    type: str = Field(examples=["posts"])
    id: int = Field(examples=[7])
    error: str = ""
    code: str = ""
    message: str = ""
    details: list[Detail] = []
    current_version: int = 0
    changed_fields: list[str] = []


class _UndoResults(BaseModel):
    model_config = _CLOSED
    results: list[UndoResult]
    succeeded: int
    failed: int = Field(examples=[0])
    remaining: int = Field(
        examples=[0],
        description="Changes that did not fit into this request; undo again to continue.",
    )


def paths() -> Schema:
    """The paths of every type that can be changed through the API."""
    return {
        f"/{record.path}/bulk": {"post": _bulk(record)}
        for record in REGISTRY.values()
        if write_rules(record)
    }


def _bulk(record: Record) -> Schema:
    name = singular_name(record)
    done = response_objects.json_response(
        "The result of each operation.", ref(f"{name}BulkResults")
    )
    failures = {"anyOf": [ref("BulkError"), ref("Error")]}
    problems = {"anyOf": [ref("BulkProblem"), ref("ProblemError")]}
    failed = response_objects.json_response(
        "The request is invalid, or operations failed.", failures
    )
    failed["content"][response_objects.PROBLEM] = {"schema": problems}
    return operation(
        f"bulk{plural(record)}", f"Create, change and delete many {record.label.lower()}", record.label,
        AUTHENTICATED_WRITE, {"200": done, **response_objects.errors(403, 413, 415), "422": failed},
        requestBody=body(ref(f"{name}BulkRequest")), description=_DESCRIPTION,
    )  # fmt: skip


_DESCRIPTION = (
    "Operations are performed in order, under the rules of the single requests. With `atomic` (the "
    "default) either all of them succeed or none is kept: 422 `batch_failed` with the `results`. "
    "Otherwise each succeeds or fails by itself. `dry_run` returns the same response and writes "
    f"nothing. The `batch` can be undone for {BATCHES_LAST.days} days."
)


def add_undo(operations: Schema) -> Schema:
    """The paths, with the response to undoing a batch."""
    undo = operations["/batches/{id}/undo"]["post"]
    undo["responses"]["200"] = response_objects.json_response(
        "The result for each row.", ref("BatchUndoResults")
    )
    undo["description"] = (
        "Reverts each change whose record is still at the version that the batch left. The others are "
        "reported and kept, so that they can be tried again."
    )
    return operations


def add_schemas(schemas: dict[str, Schema]) -> None:
    """Add the schemas that these paths refer to."""
    for model in (RowFailure, BulkError, BulkProblem, UndoResult):
        add_model(model, schemas)
    add_model(_UndoResults, schemas, "BatchUndoResults")
    schemas["BatchUndoResults"]["properties"]["batch"] = ref("Batch")
    schemas["BatchUndoResults"]["required"].append("batch")
    for record in REGISTRY.values():
        if write_rules(record):
            _add_request(record, schemas)
            _add_results(record, schemas)


def _add_request(record: Record, schemas: dict[str, Schema]) -> None:
    name = singular_name(record)
    add_model(bulk_model(record), schemas, f"{name}BulkRequest")
    data = {
        "Create": ref(f"{name}New"),
        "Update": ref(f"{name}Change"),
        "Upsert": {"anyOf": [ref(f"{name}New"), ref(f"{name}Change")]},
    }
    for model in operation_models(record):
        operation = schemas[model.__name__]
        values = data.get(model.__name__.removeprefix(f"{name}Bulk"))
        if values and "data" in operation["properties"]:
            operation["properties"]["data"] = values


def _add_results(record: Record, schemas: dict[str, Schema]) -> None:
    """Add the response: rows for operations that succeeded or failed."""
    name, number = singular_name(record), {"type": "integer"}
    schema = deepcopy(schemas[name])
    for field in record.shown_once_fields:
        schema["properties"][field.name] = {"type": "string", "description": field.help}
    done: Schema = {
        "index": number | {"examples": [0]},
        "status": number | {"examples": [201]},
        "id": number | {"examples": [7]},
    }
    done["record"] = {
        "anyOf": [schema if record.shown_once_fields else ref(name), {"type": "null"}]
    }
    schemas[f"{name}BulkResult"] = _object(done)
    # failures come first: generated clients use the first schema that fits
    row = {"anyOf": [ref("RowFailure"), ref(f"{name}BulkResult")]}
    batch = {
        "type": ["string", "null"],
        "description": "The id of the batch, where anything was written.",
    }
    schemas[f"{name}BulkResults"] = _object(
        {
            "results": {"type": "array", "items": row},
            "succeeded": number,
            "failed": number,
            "batch": batch,
        }
    )


def _object(properties: Schema) -> Schema:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(properties),
        "properties": properties,
    }

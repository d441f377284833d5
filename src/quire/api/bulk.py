"""Bulk requests and undoing batches: `POST /posts/bulk`, `POST /batches/7/undo`."""

from functools import cache
from typing import Annotated, Any, Literal, Union

import orjson
from flask import Response, current_app
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from quire.api import responses
from quire.api.errors import error_body
from quire.api.query_parameters import allow_params
from quire.api.request_body import read_object
from quire.api.resources import RecordAction, RecordResource
from quire.auth.audit_denials import note_partial_denial
from quire.declare.parse_errors import error_detail
from quire.declare.record import VERBS, Record
from quire.declare.rules import NOBODY, SIGNED_IN, Rule
from quire.declare.value_kinds import MAX_ID
from quire.errors import (
    BadRequest,
    BatchFailed,
    Detail,
    Problem,
    ValidationFailed,
    detail,
)
from quire.store import bulk
from quire.store.history.batch_undo import UndoResult
from quire.store.write import Saved
from quire.web.secret_response import SecretResponse

_STRICT = ConfigDict(strict=True, extra="forbid")
_NUMBER = Annotated[int, Field(ge=1, le=MAX_ID)]
MAX_DETAILS = 1000
"""The maximum number of validation errors in one response."""
_ERROR_CODES = {
    "model_type": "dict_type",
    "model_attributes_type": "dict_type",
    "union_tag_not_found": "missing",
    "union_tag_invalid": "literal_error",
}
"""Pydantic's error types for a union of models, and the equivalent types for a single model."""


@cache
def write_rules(record: Record) -> tuple[Rule, ...]:
    """The rules of each way to change a record; empty for read-only types and singletons."""
    rules = [record.rule(verb) for verb in VERBS[1:]]
    rules = [one for one in rules if one is not NOBODY]
    if not rules or record.singleton:
        return ()
    return (*rules, *(one.allow for one in record.actions))


@cache
def operation_models(record: Record) -> tuple[type[BaseModel], ...]:
    """The operations of a type that someone may perform and that need only JSON."""
    access, operations = record.access, []
    creates = access.create is not NOBODY and not any(
        f.kind.widget == "file" for f in record.fields
    )
    version: Any = {"version": (_NUMBER | None, None)} if record.is_versioned else {}
    data, id = {"data": (dict[str, Any], ...)}, {"id": (_NUMBER, ...)}
    if creates:
        operations.append(_model(record, ("create",), **data))
    if access.update is not NOBODY:
        operations.append(_model(record, ("update",), **id, **version, **data))
    if creates and access.update is not NOBODY:
        keys = tuple(dict.fromkeys(("id", record.key)))
        operations.append(
            _model(record, ("upsert",), match_on=(Literal[keys], ...), **version, **data)
        )
    if access.delete is not NOBODY:
        operations.append(_model(record, ("delete",), **id, **version))
    if names := tuple(one.name for one in record.actions):
        inputs: Any = {"data": (dict[str, Any], {})}
        operations.append(_model(record, names, **id, **version, **inputs))
    return tuple(operations)


def _model(record: Record, ops: tuple[str, ...], **fields: Any) -> type[BaseModel]:
    name = ops[0].capitalize() if len(ops) == 1 and ops[0] in (*VERBS, "upsert") else "Action"
    fields = {"op": (Literal[ops], ...), **fields}
    return create_model(f"{record.model.__name__}Bulk{name}", __config__=_STRICT, **fields)


@cache
def bulk_model(record: Record) -> type[BaseModel]:
    """The body of a bulk request."""
    models = operation_models(record)
    one: Any = models[0]
    if len(models) > 1:
        one = Annotated[Union[models], Field(discriminator="op")]  # noqa: UP007 - of a tuple
    some: Any = Annotated[list[one], Field(min_length=1, max_length=bulk.LIMIT)]
    fields: Any = {"operations": (some, ...), "atomic": (bool, True), "dry_run": (bool, False)}
    return create_model(f"{record.model.__name__}BulkRequest", __config__=_STRICT, **fields)


class RecordBulk(RecordResource):
    """POST many operations on records of one type."""

    @property
    def rule(self) -> Rule:
        """A rule that admits actors who may perform any of the operations; never anonymous actors."""
        if self.actor.is_anonymous:
            return SIGNED_IN
        rules = write_rules(self.record)
        return next((one for one in rules if one(self.actor) is not False), rules[0])

    def post(self) -> Response:
        """The result of each operation; 422 if an atomic request failed and changed nothing."""
        allow_params()
        requested = _parse(self.record, read_object())
        options = bulk.BulkOptions(
            atomic=requested.atomic,
            dry_run=requested.dry_run,
            requires_version=current_app.config["REQUIRE_IF_MATCH"],
            max_bytes=current_app.config["RESPONSE_BYTES"],
        )
        operations = [bulk.Operation(**vars(one)) for one in requested.operations]
        results, batch = bulk.run(self.record, self.actor, operations, options)
        return _answer(results, batch, is_atomic=options.atomic)


def _parse(record: Record, raw: dict[str, Any]) -> Any:
    """Parse the request. Raises BadRequest for too many operations, ValidationFailed for all other errors."""
    operations = raw.get("operations")
    if isinstance(operations, list) and len(operations) > bulk.LIMIT:
        message = f"operations has more than {bulk.LIMIT} values. Send them in several requests."
        bad = [detail("operations", "too_long", message)]
        raise BadRequest(message, code="invalid_parameter", details=bad)
    try:
        return bulk_model(record).model_validate(raw)
    except ValidationError as error:
        has_tags = len(operation_models(record)) > 1
        errors = error.errors(include_url=False)[:MAX_DETAILS]
        explained = [_explain(one, has_tags) for one in errors]
        raise ValidationFailed(explained) from None


def _explain(error: Any, has_tags: bool) -> Detail:
    """Convert a pydantic error, with the path of the value it refers to."""
    name, *rest = error["loc"]
    if rest:
        name = f"{name}[{rest.pop(0)}]"
        rest = rest[1:] if has_tags else rest
    if error["type"].startswith("union_tag"):
        rest = ["op"]
    path = ".".join([name, *map(str, rest)])
    context = dict(error.get("ctx", {}))
    context["expected"] = str(context.get("expected_tags", context.get("expected"))).replace(
        "'", ""
    )
    kind = _ERROR_CODES.get(error["type"], error["type"])
    return error_detail(path, path, {**error, "type": kind, "ctx": context})


def _answer(results: list[bulk.Result], batch: int | None, *, is_atomic: bool) -> Response:
    rows = [_row(index, one) for index, one in enumerate(results)]
    if any(one.status == 403 for one in results):
        note_partial_denial()
    at_fault = sum(one.problem is not None and one.status != 424 for one in results)
    given_up = is_atomic and at_fault > 0
    data = {
        "results": rows,
        "succeeded": 0 if given_up else len(rows) - at_fault,
        "failed": at_fault,
        "batch": None if batch is None else str(batch),
    }
    if given_up:
        operations = f"{at_fault} of {len(rows)} operation{'s' if len(rows) > 1 else ''}"
        raise BatchFailed(f"{operations} failed, so nothing was changed.", extra=data)
    kind = SecretResponse if any(one.is_secret for one in results) else Response
    return kind(orjson.dumps(data), 200, {"Cache-Control": "private, no-store"}, responses.MIME)


def _row(index: int, result: bulk.Result) -> dict[str, Any]:
    row: dict[str, Any] = {"index": index, "status": result.status, "id": result.id, "record": None}
    if result.problem is not None:
        return row | error_body(result.problem)
    if result.json is not None:
        row["record"] = orjson.Fragment(result.json)
    return row


class BatchUndo(RecordAction):
    """POST undo: revert the changes of a batch."""

    def saved_response(self, saved: Saved) -> Response:
        """The result of undoing each row, and the batch in its new state."""
        result: UndoResult = saved.revealed["result"]
        rows = [_undone(change, None) for change in result.undone]
        rows += [_undone(change, problem) for change, problem in result.refused]
        data = {
            "results": sorted(rows, key=lambda row: row["index"]),
            "succeeded": len(result.undone),
            "failed": len(result.refused),
            "remaining": result.untried,
            "batch": self.record.default_values(saved.visible or {}),
        }
        return responses.json_response(data, headers={"Cache-Control": "private, no-store"})


def _undone(change: Any, problem: Problem | None) -> dict[str, Any]:
    row = {"index": change.row, "status": 200, "type": change.type, "id": change.record_id}
    return row if problem is None else {**row, **error_body(problem), "status": problem.status}

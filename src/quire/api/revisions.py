"""Compare two revisions, and restore an old one."""

from typing import Any

from flask import Response
from pydantic import BaseModel, ConfigDict, Field

from quire.api import responses
from quire.api.query_parameters import allow_params, single_param
from quire.api.request_body import read_object
from quire.api.resources import RecordResource
from quire.declare.value_kinds import MAX_ID
from quire.errors import BadRequest, ValidationFailed, detail
from quire.store.history import revision_service

TO = {"type": "integer", "minimum": 1, "maximum": MAX_ID}


class RestoreRevision(BaseModel):
    """How to restore an old revision."""

    model_config = ConfigDict(extra="forbid")
    version: int = Field(ge=1, description="The current version; an older one is refused with 412.")
    skip_missing: bool = Field(
        description="Leave out references to records that no longer exist, instead of refusing."
    )


class RevisionDiff(RecordResource):
    """GET the differences between two revisions."""

    verb = "update"

    def get(self, id: int, version: int) -> Response:
        """The differences field by field, with texts compared word by word."""
        allow_params("to")
        comparison = revision_service.compare_revisions(self.record, self.actor, id, version, _to())
        return responses.object_response(comparison)


def _to() -> int | None:
    text = single_param("to")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 11 and 0 < int(text) <= MAX_ID):
        message = "to must be a version number."
        bad = [detail("to", "bad_format", message)]
        raise BadRequest(message, code="invalid_parameter", details=bad)
    return int(text)


class RevisionRestore(RecordResource):
    """POST to restore an old revision."""

    verb = "update"

    def post(self, id: int, version: int) -> Response:
        """The record after an ordinary change that restores the values of that version."""
        raw = read_object(optional=True)
        skip = _flag(raw)
        based_on = self.based_on(id, raw)
        saved = revision_service.restore(
            self.record, self.actor, id, version, raw, skip_missing=skip, based_on=based_on
        )
        return self.saved_response(saved)


def _flag(raw: dict[str, Any]) -> bool:
    """Remove `skip_missing` from a body that may otherwise hold only `version`. Raises ValidationFailed."""
    bad = [detail(n, "unknown", f"{n} is not a known field.") for n in raw if n not in _NAMES]
    skip = raw.pop("skip_missing", False)
    if not isinstance(skip, bool):
        bad.append(detail("skip_missing", "wrong_type", "Skip missing must be true or false."))
    if bad:
        raise ValidationFailed(bad)
    return bool(skip)


_NAMES = frozenset(RestoreRevision.model_fields)

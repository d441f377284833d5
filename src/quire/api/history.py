"""Two revisions compared, and an old one restored."""

from typing import Any

from flask import Response, request
from pydantic import BaseModel, ConfigDict, Field

from quire.access.request import current_actor
from quire.api import respond
from quire.api.front_door import only, read_object
from quire.api.resources import RecordResource
from quire.declare.values import MAX_ID
from quire.errors import Invalid, Malformed, detail
from quire.store import history, write

TO = {"type": "integer", "minimum": 1, "maximum": MAX_ID}


class RestoreRevision(BaseModel):
    """How an old revision is restored."""

    model_config = ConfigDict(extra="forbid")
    version: int = Field(ge=1, description="The present version; a stale one gives 412.")
    skip_missing: bool = Field(
        description="Leave out references to what is gone, instead of refusing."
    )


class Difference(RecordResource):
    """GET what differs between two revisions."""

    def get(self, id: int, version: int) -> Response:
        """Field by field, texts word by word."""
        actor = current_actor()
        write.pass_door(self.record.access.update, actor)
        only("to")
        return respond.one(actor, history.compared(self.record, actor, id, version, _to()))


def _to() -> int | None:
    sent = request.args.get("to")
    if sent is None:
        return None
    if not (sent.isascii() and sent.isdigit() and len(sent) < 11 and 0 < int(sent) <= MAX_ID):
        message = "to must be the number of a version."
        bad = [detail("to", "bad_format", message)]
        raise Malformed(message, code="invalid_parameter", details=bad)
    return int(sent)


class Restore(RecordResource):
    """POST an old revision back."""

    def post(self, id: int, version: int) -> Response:
        """The record with the values of that version, by a change like any other."""
        actor = current_actor()
        write.pass_door(self.record.access.update, actor)
        only()
        raw = read_object(optional=True)
        skip = _flag(raw)
        based_on = self.based_on(actor, id, raw)
        saved = history.restore(
            self.record, actor, id, version, raw, skip_missing=skip, based_on=based_on
        )
        return self.saved(actor, saved)


def _flag(raw: dict[str, Any]) -> bool:
    """Take `skip_missing` out of a body that holds nothing else but `version`. Raises Invalid."""
    bad = [detail(n, "unknown", f"{n} is not known here.") for n in raw if n not in _NAMES]
    skip = raw.pop("skip_missing", False)
    if not isinstance(skip, bool):
        bad.append(detail("skip_missing", "wrong_type", "Skip missing must be true or false."))
    if bad:
        raise Invalid(bad)
    return bool(skip)


_NAMES = frozenset(RestoreRevision.model_fields)

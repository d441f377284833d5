"""Drafts beside what is live: read, written while somebody types, thrown away."""

from typing import Any

from flask import Response, current_app, request

from quire.access.request import current_actor
from quire.actor import Actor
from quire.api import respond
from quire.api.front_door import only, read_object
from quire.api.resources import RecordResource
from quire.errors import VersionRequired
from quire.store import drafting, write


class Draft(RecordResource):
    """GET, PUT, PATCH, DELETE the draft of one record."""

    def get(self, id: int) -> Response:
        """The record as it will be when the draft is published."""
        actor = current_actor()
        write.pass_door(self.record.access.update, actor)
        only()
        return _as_draft(actor, drafting.read(self.record, actor, id))

    def put(self, id: int) -> Response:
        """Replace the draft: what is not sent is as in the live version."""
        return self._keep(id, replace=True)

    def patch(self, id: int) -> Response:
        """Change the fields that are sent; begins a draft where there is none."""
        return self._keep(id, replace=False)

    def _keep(self, id: int, *, replace: bool) -> Response:
        actor = current_actor()
        write.pass_door(self.record.access.update, actor)
        only()
        raw = read_object()
        version, begin = self._based_on(id, raw)
        data, is_new = drafting.keep(
            self.record, actor, id, raw, replace=replace, version=version, begin=begin
        )
        return _as_draft(actor, data, is_new=is_new)

    def delete(self, id: int) -> Response:
        """Throw it away."""
        actor = current_actor()
        write.pass_door(self.record.access.update, actor)
        only()
        raw = read_object(optional=True)
        drafting.discard(self.record, actor, id, raw, version=self._based_on(id, raw)[0])
        return respond.empty(204)

    def _based_on(self, id: int, raw: dict[str, Any]) -> tuple[int | None, bool | None]:
        """The version that If-Match names, of the draft or of the record while there is none.

        Beside it whether there is none. Raises VersionRequired where a draft needs one.
        """
        if "If-Match" not in request.headers:
            demanded = current_app.config["REQUIRE_IF_MATCH"] and raw.get("version") is None
            if demanded and drafting.version_of(self.record, id) is not None:
                raise VersionRequired("Send If-Match or version: which draft is this based on?")
            return None, None
        current = drafting.version_of(self.record, id)
        if current is None:
            return respond.expected_version(0), True
        return respond.expected_version(current, respond.DRAFT), False


def _as_draft(actor: Actor, data: dict[str, Any], *, is_new: bool = False) -> Response:
    """A draft, with an ETag of its own; 201 with its address when it was begun."""
    if is_new:
        return respond.one(actor, data, 201, kind=respond.DRAFT, Location=request.path)
    return respond.one(actor, data, kind=respond.DRAFT)

"""Drafts of published records: read, saved while the user types, discarded."""

from typing import Any

from flask import Response, current_app, request

from quire.api import responses
from quire.api.query_parameters import allow_params
from quire.api.request_body import read_object
from quire.api.resources import RecordResource
from quire.errors import VersionRequired
from quire.store.drafts import draft_service


class DraftItem(RecordResource):
    """GET, PUT, PATCH, DELETE the draft of a record, for actors who may change the record."""

    verb = "update"

    def get(self, id: int) -> Response:
        """The record as it will be when the draft is published."""
        allow_params()
        return self._draft(draft_service.read_draft(self.record, self.actor, id))

    def put(self, id: int) -> Response:
        """Replace the draft; fields that are not sent are as in the live version."""
        return self._save_draft(id, replace=True)

    def patch(self, id: int) -> Response:
        """Change the fields that are sent; starts a draft if there is none."""
        return self._save_draft(id, replace=False)

    def _save_draft(self, id: int, *, replace: bool) -> Response:
        raw = read_object()
        version, begin = self._based_on(id, raw)
        data, is_new = draft_service.save_draft(
            self.record, self.actor, id, raw, replace=replace, version=version, begin=begin
        )
        return responses.changed_response(self._draft(data, is_new=is_new), request.path)

    def delete(self, id: int) -> Response:
        """Discard the draft."""
        raw = read_object(optional=True)
        version = self._based_on(id, raw)[0]
        draft_service.discard_draft(self.record, self.actor, id, raw, version=version)
        return responses.empty_response(204)

    def _based_on(self, id: int, raw: dict[str, Any]) -> tuple[int | None, bool | None]:
        """The version in If-Match: of the draft, or of the record if there is no draft.

        Also returns whether there is no draft, or None without If-Match. Raises VersionRequired if a draft
        needs a version.
        """
        if "If-Match" not in request.headers:
            demanded = current_app.config["REQUIRE_IF_MATCH"] and raw.get("version") is None
            if demanded and draft_service.get_draft_version(self.record, id) is not None:
                raise VersionRequired(
                    "Send If-Match or version to say which draft your change is based on."
                )
            return None, None
        current = draft_service.get_draft_version(self.record, id)
        if current is None:
            return responses.expected_version(0), True
        return responses.expected_version(current, responses.DRAFT), False

    def _draft(self, data: dict[str, Any], *, is_new: bool = False) -> Response:
        """A draft with its own ETag; 201 with its address if it is new."""
        kind = responses.DRAFT
        if is_new:
            return responses.object_response(data, 201, kind=kind, Location=request.path)
        return responses.object_response(data, kind=kind)

"""Preview links of one record: create one, or revoke all of them."""

from flask import Response, current_app, request
from pydantic import BaseModel, ConfigDict

from quire.api import responses
from quire.api.request_body import read_object
from quire.api.resources import RecordResource
from quire.auth import preview_links
from quire.declare.clock import rfc3339
from quire.store.changes.preconditions import refuse_unknown
from quire.web.secret_response import SecretResponse


class PreviewLink(BaseModel):
    """Until `expires_at`, anyone with `url` can see the record with the changes in its draft."""

    model_config = ConfigDict(extra="forbid")
    url: str
    expires_at: str


class Previews(RecordResource):
    """POST a new link, DELETE all links to the record."""

    verb = "update"

    def post(self, id: int) -> Response:
        """A new link: 201."""
        refuse_unknown(read_object(optional=True))
        created = preview_links.create_link(self.record, self.actor, id)
        root = current_app.config["PUBLIC_URL"] or f"{request.scheme}://{request.host}"
        link = PreviewLink(url=root + created.path, expires_at=rfc3339(created.expires_at))
        headers = {"Cache-Control": "private, no-store"}
        return responses.json_response(link.model_dump(), 201, headers, kind=SecretResponse)

    def delete(self, id: int) -> Response:
        """Revoke all links."""
        refuse_unknown(read_object(optional=True))
        preview_links.revoke_links(self.record, self.actor, id)
        return responses.empty_response(204)

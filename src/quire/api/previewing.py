"""Preview links of one record: one more, or the end of all of them."""

from flask import Response, current_app, request
from pydantic import BaseModel, ConfigDict

from quire.access import previews
from quire.access.request import current_actor
from quire.api import respond
from quire.api.front_door import only, read_object
from quire.api.resources import RecordResource
from quire.declare.clock import rfc3339
from quire.store import write
from quire.store.inputs import refuse_all


class PreviewLink(BaseModel):
    """Whoever opens `url` before `expires_at` sees the record, with its draft if it has one."""

    model_config = ConfigDict(extra="forbid")
    url: str
    expires_at: str


class Previews(RecordResource):
    """POST a link; DELETE ends all links to the record."""

    def post(self, id: int) -> Response:
        """A new link: 201."""
        actor = current_actor()
        write.pass_door(self.record.access.update, actor)
        only()
        refuse_all(read_object(optional=True))
        made = previews.make(self.record, actor, id)
        root = current_app.config["PUBLIC_URL"] or f"{request.scheme}://{request.host}"
        link = PreviewLink(url=root + made.path, expires_at=rfc3339(made.expires_at))
        return respond.answer(link.model_dump(), 201, {"Cache-Control": "private, no-store"})

    def delete(self, id: int) -> Response:
        """End them."""
        actor = current_actor()
        write.pass_door(self.record.access.update, actor)
        only()
        refuse_all(read_object(optional=True))
        previews.end(self.record, actor, id)
        return respond.empty(204)

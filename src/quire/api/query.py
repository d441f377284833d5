"""`POST /<type>/query`: the list, asked for by a JSON body that can say more than an address."""

from flask import Response

from quire.api.request_body import read_object
from quire.api.resources import RecordResource
from quire.declare.query_body import parse_body


class RecordQuery(RecordResource):
    """POST a query for a page of the list."""

    verb = "read"
    reads_only = True

    def post(self) -> Response:
        """The page that GET of the list would answer."""
        return self.list_response(parse_body(self.record, self.actor, read_object()))

"""`POST /<type>/query`: a list requested by a JSON body, which can express more than a query string."""

from flask import Response

from quire.api.request_body import read_object
from quire.api.resources import RecordResource
from quire.declare.query_body import parse_body


class RecordQuery(RecordResource):
    """POST a query for a page of the list."""

    verb = "read"
    reads_only = True

    def post(self) -> Response:
        """The page that GET would return for the same query."""
        return self.list_response(parse_body(self.record, self.actor, read_object()))

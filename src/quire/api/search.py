"""Search over every type that has a page: `GET /api/v1/search?q=`."""

from flask import Response, request
from flask_restful import Resource

from quire.access.request import current_actor
from quire.api import respond
from quire.api.front_door import only
from quire.declare.query import Query, bad_value, parse_query
from quire.declare.record import REGISTRY
from quire.store.found import search


class Search(Resource):
    """GET what matches, best first."""

    def get(self) -> Response:
        """A page of results with the found words marked."""
        actor = current_actor()
        only("q", "page", "per_page")
        query: Query = parse_query(REGISTRY["tags"], actor, request.args.items(multi=True))
        if query.search is None:
            raise bad_value("q", "Say what to search for: q=word.")
        page = search(actor, query)
        return respond.listing(actor, "results", page, query)

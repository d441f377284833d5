"""Search over every type that has a page: `GET /api/v1/search?q=`."""

from dataclasses import replace

from flask import Response, request
from flask_restful import Resource

from quire.api import responses
from quire.api.request_body import allow_params
from quire.auth.current_actor import current_actor
from quire.declare.query import Query, parse_query
from quire.declare.record import REGISTRY
from quire.errors import invalid_parameter
from quire.store.search import search, searchable_types


class Search(Resource):
    """GET what matches, best first."""

    def get(self) -> Response:
        """A page of results with the found words marked."""
        actor = current_actor()
        allow_params("q", "types", "page", "per_page")
        pairs = [pair for pair in request.args.items(multi=True) if pair[0] != "types"]
        query: Query = parse_query(REGISTRY["tags"], actor, pairs)
        if query.search is None:
            raise invalid_parameter("q", "Send what to search for in q.")
        page = search(actor, query, _types())
        query = replace(query, parameters=tuple(request.args.items(multi=True)))
        return responses.list_response("results", page, query)


def _types() -> tuple[str, ...] | None:
    """The types to search, None for all. Raises BadRequest for one that cannot be searched."""
    texts = request.args.getlist("types")
    if not texts:
        return None
    valid_types = searchable_types()
    requested = [name for text in texts for name in text.split(",")]
    for name in requested:
        if name not in valid_types:
            message = f"types takes some of: {', '.join(valid_types)}."
            raise invalid_parameter("types", message)
    return tuple(name for name in valid_types if name in requested)

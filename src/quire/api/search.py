"""Search over every type that has a page: `GET /api/v1/search?q=`."""

from dataclasses import replace
from functools import partial

from flask import Response, request
from flask_restful import Resource

from quire.actor import Actor
from quire.api import responses
from quire.api.query_parameters import allow_params, types_param
from quire.auth.current_actor import current_actor
from quire.declare.query import Query, parse_query
from quire.declare.query_mistakes import read_all
from quire.declare.record import REGISTRY
from quire.errors import invalid_parameter
from quire.store.global_search import search, searchable_types


class Search(Resource):
    """GET the matching records, best match first."""

    def get(self) -> Response:
        """A page of results with the matching words marked."""
        actor = current_actor()
        _, types, query = read_all(
            (
                partial(allow_params, "q", "types", "page", "per_page"),
                partial(types_param, searchable_types()),
                partial(_query, actor),
            )
        )
        page = search(actor, query, None if types is None else tuple(types))
        query = replace(query, parameters=tuple(request.args.items(multi=True)))
        return responses.list_response("results", page, query)


def _query(actor: Actor) -> Query:
    pairs = [pair for pair in request.args.items(multi=True) if pair[0] != "types"]
    query = parse_query(REGISTRY["tags"], actor, pairs)
    if query.search is None:
        raise invalid_parameter("q", "Send the search text in q.")
    return query

"""Public content in the format of the Ghost Content API, read-only, with a key in the URL.

See https://docs.ghost.org/content-api. Every key gives access to public content only, so it may
appear in the scripts of a public page; responses are open to every origin.
"""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Flask, Response, g, request
from flask_restful import Resource
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from quire.actor import ANONYMOUS
from quire.api import responses
from quire.api.compat.ghost_query import TYPES, GhostType, parse_ghost_query
from quire.api.compat.ghost_shapes import VERSION, shape_rows, shape_settings
from quire.api.errors import as_problem
from quire.api.routes import Api
from quire.auth import api_keys
from quire.declare.query_conditions import Condition
from quire.errors import NotFound, Problem, Unauthenticated
from quire.store import read

PREFIX = "/ghost/api/content"
ERROR_TYPES = {
    400: "BadRequestError",
    401: "UnauthorizedError",
    403: "NoPermissionError",
    404: "NotFoundError",
    429: "TooManyRequestsError",
    503: "MaintenanceError",
}
"""Ghost's error types by status."""
READING = ("GET", "HEAD", "OPTIONS")
_SHARED = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "ETag, Retry-After, X-Request-Id, Content-Version",
    "Content-Version": VERSION,
}
_PREFLIGHT = {
    "Access-Control-Allow-Methods": ", ".join(READING),
    "Access-Control-Allow-Headers": "Accept-Version, Content-Type, If-None-Match",
    "Access-Control-Max-Age": "600",
}


class GhostResource(Resource):
    """The base of all resources here: checks the key first."""

    def dispatch_request(self, *args: Any, **kwargs: Any) -> Any:
        """Check the key. Raises Unauthenticated."""
        key = request.args.get("key")
        if key is None:
            raise Unauthenticated("Add ?key= with an API key that has the scope content:read.")
        api_keys.authenticate_content_key(key)
        return super().dispatch_request(*args, **kwargs)


class GhostList(GhostResource):
    """GET a page of one type."""

    def get(self, kind: str) -> Response:
        """The rows and their pagination."""
        ghost_query = parse_ghost_query(TYPES[kind], request.args)
        record = TYPES[kind].record
        page = read.list_records(record, ANONYMOUS, ghost_query.query, responses.size_limit())
        meta = {"pagination": _pagination(page)}
        rows = shape_rows(record, page.rows, ghost_query)
        return responses.object_response({kind: rows, "meta": meta})


def _pagination(page: read.Page) -> dict[str, Any]:
    number = page.page or 1
    return {
        "page": number,
        "limit": page.per_page,
        "pages": page.pages or 1,
        "total": page.total,
        "next": number + 1 if page.has_next else None,
        "prev": number - 1 if page.has_prev else None,
    }


class GhostItem(GhostResource):
    """GET a record by its id or slug."""

    def get(self, kind: str, id: int | None = None, slug: str | None = None) -> Response:
        """The row, as a list of one."""
        ghost_type = TYPES[kind]
        where = Condition("id", "eq", (id,)) if slug is None else _by_slug(ghost_type, slug)
        only = {name: request.args[name] for name in _OF_ITEMS if name in request.args}
        ghost_query = parse_ghost_query(ghost_type, {**only, "limit": "1"}, where)
        page = read.list_records(
            ghost_type.record, ANONYMOUS, ghost_query.query, responses.size_limit()
        )
        if not page.rows:
            raise NotFound("Resource not found.")
        rows = shape_rows(ghost_type.record, page.rows, ghost_query)
        return responses.object_response({kind: rows})


_OF_ITEMS = ("fields", "include", "formats")
"""The parameters that apply to a request for one row."""


def _by_slug(kind: GhostType, slug: str) -> Condition:
    if "\x00" in slug:  # no slug contains NUL, and PostgreSQL rejects it
        raise NotFound("Resource not found.")
    return Condition(kind.slug, "eq", (slug,))


class GhostSettings(GhostResource):
    """GET the settings of the site."""

    def get(self) -> Response:
        """The settings."""
        return responses.object_response({"settings": shape_settings(), "meta": {}})


class GhostNothing(GhostResource):
    """Resources that Ghost has and Quire lacks, and all methods that change data."""

    def get(self, rest: str) -> Response:
        """404 in Ghost's format."""
        raise NotFound("Resource not found.")

    def post(self, rest: str) -> Response:
        """405 in Ghost's format."""
        raise MethodNotAllowed(READING)

    put = patch = delete = post


def _error_response(error: Exception) -> Response:
    """An error in Ghost's format."""
    problem: Problem = as_problem(error)
    first: Mapping[str, Any] = problem.details[0] if problem.details else {}
    ghost_error = {
        "message": problem.message,
        "context": None,
        "type": ERROR_TYPES.get(problem.status, "InternalServerError"),
        "details": problem.details or None,
        "property": first.get("field"),
        "help": None,
        "code": problem.code,
        "id": g.get("request_id"),
        "ghostErrorCode": None,
    }
    headers = {"Cache-Control": "no-store", **problem.headers}
    if problem.status == 401:
        headers.setdefault("WWW-Authenticate", 'Bearer realm="quire"')
    return responses.json_response({"errors": [ghost_error]}, problem.status, headers)


def _share(response: Response) -> Response:
    """Let scripts from every origin read the response."""
    response = responses.answer_options(response)
    response.headers.update(_SHARED)
    if request.method == "OPTIONS":
        response.headers.update(_PREFLIGHT)
    return response


def init_app(app: Flask) -> None:
    """Add these routes if the operator has enabled them."""
    if not app.config["COMPAT_GHOST"]:
        return
    blueprint = Blueprint("ghost", __name__)
    api = Api(blueprint)
    kind = f"/<any({', '.join(TYPES)}):kind>/"
    api.add_resource(GhostList, kind, endpoint="list")
    api.add_resource(GhostItem, f"{kind}<id:id>/", f"{kind}slug/<slug>/", endpoint="item")
    api.add_resource(GhostSettings, "/settings/", endpoint="settings")
    api.add_resource(GhostNothing, "/<path:rest>", endpoint="nothing")
    blueprint.register_error_handler(Problem, _error_response)
    blueprint.register_error_handler(HTTPException, _error_response)
    blueprint.after_request(_share)
    app.register_blueprint(blueprint, url_prefix=PREFIX)

"""`GET /api/v1/`: the API's name and version, its documentation and its types."""

from flask import Response
from flask_restful import Resource
from pydantic import BaseModel, ConfigDict

from quire.api import responses
from quire.api.query_parameters import allow_params
from quire.auth.current_actor import current_actor
from quire.config.version import VERSION
from quire.declare.record import REGISTRY

PREFIX = "/api/v1"
_CLOSED = ConfigDict(extra="forbid")


class ApiType(BaseModel):
    """A record type: `path` is its name in responses, `url` its address."""

    model_config = _CLOSED
    path: str
    url: str
    summary: str


class ApiRoot(BaseModel):
    """Name and version, links to the documentation, and the types that you can read."""

    model_config = _CLOSED
    name: str
    version: str
    documents: dict[str, str]
    types: list[ApiType]


class Root(Resource):
    """GET the version, documentation and types of the API."""

    def get(self) -> Response:
        """Name, version, documents and types."""
        actor = current_actor()
        allow_params()
        types = [
            ApiType(path=one.path, url=f"{PREFIX}/{one.path}", summary=one.summary)
            for one in REGISTRY.values()
            if one.access.read(actor) is not False
        ]
        documents = {"openapi": f"{PREFIX}/openapi.json", "docs": f"{PREFIX}/docs"}
        root = ApiRoot(name="Quire", version=VERSION, documents=documents, types=types)
        return responses.object_response(root.model_dump())

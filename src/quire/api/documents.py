"""The OpenAPI document and the page that shows it."""

from flask import Response
from flask_restful import Resource

from quire.api import respond
from quire.api.openapi import document


class OpenApi(Resource):
    """GET the OpenAPI 3.1 document."""

    def get(self) -> Response:
        """What this API takes and answers."""
        return respond.answer(document())


class Docs(Resource):
    """GET the document as a page."""

    def get(self) -> Response:
        """The page."""
        return respond.answer(document())

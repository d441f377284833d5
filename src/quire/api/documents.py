"""The OpenAPI document and the page that shows it."""

import hashlib
from functools import cache

import orjson
from flask import Response
from flask_restful import Resource

from quire.api import respond
from quire.api.docs_page import page
from quire.api.front_door import only
from quire.api.openapi import document

HTML = "text/html; charset=utf-8"


@cache
def _document() -> tuple[bytes, str]:
    return _marked(orjson.dumps(document()))


@cache
def _page() -> tuple[bytes, str]:
    return _marked(page(document()).encode())


def _marked(body: bytes) -> tuple[bytes, str]:
    return body, f'"{hashlib.sha256(body).hexdigest()[:16]}"'


class OpenApi(Resource):
    """GET the OpenAPI 3.1 document."""

    def get(self) -> Response:
        """What this API takes and answers."""
        only()
        return respond.kept(*_document(), respond.MIME)


class Docs(Resource):
    """GET the document as a page."""

    def get(self) -> Response:
        """The page."""
        only()
        return respond.kept(*_page(), HTML)

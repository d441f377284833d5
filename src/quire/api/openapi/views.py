"""The OpenAPI document and the page that shows it."""

import hashlib
from functools import cache

import orjson
from flask import Response
from flask_restful import Resource

from quire.api import responses
from quire.api.openapi.document import document
from quire.api.openapi.html import html_page
from quire.api.request_body import allow_params

HTML = "text/html; charset=utf-8"


@cache
def _document() -> tuple[bytes, str]:
    return _with_etag(orjson.dumps(document()))


@cache
def _page() -> tuple[bytes, str]:
    return _with_etag(html_page(document()).encode())


def _with_etag(body: bytes) -> tuple[bytes, str]:
    return body, f'"{hashlib.sha256(body).hexdigest()[:16]}"'


class OpenApi(Resource):
    """GET the OpenAPI 3.1 document."""

    def get(self) -> Response:
        """The document as JSON."""
        allow_params()
        return responses.static_response(*_document(), responses.MIME)


class Docs(Resource):
    """GET the document as a page."""

    def get(self) -> Response:
        """The document as HTML."""
        allow_params()
        return responses.static_response(*_page(), HTML)

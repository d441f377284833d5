"""The OpenAPI document and the page that shows it."""

import hashlib
from functools import cache
from importlib import import_module
from typing import Any

import orjson
from flask import Response
from flask_restful import Resource

from quire.api import responses
from quire.api.query_parameters import allow_params

HTML = "text/html; charset=utf-8"


@cache
def _document() -> tuple[bytes, str]:
    return _with_etag(orjson.dumps(_description()))


@cache
def _page() -> tuple[bytes, str]:
    page: str = import_module("quire.api.openapi.html").html_page(_description())
    return _with_etag(page.encode())


def _description() -> Any:
    """Import the document's modules on the first request for it; it is built once."""
    return import_module("quire.api.openapi.document").document()


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

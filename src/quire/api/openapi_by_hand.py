"""Paths that no declaration makes: tokens, search, the document itself."""

from typing import Any

from pydantic import BaseModel

from quire.api import openapi_answers as answers
from quire.api import openapi_parameters as parameters
from quire.api.openapi_paths import OPEN, body, operation
from quire.api.openapi_schemas import ref
from quire.api.sign_in import Credentials, CsrfToken, RefreshToken, TokenPair
from quire.declare.query import MAX_SEARCH

Schema = dict[str, Any]
MODELS: tuple[type[BaseModel], ...] = (Credentials, RefreshToken, TokenPair, CsrfToken)
PROOF, SEARCH, DOCUMENTS = "Proof of identity", "Search", "Documents"
TAGS = {
    PROOF: "Tokens for programs, and the CSRF token for scripts of our own pages.",
    SEARCH: "Search over every type at once.",
    DOCUMENTS: "What describes this API.",
}


def paths() -> Schema:
    """Their paths."""
    return {
        "/auth/token": {"post": _pair("signIn", "Sign in", "Credentials")},
        "/auth/refresh": {
            "post": _pair("refreshToken", "Exchange a refresh token", "RefreshToken")
        },
        "/auth/revoke": {"post": _revoke()},
        "/csrf-token": {"get": _csrf()},
        "/search": {"get": _search()},
        "/openapi.json": {"get": _document()},
        "/docs": {"get": _docs()},
    }


def _pair(id: str, summary: str, given: str) -> Schema:
    pair = answers.answer("A pair of tokens.", ref("TokenPair"))
    return operation(
        id, summary, PROOF, [{}], {"200": pair, **answers.errors(413, 415, 422)},
        requestBody=body(ref(given)),
    )  # fmt: skip


def _revoke() -> Schema:
    done = {"description": "It is worth nothing now."}
    return operation(
        "revokeToken", "End a refresh token and its access tokens", PROOF, [{}],
        {"204": done, **answers.errors(413, 415, 422)}, requestBody=body(ref("RefreshToken")),
    )  # fmt: skip


def _csrf() -> Schema:
    token = answers.answer("The token of this browser session.", ref("CsrfToken"))
    return operation(
        "getCsrfToken", "Get the token that unsafe requests by session carry", PROOF,
        [{}, {"session": []}], {"200": token, **answers.errors()},
    )  # fmt: skip


def _search() -> Schema:
    found = answers.answer(
        "What matches, best first.", ref("SearchResultList"), "ETag", "Link", "X-Total-Count"
    )
    words = {"type": "string", "minLength": 1, "maxLength": MAX_SEARCH, "pattern": r"[^\t-\r ]"}
    said = parameters.parameter("q", "What to search for.", words, required=True)
    return operation(
        "search", "Search every type that has a page", SEARCH, OPEN,
        {"200": found, "304": answers.fresh(), **answers.errors(403)},
        parameters=[said, *map(parameters.ref, ("page", "per_page", "If-None-Match"))],
    )  # fmt: skip


def _document() -> Schema:
    found = answers.answer("This document.", {"type": "object"}, "ETag")
    return operation(
        "getOpenApi", "Get this document", DOCUMENTS, [{}],
        {"200": found, "304": answers.fresh(), **answers.errors()},
        parameters=[parameters.ref("If-None-Match")],
    )  # fmt: skip


def _docs() -> Schema:
    page = answers.answer("A page.", {"type": "string"}, "ETag")
    page["content"] = {"text/html": {"schema": {"type": "string"}}}
    return operation(
        "getDocs", "Read this document as a page", DOCUMENTS, [{}],
        {"200": page, "304": answers.fresh(), **answers.errors()},
        parameters=[parameters.ref("If-None-Match")],
    )  # fmt: skip

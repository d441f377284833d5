"""Paths that no declaration makes: tokens, search, the document itself."""

from typing import Any

from pydantic import BaseModel

from quire.api import openapi_answers as answers
from quire.api import openapi_parameters as parameters
from quire.api.explain import Explanation
from quire.api.openapi_paths import OPEN, body, operation
from quire.api.openapi_schemas import ref
from quire.api.own import OnItsWay
from quire.api.sign_in import Credentials, CsrfToken, RefreshToken, TokenPair
from quire.declare.query import MAX_SEARCH
from quire.declare.record import REGISTRY
from quire.store.explain import DEEDS

Schema = dict[str, Any]
NAME = {"type": "string", "minLength": 3, "maxLength": 20, "pattern": r"^[A-Za-z0-9_.\-]+$"}
MODELS: tuple[type[BaseModel], ...] = (
    Credentials,
    RefreshToken,
    TokenPair,
    CsrfToken,
    Explanation,
    OnItsWay,
)
PROOF, RIGHTS, SEARCH, DOCUMENTS = "Proof of identity", "Rights", "Search", "Documents"
TAGS = {
    PROOF: "Tokens for programs, and the CSRF token for scripts of our own pages.",
    RIGHTS: "Who may do what, and why.",
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
        "/access/explain": {"get": _explain()},
        "/search": {"get": _search()},
        "/openapi.json": {"get": _document()},
        "/docs": {"get": _docs()},
    }


def _pair(id: str, summary: str, given: str) -> Schema:
    pair = answers.answer("A pair of tokens.", ref("TokenPair"))
    return operation(
        id, summary, PROOF, [{}], {"200": pair, **answers.errors(403, 413, 415, 422)},
        requestBody=body(ref(given)),
    )  # fmt: skip


def _revoke() -> Schema:
    done = {"description": "It is worth nothing now."}
    return operation(
        "revokeToken", "End a refresh token and its access tokens", PROOF, [{}],
        {"204": done, **answers.errors(403, 413, 415, 422)}, requestBody=body(ref("RefreshToken")),
    )  # fmt: skip


def _csrf() -> Schema:
    token = answers.answer("The token of this browser session.", ref("CsrfToken"))
    return operation(
        "getCsrfToken", "Get the token that unsafe requests by session carry", PROOF,
        [{}, {"session": []}], {"200": token, **answers.errors()},
    )  # fmt: skip


def _explain() -> Schema:
    verdict = answers.answer("The verdict.", ref("Explanation"))
    return operation(
        "explainAccess", "Ask whether something is allowed, and by which rule", RIGHTS, OPEN,
        {"200": verdict, **answers.errors(403, 404)},
        parameters=_asked(),
        description="`rule` and `missing` complete the sentence “This needs ...”; `missing` is null "
        "when it is allowed. A record that the asker may not see is not found.",
    )  # fmt: skip


def _asked() -> list[Schema]:
    deeds = {one.name for record in REGISTRY.values() for one in record.actions}
    named = parameters.parameter
    return [
        named("action", "What somebody wants to do.", {"enum": [*DEEDS, *sorted(deeds)]}, required=True),
        named("type", "To a record of which type.", {"enum": list(REGISTRY)}, required=True),
        named("id", "To which one; not for `create`, nor for `read` to mean lists.", parameters.ID),
        named("user", "Whose rights are meant, a username. For administrators.", NAME),
    ]  # fmt: skip


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

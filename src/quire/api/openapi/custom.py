"""Paths that belong to no record type: tokens, permissions, search, and this document."""

from typing import Any

from pydantic import BaseModel

from quire.api.explain import Explanation
from quire.api.openapi import parameters, response_objects
from quire.api.openapi.operations import PUBLIC, body, operation
from quire.api.openapi.schemas import ref
from quire.api.root import ApiRoot
from quire.api.special_resources import RegistrationPending
from quire.api.tokens import Credentials, CsrfToken, RefreshToken, TokenPair
from quire.declare.query import MAX_SEARCH
from quire.declare.record import REGISTRY
from quire.store.access_decision import OPERATIONS
from quire.store.global_search import searchable_types

Schema = dict[str, Any]
NAME = {"type": "string", "minLength": 3, "maxLength": 20, "pattern": r"^[A-Za-z0-9_.\-]+$"}
MODELS: tuple[type[BaseModel], ...] = (
    Credentials,
    RefreshToken,
    TokenPair,
    CsrfToken,
    Explanation,
    RegistrationPending,
    ApiRoot,
)
AUTHENTICATION, PERMISSIONS, SEARCH, META = "Authentication", "Permissions", "Search", "Meta"
TAGS = {
    AUTHENTICATION: "Tokens for API clients, and the CSRF token for scripts on the site's own pages.",
    PERMISSIONS: "Who is allowed to do what, and why.",
    SEARCH: "Search all types at once.",
    META: "The API itself: its version, its types and its documentation.",
}


def paths() -> Schema:
    """The paths that are written by hand."""
    return {
        "/": {"get": _root()},
        "/auth/token": {"post": _sign_in()},
        "/auth/refresh": {"post": _refresh()},
        "/auth/revoke": {"post": _revoke()},
        "/csrf-token": {"get": _csrf()},
        "/access/explain": {"get": _explain()},
        "/search": {"get": _search()},
        "/openapi.json": {"get": _document()},
        "/docs": {"get": _docs()},
    }


def add_webhook_test(operations: Schema) -> Schema:
    """The paths of record types, with the response to testing a webhook."""
    response = response_objects.json_response(
        "The delivery, which is sent immediately.", ref("Delivery"), "ETag"
    )
    operations["/webhooks/{id}/test"]["post"]["responses"]["200"] = response
    return operations


def token_response() -> Schema:
    """The schema of the tokens with the account that has signed in."""
    user = {"type": "object", "required": ["user"], "properties": {"user": ref("User")}}
    return {"allOf": [ref("TokenPair"), user]}


def _sign_in() -> Schema:
    pair = response_objects.json_response("The tokens, and the account.", ref("TokenResponse"))
    return operation(
        "signIn", "Sign in", AUTHENTICATION, PUBLIC, {"200": pair, **response_objects.errors(403, 413, 415, 422)},
        description="Send the access token as `Authorization: Bearer`. `otp` is the code of a second "
        "factor, for accounts that have one. Too many wrong passwords return 429.",
        requestBody=body(ref("Credentials")),
    )  # fmt: skip


def _refresh() -> Schema:
    pair = response_objects.json_response("An access token and a refresh token.", ref("TokenPair"))
    return operation(
        "refreshToken", "Exchange a refresh token for new tokens", AUTHENTICATION, PUBLIC,
        {"200": pair, **response_objects.errors(403, 413, 415, 422)},
        description="A refresh token is valid once; using it again revokes all tokens that followed from it.",
        requestBody=body(ref("RefreshToken")),
    )  # fmt: skip


def _revoke() -> Schema:
    done = {"description": "The token has been revoked, or was not valid."}
    return operation(
        "revokeToken", "Revoke a refresh token and its access tokens", AUTHENTICATION, PUBLIC,
        {"204": done, **response_objects.errors(403, 413, 415, 422)}, requestBody=body(ref("RefreshToken")),
        description="Returns 204 whatever the token was (RFC 7009).",
    )  # fmt: skip


def _csrf() -> Schema:
    token = response_objects.json_response(
        "The CSRF token for this browser session.", ref("CsrfToken")
    )
    return operation(
        "getCsrfToken", "Get the CSRF token for requests with a session cookie", AUTHENTICATION,
        PUBLIC, {"200": token, **response_objects.errors()},
        description="Send it in the header `X-CSRFToken`. API keys and access tokens need none.",
    )  # fmt: skip


def _explain() -> Schema:
    verdict = response_objects.json_response(
        "Whether the action is allowed, and by which rule.", ref("Explanation")
    )
    return operation(
        "explainAccess", "Explain whether an action is allowed, and by which rule", PERMISSIONS, PUBLIC,
        {"200": verdict, **response_objects.errors(403, 404)},
        parameters=_parameters(),
        description="`rule` and `missing` complete the sentence “This requires ...”; `missing` is null "
        "when the action is allowed. Returns 404 for a record that you cannot see.",
    )  # fmt: skip


def _parameters() -> list[Schema]:
    actions = {one.name for record in REGISTRY.values() for one in record.actions}
    parameter = parameters.parameter
    return [
        parameter("action", "The action to check.", {"enum": [*OPERATIONS, *sorted(actions)]}, required=True),
        parameter("type", "The type of record.", {"enum": list(REGISTRY)}, required=True),
        parameter("id", "The id of the record. Leave it out for `create`, and to check `read` for lists.", parameters.ID),
        parameter("user", "The username of the user to check; yourself by default. Administrators only.", NAME),
    ]  # fmt: skip


def _search() -> Schema:
    response = response_objects.json_response(
        "The matching records, best match first.",
        ref("SearchResultList"),
        "ETag",
        "Link",
        "X-Total-Count",
    )
    words = {"type": "string", "minLength": 1, "maxLength": MAX_SEARCH, "pattern": r"[^\t-\r ]"}
    text = parameters.parameter("q", "The text to search for.", words, required=True)
    names = {"type": "string", "enum": searchable_types()}
    types = parameters.array("types", "The types to search, all by default.", names)
    return operation(
        "search", "Search all types that have public pages", SEARCH, PUBLIC,
        {"200": response, "304": response_objects.not_modified(), **response_objects.errors(403)},
        parameters=[text, types, *map(parameters.ref, ("page", "per_page", "If-None-Match"))],
        description="Full-text search, best match first, among what you can see.",
    )  # fmt: skip


def _root() -> Schema:
    response = response_objects.json_response(
        "The API's version, documentation and types.", ref("ApiRoot"), "ETag"
    )
    return operation(
        "getRoot", "Get the version, documentation and types of this API", META, PUBLIC,
        {"200": response, "304": response_objects.not_modified(), **response_objects.errors()},
        parameters=[parameters.ref("If-None-Match")], description="Lists the types that you can read.",
    )  # fmt: skip


def _document() -> Schema:
    schema = {"type": "object", "examples": [{"openapi": "3.1.0"}]}
    response = response_objects.json_response("This document.", schema, "ETag")
    return operation(
        "getOpenApi", "Get this document", META, PUBLIC,
        {"200": response, "304": response_objects.not_modified(), **response_objects.errors()},
        parameters=[parameters.ref("If-None-Match")], description="OpenAPI 3.1, the same for everyone.",
    )  # fmt: skip


def _docs() -> Schema:
    page = response_objects.json_response("An HTML page.", {"type": "string"}, "ETag")
    page["content"] = {"text/html": {"schema": {"type": "string"}, "example": "<!doctype html>"}}
    return operation(
        "getDocs", "View this document as an HTML page", META, PUBLIC,
        {"200": page, "304": response_objects.not_modified(), **response_objects.errors()},
        parameters=[parameters.ref("If-None-Match")], description="Needs no script and no other server.",
    )  # fmt: skip

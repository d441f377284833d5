"""API addresses that belong to no record type, except those of the OpenAPI document.

A resource is marked as deprecated by `deprecated = Deprecation(...)`, like a record type.
"""

from typing import Any

from quire.api import changes, explain, media, root, search, tokens

RESOURCES: dict[str, tuple[Any, str]] = {
    "/": (root.Root, "lists the resources"),
    "/auth/token": (tokens.TokenPairCreate, "a sign-in is not a record"),
    "/auth/refresh": (tokens.TokenRefresh, "a refresh is not a record"),
    "/auth/revoke": (tokens.TokenRevoke, "a revocation is not a record"),
    "/csrf-token": (tokens.CsrfTokenItem, "a token of the browser session"),
    "/access/explain": (explain.Explain, "evaluates the rules themselves"),
    "/media/<id:id>/uses": (media.MediaUsage, "queries all other types"),
    "/changes": (changes.Changes, "covers all types"),
    "/search": (search.Search, "covers all types"),
}
"""Resources that are not generated from a declaration, with the reason."""

"""API addresses that belong to no record type, except those of the OpenAPI document.

A resource is marked as deprecated by `deprecated = Deprecation(...)`, like a record type.
"""

from typing import Any

from quire.api import changes, explain, media, root, search, tokens

RESOURCES: dict[str, tuple[Any, str]] = {
    "/": (root.Root, "says what there is"),
    "/auth/token": (tokens.TokenPairCreate, "signing in is no record"),
    "/auth/refresh": (tokens.TokenRefresh, "nor is refreshing"),
    "/auth/revoke": (tokens.TokenRevoke, "nor is revoking"),
    "/csrf-token": (tokens.CsrfTokenItem, "a token of the browser session"),
    "/access/explain": (explain.Explain, "asks the rules themselves"),
    "/media/<id:id>/uses": (media.MediaUsage, "asks all other types"),
    "/changes": (changes.Changes, "over all types at once"),
    "/search": (search.Search, "over all types at once"),
}
"""Resources that are not generated from a declaration, with the reason."""

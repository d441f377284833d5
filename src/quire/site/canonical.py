"""The canonical URL of a page: other spellings redirect to it (301), so nothing is served at two URLs.

Spellings differ in slashes, in case, or in the form of accented letters. Whatever a path begins with, the redirect
stays on this site, since its target is built from a route.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from flask import current_app, redirect, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect
from werkzeug.wrappers import Response

from quire.auth.current_actor import current_actor
from quire.declare.record import Record
from quire.declare.unicode_text import normalize
from quire.errors import NotFound
from quire.records import CATEGORIES, PAGES, POSTS, TAGS, USERS
from quire.site.archive_queries import posts_by_month
from quire.site.paths import LONGEST_QUERY, with_query
from quire.store import read
from quire.web.caching import IDENTITY_HEADERS, vary_by

BY_SLUG: Mapping[str, Record] = {
    "site.post": POSTS,
    "site.page": PAGES,
    "site.tag": TAGS,
    "site.tag_feed": TAGS,
    "site.category": CATEGORIES,
    "site.category_feed": CATEGORIES,
}
"""Routes with a slug."""
FILES = frozenset({"site.static", "site.custom_file", "site.uploads"})
"""Routes to files, whose names must match exactly."""
EXACT = frozenset({"token", "filename", "name"})
"""Parts of routes that are case-sensitive."""


class MovedPermanently(RequestRedirect):
    """301: this page has another URL."""

    code = 301


def redirect_to_page(endpoint: str, **values: Any) -> MovedPermanently:
    """A redirect to the URL of a route with `values`, and the query of this request."""
    return MovedPermanently(with_query(_routes().build(endpoint, values)))


def redirect_for_spelling() -> Response | None:
    """A redirect to the page that this URL misspells, if the user may see it."""
    if request.method not in ("GET", "HEAD") or len(request.query_string) > LONGEST_QUERY:
        return None
    for endpoint, values in _matching_routes():
        canonical = _canonical_values(endpoint, dict(values))
        address = None if canonical is None else _routes().build(endpoint, canonical)
        if address is not None and unquote(address) != _requested_path():
            return cached_redirect(with_query(address), 301)
    return None


def cached_redirect(address: str, status: int) -> Response:
    """A redirect that caches revalidate, since its target may change."""
    response = redirect(address, status)
    vary_by(response, *IDENTITY_HEADERS)
    return response


def redirect_to_canonical() -> Response | None:
    """Before a view: redirect from another spelling that the routes accept. Raises NotFound if there is no such page."""
    if request.method not in ("GET", "HEAD") or request.endpoint is None:
        return None
    address = _routes().build(request.endpoint, normalize(request.view_args or {}))
    if unquote(address) == _requested_path():
        return None
    response = redirect_for_spelling()
    if response is None:
        raise NotFound
    return response


def _requested_path() -> str:
    """The path as requested: in `request.path`, several leading slashes are one."""
    path: str = request.environ["PATH_INFO"]
    return path.encode("latin-1").decode("utf-8", "replace")


def _routes() -> Any:
    return current_app.url_map.bind("")


def _matching_routes() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The routes that match the path once its spelling is normalized."""
    bare = "/" + re.sub("/{2,}", "/", normalize(request.path)).strip("/")
    for spelling in dict.fromkeys((bare, bare.lower())):
        try:
            endpoint, values = _routes().match(spelling, method="GET")
        except HTTPException:
            continue
        changed = spelling != bare and EXACT & values.keys()
        if endpoint.startswith("site.") and endpoint not in FILES and not changed:
            yield endpoint, values


def _canonical_values(endpoint: str, values: dict[str, Any]) -> dict[str, Any] | None:
    """`values` in their canonical spelling; None if the user may see no such page."""
    actor = current_actor()
    if endpoint in BY_SLUG:
        slugs = dict.fromkeys((values["slug"], values["slug"].lower()))
        record = BY_SLUG[endpoint]
        existing = (slug for slug in slugs if read.find_id(record, actor, slug=slug) is not None)
        slug = next(existing, None)
        return None if slug is None else {**values, "slug": slug}
    if "username" in values:
        id = read.find_id(USERS, actor, username_folded=values["username"])
        if id is None:
            return None
        return {**values, "username": read.get_record(USERS, actor, id)["username"]}
    if "month" in values:
        months = {(one.year, one.month) for one in posts_by_month()}
        return values if (values["year"], values["month"]) in months else None
    return values

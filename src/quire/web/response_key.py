"""The cache key of a request: everything in it that its response depends on."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from werkzeug.http import parse_cookie

from quire.web.caching import session_cookies
from quire.web.hosts import FOREIGN_HOST
from quire.web.language import browser_language
from quire.web.safe_requests import READS

Environ = dict[str, Any]
ANSWERED_APART = frozenset({
    "HTTP_AUTHORIZATION", "HTTP_X_API_KEY", "HTTP_RANGE", "HTTP_IF_MATCH", "HTTP_IF_UNMODIFIED_SINCE",
    "HTTP_PREFER", "HTTP_TRANSFER_ENCODING",
})  # fmt: skip
"""Headers of requests that are never answered from the cache."""
NOT_KEPT = (
    "/admin", "/auth/", "/profile", "/dashboard", "/ghost/", "/api/compat/", "/static/", "/custom/",
    "/uploads/", "/healthz", "/readyz", "/metrics",
)  # fmt: skip
"""Prefixes of paths that are not cached: their responses are personal or files, their URLs contain keys,
or they must work without the database."""
LONGEST = 2048
"""The maximum length of the path, the query and `Accept` together."""
LONGEST_COOKIE = 50
"""The maximum length of a cookie that changes pages."""
PAGE_PARAMETERS = frozenset({"page"})
"""Parameters with which a page is cached; with others, which anyone can invent, it is created each time."""


class RequestKeys:
    """Creates the keys for an application with these settings.

    A request with a cookie that identifies the user has no key; `kept_cookies` change pages, and all other cookies
    are ignored.
    """

    def __init__(self, config: Mapping[str, Any], kept_cookies: Iterable[str]):
        self._session_cookies = frozenset(session_cookies(config))
        self._kept_cookies = tuple(kept_cookies)
        self._origins = frozenset(config["CORS_ORIGINS"])

    def key_of(self, environ: Environ) -> tuple[Any, ...] | None:
        """Return the key; None if the response is for this request alone. HEAD has the key of GET."""
        if environ["REQUEST_METHOD"] not in READS or environ.get(FOREIGN_HOST):
            return None
        if not ANSWERED_APART.isdisjoint(environ) or _has_body(environ):
            return None
        path, query, accept = (
            environ.get(name, "") for name in ("PATH_INFO", "QUERY_STRING", "HTTP_ACCEPT")
        )
        if len(path) + len(query) + len(accept) > LONGEST or not _is_kept(path, query):
            return None
        cookies = self._cookies(environ)
        if cookies is None:
            return None
        language = (
            None
            if _is_for_programs(path)
            else browser_language(environ.get("HTTP_ACCEPT_LANGUAGE", ""))
        )
        origin, coding = environ.get("HTTP_ORIGIN"), environ["HTTP_ACCEPT_ENCODING"]
        host = environ["wsgi.url_scheme"], environ["HTTP_HOST"], environ.get("SCRIPT_NAME", "")
        listed = origin in self._origins and origin
        return path, query, _variant(accept, language, coding, cookies, host, listed)

    def _cookies(self, environ: Environ) -> tuple[str | None, ...] | None:
        """Return the cookies that change pages; None if one identifies the user or is too long."""
        if "HTTP_COOKIE" not in environ:
            return ()
        cookies = parse_cookie(environ)
        if not self._session_cookies.isdisjoint(cookies):
            return None
        values = tuple(cookies.get(name) for name in self._kept_cookies)
        if any(len(one or "") > LONGEST_COOKIE for one in values):
            return None
        return values if any(values) else ()


@lru_cache(200)
def _variant(*parts: Any) -> tuple[Any, ...]:
    """Return the part that most requests share, as one tuple for all keys."""
    return parts


def _is_for_programs(path: str) -> bool:
    """Whether responses under this path are in one language: those of the API, feeds, sitemaps."""
    return path.startswith("/api/") or "." in path.rpartition("/")[2]


def _has_body(environ: Environ) -> bool:
    return environ.get("CONTENT_LENGTH") not in (None, "", "0")


def _is_kept(path: str, query: str) -> bool:
    """Whether a response may be stored under this URL; the API refuses unknown parameters."""
    if path.startswith(NOT_KEPT):
        return False
    if not query or path.startswith("/api/"):
        return True
    return all(part.partition("=")[0] in PAGE_PARAMETERS for part in query.split("&"))

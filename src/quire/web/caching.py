"""What shared caches may store: only responses that anyone may see, with tags of the records they show."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import lru_cache, partial
from typing import Any

import orjson
from flask import Flask, Request, Response, current_app
from werkzeug.wrappers import Response as AnyResponse

from quire.actor import ANONYMOUS
from quire.declare.clock import now
from quire.declare.query_fields import relations
from quire.declare.record import Record
from quire.web.current import current_globals, current_request
from quire.web.request_hooks import after_request
from quire.web.response import add_own_headers, drop_own_header
from quire.web.safe_requests import READS

SHARED_SECONDS = 60
"""Seconds for which a shared cache may answer without revalidating."""
_SHARED = "public, max-age=0, must-revalidate, s-maxage="
PUBLIC = f"{_SHARED}{SHARED_SECONDS}, stale-while-revalidate=300"
"""The `Cache-Control` of responses that anyone may see (RFC 9111, RFC 5861)."""
TAG_BYTES = 4096
"""The maximum length of a `Cache-Tag`."""
IDENTITY_HEADERS = ("Authorization", "Cookie", "X-API-Key")
"""Headers that identify the user, so responses vary by them."""
Shown = dict[str, dict[int, None]]
"""The ids of the records that a response shows, by the paths of their types."""


def has_session(request: Request) -> bool:
    """Whether a request has a cookie that may identify the user."""
    if "HTTP_COOKIE" not in request.environ:
        return False
    return any(name in request.cookies for name in session_cookies(current_app.config))


def has_program_credential(request: Request) -> bool:
    """Whether a request contains what may be an access token or an API key."""
    environ = request.environ
    return "HTTP_AUTHORIZATION" in environ or "HTTP_X_API_KEY" in environ


def session_cookies(config: Mapping[str, Any]) -> tuple[str, str]:
    """The names of cookies that may identify the user."""
    return config["SESSION_COOKIE_NAME"], config.get("REMEMBER_COOKIE_NAME", "remember_token")


def is_personal(request: Request) -> bool:
    """Whether a request changes something, or contains anything that may identify the user."""
    environ = request.environ
    if environ["REQUEST_METHOD"] not in READS or has_program_credential(request):
        return True
    return "HTTP_COOKIE" in environ and has_session(request)


def vary_by(response: AnyResponse, *names: str) -> None:
    """Add these headers of the request to those that the response varies by.

    Nearly every response gets here more than once, and Werkzeug's `vary` would be parsed each time. Here and below,
    `getlist` looks up headers that are mostly missing, since `get` and `in` raise an exception internally.
    """
    before = ", ".join(response.headers.getlist("Vary"))
    after = _with_names(before, names)
    if after != before:
        response.headers["Vary"] = after


@lru_cache(1000)
def _with_names(before: str, names: tuple[str, ...]) -> str:
    """Return a list of names in a header, with these names added."""
    known = {name.strip().lower() for name in before.split(",")}
    missing = [name for name in names if name.lower() not in known]
    return ", ".join([before, *missing] if before else missing)


def note_shown(
    record: Record, rows: Iterable[dict[str, Any]] = (), *, has_included: bool = True
) -> None:
    """Record that the response shows records of a type, among them `rows`, as anyone sees them.

    Unless `has_included`, the records they refer to are shown as small objects, which refer to nothing.
    """
    if not is_personal(current_request()):
        _collect(record, list(rows), current_globals().setdefault("shown", {}), has_included)


def note_all(shown: Shown) -> None:
    """Record that the response shows these records, as anyone sees them."""
    if not is_personal(current_request()):
        noted: Shown = current_globals().setdefault("shown", {})
        for path, ids in shown.items():
            noted.setdefault(path, {}).update(ids)


def note_surroundings(*types: str) -> None:
    """Record that records of these types appear around the content; they alone make no response public."""
    current_globals().setdefault("surrounding_types", {}).update(dict.fromkeys(types))


def shown_by(record: Record, rows: Iterable[dict[str, Any]]) -> Shown:
    """Return `rows`, and all records that they refer to or include."""
    shown: Shown = {}
    _collect(record, list(rows), shown)
    return shown


def _collect(
    record: Record, rows: list[dict[str, Any]], shown: Shown, has_included: bool = True
) -> None:
    _add_ids(record, rows, shown)
    for name, target in _targets(record).items():
        related = [row[name] for row in rows if row.get(name)]
        if related and isinstance(related[0], list):
            related = [one for many in related for one in many]
        if related and has_included:
            _collect(target, related, shown)
        elif related:
            _add_ids(target, related, shown)


def _add_ids(record: Record, rows: list[dict[str, Any]], shown: Shown) -> None:
    ids = shown.setdefault(record.path, {})
    for row in rows:
        if "id" in row:
            ids[row["id"]] = None


@lru_cache(100)
def _targets(record: Record) -> dict[str, Record]:
    return {name: one.target for name, one in relations(record, ANONYMOUS).items()}


def cache_tag(shown: Shown, types: Iterable[str] = ()) -> str:
    """Return the header for what is shown: `posts, posts-7`; only the types if it would be too long."""
    every_type = dict.fromkeys([*shown, *types])
    every = ", ".join([_row_tags(one, shown.get(one, {})) for one in every_type])
    return every if len(every) <= TAG_BYTES else ", ".join(every_type)


def _row_tags(path: str, ids: dict[int, None]) -> str:
    """Return `posts, posts-7, posts-8`: all numbers are formatted in one go, which takes a fifth of the time."""
    numbers = orjson.dumps([*ids]).decode()[1:-1]
    return f"{path}, {path}-{numbers.replace(',', f', {path}-')}" if ids else path


def _set_headers(
    next_change: Callable[[], datetime | None], request: Request, response: Response
) -> Response:
    """Say who may cache the response, unless the view has done so."""
    headers = response.headers
    if headers.getlist("Cache-Control"):
        return response
    g = current_globals()
    personal = is_personal(request)
    if not personal and _is_public(response, g):
        headers.add("Cache-Control", public_until(next_change()))
        tag = cache_tag(g.shown, g.get("surrounding_types", ()))
        add_own_headers(response, ("Cache-Tag", tag))
    else:
        headers["Cache-Control"] = "private, no-store" if personal else "private, no-cache"
    return response


def _is_public(response: Response, g: Any) -> bool:
    """Whether it is the same for everyone: without a nonce and without a token of a session."""
    if response.status_code not in (200, 304) or "shown" not in g:
        return False
    return not ("csrf_token" in g or "csp_nonce" in g)


def public_until(change: datetime | None) -> str:
    """Cache for SHARED_SECONDS, or until the next scheduled change if that is earlier."""
    seconds = SHARED_SECONDS if change is None else int((change - now()).total_seconds())
    return f"{_SHARED}{seconds}" if 0 <= seconds < SHARED_SECONDS else PUBLIC


def is_shared(by_name: Mapping[str, str]) -> bool:
    """Whether its headers, in lower case, say that a response is the same for everyone until something changes."""
    return by_name.get("cache-control", "").startswith(_SHARED) and "set-cookie" not in by_name


def settle_cookies(response: Response) -> None:
    """Prevent caches from storing a response that sets a cookie; files do not depend on cookies.

    Flask says of nearly every response that it varies by cookie, since it has looked for a session.
    """
    headers = response.headers
    if headers.getlist("Set-Cookie") and response.cache_control.public:
        headers["Cache-Control"] = "private, no-store"
        drop_own_header(response, "Cache-Tag")
    elif "immutable" in headers.get("Cache-Control", ""):
        response.vary.discard("cookie")  # Werkzeug 3.1 removes no other spelling


def init_app(app: Flask, next_change: Callable[[], datetime | None]) -> None:
    """Complete responses; `next_change()` returns when the next scheduled change takes effect, if that is known."""
    after_request(app, partial(_set_headers, next_change))

"""Answers: objects and lists as JSON with their ETags, links and totals; 304 when nothing is new."""

import hashlib
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import orjson
from flask import Response, current_app, request

from quire.actor import Actor
from quire.declare.query import Query
from quire.store.read import Page

_OURS = re.compile(r'(?:W/)?"([vd])(\d{1,18})-[0-9a-f]+"')
RECORD, DRAFT = "v", "d"
"""What stands before the number in an ETag: a draft counts its own versions."""
MIME = "application/json"


def answer(data: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """`data` as JSON."""
    return Response(orjson.dumps(data), status, headers, MIME)


def empty(status: int, headers: dict[str, str] | None = None) -> Response:
    """Nothing, of no type: Flask would call it HTML."""
    response = Response(status=status, headers=headers)
    del response.headers["Content-Type"]
    return response


def one(
    actor: Actor,
    data: dict[str, Any],
    status: int = 200,
    *,
    version: int | None = None,
    kind: str = RECORD,
    revealed: Mapping[str, Any] | None = None,
    **headers: str,
) -> Response:
    """An object, with an ETag that names its version; 304 when the client has it.

    `version` is given where `data` shows only some of the fields, `kind` where it is a draft's;
    `revealed` is shown beside it this once.
    """
    body = orjson.dumps(data)
    version = data.get("version") if version is None else version
    mark = hashlib.sha256(body).hexdigest()[:16]
    etag = f'"{kind}{version}-{mark}"' if version is not None else f'"{mark}"'
    if revealed:
        body = orjson.dumps({**data, **revealed})
    return _tagged(actor, body, status, etag, headers)


def listing(actor: Actor, key: str, page: Page, query: Query) -> Response:
    """A list in its envelope, with totals and links in the headers too."""
    data: dict[str, Any] = {
        key: page.rows,
        "total": page.total,
        "page": page.page,
        "per_page": page.per_page,
        "pages": page.pages,
        "has_next": page.has_next,
        "has_prev": page.has_prev,
        "next_cursor": page.next_cursor,
        "prev_cursor": page.prev_cursor,
    }
    data[key] = page.rows  # of the type "pages" they stand where others have the number of pages
    headers = {"Link": _links(page, query)}
    if page.total is not None:
        headers["X-Total-Count"] = str(page.total)
    body = orjson.dumps(data)
    etag = f'W/"{hashlib.sha256(body).hexdigest()[:24]}"'
    return _tagged(actor, body, 200, etag, headers)


def kept(body: bytes, etag: str, mime: str) -> Response:
    """Something that is the same for everyone until the program changes."""
    headers = {"ETag": etag, "Cache-Control": "no-cache"}
    if _has(etag):
        return empty(304, headers)
    return Response(body, 200, headers, content_type=mime)


def _tagged(actor: Actor, body: bytes, status: int, etag: str, headers: dict[str, str]) -> Response:
    headers = {**headers, "ETag": etag, "Cache-Control": _caching(actor)}
    if status == 200 and request.method in ("GET", "HEAD") and _has(etag):
        return empty(304, headers)
    return Response(body, status, headers, MIME)


def _caching(actor: Actor) -> str:
    return "no-cache" if actor.is_anonymous else "private, no-store"


def _has(etag: str) -> bool:
    sent = request.environ.get("HTTP_IF_NONE_MATCH")
    if sent is None:
        return False
    opaque = etag.removeprefix("W/")
    return sent.strip() == "*" or opaque in (
        tag.strip().removeprefix("W/") for tag in sent.split(",")
    )


def _links(page: Page, query: Query) -> str:
    """RFC 8288 links to the neighbours of a page."""
    if query.page is None:
        found = {"next": page.next_cursor, "prev": page.prev_cursor}
        return _joined(query, "cursor", {rel: at for rel, at in found.items() if at})
    places = {"first": 1}
    if page.has_prev:
        places["prev"] = query.page - 1
    if page.has_next:
        places["next"] = query.page + 1
    if page.pages:
        places["last"] = page.pages
    return _joined(query, "page", places)


def _joined(query: Query, name: str, places: Mapping[str, Any]) -> str:
    kept = urlencode([pair for pair in query.sent if pair[0] not in ("page", "cursor")])
    root = current_app.config["PUBLIC_URL"] or f"{request.scheme}://{request.host}"
    start = f"{root}{quote(request.path)}?{kept}{'&' if kept else ''}{name}="
    return ", ".join(f'<{start}{place}>; rel="{rel}"' for rel, place in places.items())


def expected_version(current: int | None, kind: str = RECORD) -> int | None:
    """The version that If-Match names: `current` if it is among them, -1 for a foreign tag."""
    sent = request.environ.get("HTTP_IF_MATCH")
    if sent is None:
        return None
    if sent.strip() == "*":
        return current
    versions = [int(number) for sort, number in _OURS.findall(sent) if sort == kind]
    return current if current in versions else versions[0] if versions else -1


def names_draft() -> bool:
    """Whether If-Match names the version of a draft."""
    return any(kind == DRAFT for kind, _ in _OURS.findall(request.environ.get("HTTP_IF_MATCH", "")))


def lacks_version(raw: dict[str, Any]) -> bool:
    """Whether this installation demands a version and none was sent."""
    demanded = current_app.config["REQUIRE_IF_MATCH"] and "HTTP_IF_MATCH" not in request.environ
    return bool(demanded) and raw.get("version") is None

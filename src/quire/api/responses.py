"""Responses: objects and lists as JSON with ETags, links and totals; 304 if nothing has changed."""

import hashlib
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import orjson
from flask import Request, Response

from quire.api.errors import ordered_methods
from quire.declare.query import Query
from quire.store.read import Page
from quire.store.size_limit import SizeLimit, text_size
from quire.web.caching import PUBLIC
from quire.web.current import current_config, current_request
from quire.web.hosts import site_root
from quire.web.response import AppResponse
from quire.web.safe_requests import READS
from quire.web.secret_response import SecretResponse

_ETAG_PATTERN = re.compile(r'(?:W/)?"([vd])(\d{1,18})-[0-9a-f]+"')
_PREFERS_MINIMAL = re.compile(r'(?:^|[,;])\s*return\s*=\s*"?minimal"?\s*(?:$|[,;])', re.IGNORECASE)
RECORD, DRAFT = "v", "d"
"""The prefixes of the version in an ETag: a draft has versions of its own."""
MIME = "application/json"
LINK_BYTES = 2048
"""The maximum length of a `Link` header."""


def json_response(
    data: Any,
    status: int = 200,
    headers: dict[str, str] | None = None,
    *,
    kind: type[AppResponse] = AppResponse,
) -> Response:
    """`data` as JSON."""
    return kind(orjson.dumps(data), status, headers, content_type=MIME)


def empty_response(status: int, headers: dict[str, str] | None = None) -> Response:
    """An empty response without the Content-Type that Flask would add."""
    response = AppResponse(status=status, headers=headers)
    del response.headers["Content-Type"]
    return response


def changed_response(response: Response, location: str) -> Response:
    """The response to a change: `response`, or 204 without its object if the client prefers that.

    See RFC 7240. A secret is always sent, because it could never be read again.
    """
    prefer = current_request().environ.get("HTTP_PREFER", "")
    if isinstance(response, SecretResponse) or not _PREFERS_MINIMAL.search(prefer):
        return response
    headers = {"ETag": response.headers["ETag"]}
    return empty_response(
        204, {**headers, "Location": location, "Preference-Applied": "return=minimal"}
    )


def answer_options(response: Response) -> Response:
    """Answer OPTIONS with the allowed methods and no body."""
    request = current_request()
    if request.method != "OPTIONS" or response.status_code != 200:
        return response
    # werkzeug finds no methods for an address without its trailing slash
    rule = request.url_rule
    own = ", ".join(rule.methods or ()) if rule else ""
    return empty_response(204, {"Allow": ordered_methods(response.headers.get("Allow") or own)})


def size_limit() -> SizeLimit:
    """The maximum size of a response, which counts the data read for it."""
    return SizeLimit(current_config()["RESPONSE_BYTES"])


def _to_json(data: dict[str, Any], is_counted: bool = False) -> bytes:
    """An object as JSON. Raises TooCostly if it is too large, mostly before the JSON is made.

    `is_counted` if its texts were counted when they were read.
    """
    limit = size_limit()
    if not is_counted:
        limit.check(text_size(data))
    body = orjson.dumps(data)
    limit.check(len(body))
    return body


def _list_to_json(rows: list[dict[str, Any]]) -> orjson.Fragment:
    """Convert rows with included records to JSON, one by one. Raises TooCostly if they are too large.

    A record included by several rows is in memory once, but in JSON once for each row.
    """
    limit, parts = size_limit(), []
    for row in rows:
        parts.append(_to_json(row))
        limit.add(len(parts[-1]))
    return orjson.Fragment(b"[%b]" % b",".join(parts))


def object_response(
    data: dict[str, Any],
    status: int = 200,
    *,
    version: int | None = None,
    kind: str = RECORD,
    is_counted: bool = False,
    revealed: Mapping[str, Any] | None = None,
    **headers: str,
) -> Response:
    """An object, with an ETag that names its version; 304 if the client has that version.

    Pass `version` if `data` has only some of the fields, `kind` for a draft, and `is_counted` if the
    size was counted on reading; `revealed` holds fields that are shown only this once.
    """
    request = current_request()
    reads = request.method in READS
    body = _to_json(data, is_counted) if reads else orjson.dumps(data)
    version = data.get("version") if version is None else version
    mark = hashlib.sha256(body).hexdigest()[:16]
    etag = f'"{kind}{version}-{mark}"' if version is not None else f'"{mark}"'
    if revealed:
        body = orjson.dumps({**data, **revealed})
        return _with_etag(request, body, status, etag, headers, SecretResponse)
    return _with_etag(request, body, status, etag, headers)


def list_response(key: str, page: Page, query: Query) -> Response:
    """A list in its envelope, with the total and links also in headers."""
    rows = _list_to_json(page.rows) if query.include else page.rows
    data: dict[str, Any] = {
        key: rows,
        "total": page.total,
        "page": page.page,
        "per_page": page.per_page,
        "pages": page.pages,
        "has_next": page.has_next,
        "has_prev": page.has_prev,
        "next_cursor": page.next_cursor,
        "prev_cursor": page.prev_cursor,
    }
    if page.total_is_minimum:
        data["total_is_minimum"] = True
    data[key] = rows  # for the type "pages", the rows replace the number of pages
    # a link is followed by GET, so it cannot repeat the query of a request body
    request = current_request()
    links = _links(request, page, query) if request.method in READS else ""
    headers = {"Link": links} if links else {}
    if page.total is not None:
        headers["X-Total-Count"] = str(page.total)
    body = _to_json(data, is_counted=True)
    etag = f'W/"{hashlib.sha256(body).hexdigest()[:24]}"'
    return _with_etag(request, body, 200, etag, headers)


def array_response(rows: list[dict[str, Any]], total: int, query: Query) -> Response:
    """The bare rows of a list, with their total in a header."""
    body = orjson.dumps(_list_to_json(rows) if query.include else rows)
    size_limit().check(len(body))
    etag = f'W/"{hashlib.sha256(b"%d %b" % (total, body)).hexdigest()[:24]}"'
    return _with_etag(current_request(), body, 200, etag, {"X-Total-Count": str(total)})


def static_response(body: bytes, etag: str, mime: str) -> Response:
    """A response that is the same for everyone until the program changes."""
    headers = {"ETag": etag, "Cache-Control": PUBLIC}
    if _client_has(current_request(), etag):
        return empty_response(304, headers)
    return AppResponse(body, 200, headers, content_type=mime)


def _with_etag(
    request: Request,
    body: bytes,
    status: int,
    etag: str,
    headers: dict[str, str],
    kind: type[AppResponse] = AppResponse,
) -> Response:
    headers = {**headers, "ETag": etag}
    if status == 200 and request.method in READS and _client_has(request, etag):
        return empty_response(304, headers)
    return kind(body, status, headers, content_type=MIME)


def _client_has(request: Request, etag: str) -> bool:
    if_none_match = request.environ.get("HTTP_IF_NONE_MATCH")
    if if_none_match is None:
        return False
    opaque = etag.removeprefix("W/")
    return if_none_match.strip() == "*" or opaque in (
        tag.strip().removeprefix("W/") for tag in if_none_match.split(",")
    )


def _links(request: Request, page: Page, query: Query) -> str:
    """RFC 8288 links to neighbouring pages."""
    if query.page is None:
        cursors = {"next": page.next_cursor, "prev": page.prev_cursor}
        return _query_string(
            request, query, "cursor", {rel: at for rel, at in cursors.items() if at}
        )
    places = {"first": 1}
    if page.has_prev:
        places["prev"] = query.page - 1
    if page.has_next:
        places["next"] = query.page + 1
    if page.pages and not page.total_is_minimum:
        places["last"] = page.pages
    return _query_string(request, query, "page", places)


def _query_string(request: Request, query: Query, name: str, places: Mapping[str, Any]) -> str:
    list_parameters = urlencode(
        [pair for pair in query.parameters if pair[0] not in ("page", "cursor")]
    )
    start = f"{site_root()}{quote(request.path)}?{list_parameters}{'&' if list_parameters else ''}{name}="
    links = {rel: f'<{start}{place}>; rel="{rel}"' for rel, place in places.items()}
    fitting = _links_that_fit(links)
    return ", ".join(links[rel] for rel in links if rel in fitting)


def _links_that_fit(links: Mapping[str, str]) -> list[str]:
    """The relations whose links fit into LINK_BYTES together, the most used ones first.

    Each link repeats the query, and proxies accept 4 to 8 KB of headers; the body has the same information.
    """
    room, fitting = LINK_BYTES, []
    for rel in ("next", "prev", "first", "last"):
        room -= len(links.get(rel, "")) + 2
        if rel in links and room >= 0:
            fitting.append(rel)
    return fitting


def expected_version(current: int | None, kind: str = RECORD) -> int | None:
    """The version in If-Match: `current` if it is among those listed, -1 if no tag is one of ours."""
    if_match = current_request().environ.get("HTTP_IF_MATCH")
    if if_match is None:
        return None
    if if_match.strip() == "*":
        return current
    versions = [int(number) for sort, number in _ETAG_PATTERN.findall(if_match) if sort == kind]
    return current if current in versions else versions[0] if versions else -1


def names_draft() -> bool:
    """Whether If-Match names the version of a draft."""
    if_match = current_request().environ.get("HTTP_IF_MATCH", "")
    return any(kind == DRAFT for kind, _ in _ETAG_PATTERN.findall(if_match))


def requires_version(raw: dict[str, Any]) -> bool:
    """Whether this installation requires a version and none was sent."""
    if raw.get("version") is not None or not current_config()["REQUIRE_IF_MATCH"]:
        return False
    return "HTTP_IF_MATCH" not in current_request().environ

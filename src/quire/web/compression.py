"""Compresses text with Flask-Compress, as each client accepts it, and marks the entity tags."""

import re
from functools import lru_cache
from typing import Any

from flask import Flask, Request, Response, g
from flask_compress import Compress
from werkzeug.datastructures import Accept
from werkzeug.http import parse_accept_header

from quire.web.caching import vary_by
from quire.web.current import current_globals
from quire.web.headers import OWN_SITES
from quire.web.request_hooks import after_request
from quire.web.secret_response import SecretResponse

TEXT_TYPES = frozenset(
    {
        "application/atom+xml",
        "application/feed+json",
        "application/json",
        "application/problem+json",
        "application/rss+xml",
        "application/x-ndjson",
        "application/xml",
        "image/svg+xml",
        "text/css",
        "text/csv",
        "text/html",
        "text/javascript",
        "text/plain",
        "text/xml",
    }
)
CODINGS = ("zstd", "br", "gzip")
"""The codings on offer; among those that a client likes equally, the fastest is first, as sizes hardly differ."""
LEVELS = {"COMPRESS_ZSTD_LEVEL": 3, "COMPRESS_BR_LEVEL": 4, "COMPRESS_LEVEL": 5}
MIN_BYTES = 1024
"""Shorter texts fit into one packet uncompressed."""
LARGEST_FILE = 2**20
"""The largest file, in bytes, that is read into memory to be compressed."""
LONGEST_ACCEPT = 200
"""The maximum length of an `Accept-Encoding`; longer ones are ignored."""
TAG_HEADERS = ("HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH")
"""Without `If-Range`, since ranges of separately compressed responses do not fit together."""
SENT_TAGS = "quire.if_none_match"
_CODED_TAG = re.compile(r'"([^"]*?)(?:(?:--?|;|:)(?:x-)?(?:gzip|br|zstd|deflate)"|"-gzip)')
"""An entity tag with the coding of its response, such as `"v1-abc:zstd"`: we append it with a colon,
proxies that compress do so in other ways."""

flask_compress = Compress()


def normalize_request(environ: dict[str, Any]) -> None:
    """Convert entity tags in `environ` to the uncompressed form, and leave one accepted coding.

    A compressed response has a marked tag, since its bytes differ (RFC 9110 section 8.8.3.3), and the client sends
    that back. Flask-Compress would take `gzip;q=0` for a preference.
    """
    environ[SENT_TAGS] = environ.get("HTTP_IF_NONE_MATCH", "")
    for name in TAG_HEADERS:
        if name in environ:
            environ[name] = _CODED_TAG.sub(r'"\1"', environ[name])
    accepted = environ.get("HTTP_ACCEPT_ENCODING", "")
    environ["HTTP_ACCEPT_ENCODING"] = _coding(accepted if len(accepted) <= LONGEST_ACCEPT else "")


@lru_cache(100)
def _coding(accepted: str) -> str:
    """Return the coding that a client prefers (RFC 9110 section 12.5.3), "identity" for none."""
    encodings: Accept = parse_accept_header(accepted)
    best = max(CODINGS, key=encodings.quality)
    return best if 0 < encodings.quality(best) >= encodings.quality("identity") else "identity"


def compress(request: Request, response: Response) -> Response:
    """Return `response`, compressed if that is safe and saves anything."""
    if response.status_code == 304:
        return _not_modified(request, response)
    if response.mimetype not in TEXT_TYPES:
        return response
    vary_by(response, "Accept-Encoding")
    if request.environ["HTTP_ACCEPT_ENCODING"] == "identity":
        return response
    if not _may_be_compressed(request, response):
        return response
    if response.content_length is not None:  # so that the length is known in advance
        response.direct_passthrough = False
        response.get_data()
    response.headers.pop("Accept-Ranges", None)
    # errors are text too, but Flask-Compress only handles 2xx
    status, response.status_code = response.status, 200
    response = flask_compress.after_request(response)
    response.status = status
    return response


def _may_be_compressed(request: Request, response: Response) -> bool:
    """Whether its length can reveal no secret, and it is neither short nor partial.

    BREACH (CVE-2013-3587): an attacker who makes a browser request pages that repeat a guess learns from their
    length whether it occurs elsewhere in them, as a CSRF token does. Browsers say where a request comes from,
    through all redirects; no other site can make them claim our origin.
    """
    if isinstance(response, SecretResponse):
        return False
    if "csrf_token" in current_globals():
        vary_by(response, "Sec-Fetch-Site", "Referer")
        if not _is_asked_for_here(request):
            return False
    if "Content-Range" in response.headers:
        return False
    length = response.content_length
    limit = LARGEST_FILE if response.is_streamed else float("inf")
    return length is None or MIN_BYTES <= length <= limit


def _is_asked_for_here(request: Request) -> bool:
    """Whether our own page or the person asks, or that is unknown but the page repeats nothing from the request.

    Over plain http to another machine, browsers omit the first header. The second one names the requesting page,
    through all redirects; a page can withhold it, but not forge it.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in OWN_SITES
    return "repeats_nothing" in g or request.headers.get("Referer", "").startswith(request.host_url)


def note_that_nothing_is_repeated() -> None:
    """Record that the page for the current request repeats no word of the request, and so no guess."""
    g.repeats_nothing = True


def _not_modified(request: Request, response: Response) -> Response:
    """Give a 304 the tag that the client has, and the same Vary header as the response."""
    if not response.mimetype or response.mimetype in TEXT_TYPES:
        vary_by(response, "Accept-Encoding")
    response.headers["ETag"] = sent_tag(response.headers.get("ETag", ""), request.environ)
    return response


def plain_tag(etag: str) -> str:
    """Return an entity tag without the coding of a compressed response."""
    opaque, _, coding = etag[:-1].rpartition(":")
    return f'{opaque}"' if coding in CODINGS else etag


def sent_tag(etag: str, environ: dict[str, Any]) -> str:
    """Return the form of an entity tag that the client has."""
    encoded_tag = f'{etag[:-1]}:{environ["HTTP_ACCEPT_ENCODING"]}"'
    return encoded_tag if encoded_tag.removeprefix("W/") in environ[SENT_TAGS] else etag


def init_app(app: Flask) -> None:
    """Compress responses once everything else about them is settled; streams piece by piece."""
    app.config.update(
        LEVELS,
        COMPRESS_REGISTER=False,
        COMPRESS_MIMETYPES=sorted(TEXT_TYPES),
        COMPRESS_ALGORITHM=CODINGS,
        COMPRESS_ALGORITHM_STREAMING=CODINGS,
        COMPRESS_EVALUATE_CONDITIONAL_REQUEST=False,
    )
    flask_compress.init_app(app)
    after_request(app, compress)

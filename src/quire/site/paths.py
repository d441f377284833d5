"""Paths on this site; redirects never leave it."""

import re
from urllib.parse import quote, unquote, urlsplit

from flask import request
from werkzeug.routing import BaseConverter

# Browsers remove tabs and line breaks from URLs and read a backslash as a slash.
_FOREIGN = re.compile(r"[\x00-\x20\x7f\\]|^//")
LONGEST_QUERY = 2000
"""The maximum length of a query that is repeated in a header."""
SAFE = "/:@!$&'()*+,;=-._~"
"""Characters that are not escaped in the path of a URL."""


class WordConverter(BaseConverter):
    """A part of a path that a database can look up: without NUL, and no longer than any name."""

    regex = r"[^/\x00]{1,200}"


def local_path(text: str | None) -> str | None:
    """`text` if it is a path on this site, possibly with a query; None for anything else.

    It is checked in decoded form too, since an intermediary may decode percent signs.
    """
    if not text or len(text) > 2000 or not text.startswith("/") or _FOREIGN.search(text):
        return None
    path = text.partition("?")[0].partition("#")[0]
    return None if _FOREIGN.search(unquote(path)) else text


def here() -> str:
    """The path of this request with its query, for `next`."""
    return with_query(here_bare())


def here_bare() -> str:
    """The path of this request, without its query."""
    return quote_path(request.path)


def quote_path(path: str) -> str:
    """A path, escaped for a URL."""
    return quote(path, safe=SAFE)


def with_query(path: str) -> str:
    """`path` with the query of this request, before its fragment."""
    query = request.query_string.decode("ascii", "replace")
    start, mark, fragment = path.partition("#")
    joint = "&" if "?" in start else "?"
    return f"{start}{joint}{query}{mark}{fragment}" if query else path


def referring_path() -> str | None:
    """The path of the referring page, if it is on this site."""
    try:
        parts = urlsplit(request.referrer or "")
    except ValueError:  # such as an unclosed bracket
        return None
    if parts.netloc != request.host:
        return None
    return local_path(f"{parts.path}?{parts.query}" if parts.query else parts.path)

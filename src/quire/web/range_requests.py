"""Parts of files (RFC 9110, chapter 14): which range requests get a partial response."""

import re
from typing import Any, Self

from flask import Request, Response
from werkzeug.exceptions import RequestedRangeNotSatisfiable
from werkzeug.http import is_resource_modified, unquote_etag

_ONE_RANGE = re.compile(
    r"bytes=[ \t]*(?:([0-9]{1,18})-([0-9]{0,18})|-([0-9]{1,18}))[ \t]*", re.IGNORECASE
)


class PartialResponse(Response):
    """A response of which a client may request one range; any other request gets the whole.

    A server may ignore `Range`, and must do so if it is meaningless: other units, invalid ranges, methods other
    than GET, changed representations. Several ranges in one request are ignored too: a multipart response costs
    more than the file, and media players and PDF readers request one range at a time.
    """

    def make_conditional(
        self,
        request_or_environ: Any,
        accept_ranges: bool | str = False,
        complete_length: int | None = None,
    ) -> Self:
        """Return this response as 206, as 304, or as 416 if the range is empty."""
        environ = request_or_environ
        if isinstance(environ, Request):
            environ = environ.environ
        if "HTTP_RANGE" in environ and not self._gives_range(environ, complete_length or 0):
            environ = {name: value for name, value in environ.items() if name != "HTTP_RANGE"}
        try:
            super().make_conditional(environ, accept_ranges, complete_length)
        except RequestedRangeNotSatisfiable:  # section 15.5.17
            self.close()
            self.status_code, self.response = 416, []
            self.headers.remove("Content-Type")
            self.headers["Content-Range"] = f"bytes */{complete_length}"
            self.content_length = 0
        return self

    def _gives_range(self, environ: dict[str, Any], length: int) -> bool:
        if environ["REQUEST_METHOD"] != "GET" or not _is_range(environ["HTTP_RANGE"], length):
            return False
        if unquote_etag(environ.get("HTTP_IF_RANGE", ""))[1]:  # section 13.1.5: only strong ones
            return False
        headers = (
            self.headers
        )  # section 13.2.2: if it is not modified, it is 304 whatever the range
        return is_resource_modified(
            environ, headers.get("ETag"), last_modified=headers.get("Last-Modified")
        )


def _is_range(value: str, length: int) -> bool:
    """Whether `value` is one valid range of bytes, smaller than the whole."""
    match = _ONE_RANGE.fullmatch(value)
    if match is None:
        return False
    first, last, suffix = match.groups()
    if suffix is not None:
        return int(suffix) < length
    return not last or int(first) <= int(last)

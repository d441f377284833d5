"""Refuses requests before Flask sees them if they are not valid HTTP/1.1, with a response in JSON."""

import re
import secrets
import time
from collections.abc import Callable
from copy import copy
from http import HTTPStatus
from typing import Any

from waitress.parser import HTTPRequestParser, ParsingError
from waitress.task import ErrorTask
from waitress.utilities import BadRequest, Error

from quire.monitoring.request_id import following
from quire.monitoring.requests import record_refused
from quire.serving.request_admission import LARGE_BODIES
from quire.web.body_limits import accepts_files
from quire.web.error_body import error_body
from quire.web.headers import ALWAYS, API_POLICY, cors_headers

ORIGIN_BYTES = 300
"""How much of a header may be in an earlier packet and still be recognized."""
_ORIGIN = re.compile(rb"\norigin:[ \t]*([\x21-\x7e]+)[ \t]*\r\n", re.IGNORECASE)
CODING = b"transfer-encoding:"
_VERSION = re.compile(rb" HTTP/(?!1\.[01]$)", re.IGNORECASE)
"""An HTTP version other than 1.0 and 1.1 at the end of a request line."""
FURTHER_HEADERS = {
    401: [("WWW-Authenticate", "Bearer")],
    429: [
        ("Retry-After", "5"),
        ("RateLimit-Policy", f'"uploads";q={LARGE_BODIES};qu="concurrent-requests"'),
        ("RateLimit", '"uploads";r=0;t=5'),
    ],
    503: [("Retry-After", "5")],
}
"""Headers of such a response besides those of all responses."""


class StrictParser(HTTPRequestParser):
    """Refuses what RFC 9112 forbids and what two servers in a row could read differently."""

    adj: Any
    proxy_netloc: str
    headers: dict[str, str]
    origin: str | None = None
    completed: bool
    error: Error | None

    def __init__(self, adj: Any, admit: Callable[["StrictParser"], Error | None] | None = None):
        super().__init__(adj)
        self.admit = admit

    def received(self, data: bytes) -> int:
        """Take `data`; return how much of it belongs to this request."""
        if self.body_rcv is None:
            seam = self.header_plus[-3:] + data
            if b"\n\n" in seam.partition(b"\r\n\r\n")[0].lstrip(b"\n"):
                return self._refuse("bare LF after the headers", len(data))
            self._note_origin(self.header_plus[-ORIGIN_BYTES:] + data)
        in_headers = not self.headers_finished
        consumed: int = super().received(data)
        if in_headers and self.headers_finished and not self.completed and self.admit is not None:
            self.error = self.admit(self)
            self.completed = self.error is not None
        if self.error is not None:
            self.expect_continue = (
                False  # otherwise the client would be asked for a body that nobody needs
            )
        return consumed

    def _note_origin(self, head: bytes) -> None:
        """Note the origin of the script that asks, for responses to requests that cannot be parsed."""
        match = _ORIGIN.search(head) if self.origin is None else None
        if match is not None:
            self.origin = match[1].decode("ascii")

    def _refuse(self, reason: str, consumed: int) -> int:
        super().parse_header(b"GET / HTTP/1.0\r\n")
        self.error = BadRequest(reason)
        self.completed = True
        return consumed

    def parse_header(self, header_plus: bytes) -> None:
        """Parse the headers. Raises ParsingError."""
        first, _, rest = header_plus.partition(b"\r\n")
        lines = rest.lower().split(b"\r\n")
        if _VERSION.search(first):
            raise ParsingError("unsupported HTTP version")
        names = [line.partition(b":")[0] for line in lines]
        if any(line[:1] in (b" ", b"\t") for line in lines):
            raise ParsingError("obsolete line folding in a header")
        if names.count(b"host") != 1 and (b"host" in names or first.endswith(b"/1.1")):
            raise ParsingError("exactly one Host header is required")
        codings = [line.partition(b":")[2].strip() for line in lines if line.startswith(CODING)]
        if codings and (b"content-length" in names or not first.endswith(b"/1.1")):
            raise ParsingError("conflicting or unsupported message length")
        if codings not in ([], [b"chunked"]):
            raise ParsingError("the only supported transfer coding is a single “chunked”")
        super().parse_header(header_plus)
        if self.proxy_netloc:  # RFC 9112, 3.2.2: the host of an absolute target replaces the header
            self.headers["HOST"] = self.proxy_netloc
        if accepts_files(self.command, self.path):
            self.adj = self.adj.for_uploads


def with_larger_bodies(adj: Any, limit: int | None) -> Any:
    """Return the same limits for requests that bring files: bodies of up to `limit` bytes."""
    larger = copy(adj)
    larger.max_request_body_size = limit or adj.max_request_body_size
    return larger


class JsonErrorTask(ErrorTask):
    """Responds in JSON, like the rest of the API, if a request does not reach Flask."""

    def execute(self) -> None:
        """Write the response and close the connection."""
        error = self.request.error
        status = 400 if error.code == 501 else error.code
        request_id = secrets.token_hex(8)
        body = error_body(status, self._reason(status), request_id)
        self.status = f"{status} {HTTPStatus(status).phrase}"
        self.response_headers += [
            ("Content-Type", "application/json"),
            ("Cache-Control", "no-store"),
            ("Content-Security-Policy", API_POLICY),
            ("X-Request-Id", request_id),
            *ALWAYS.items(),
            *self._cors_headers(),
            *FURTHER_HEADERS.get(status, []),
        ]
        self.set_close_on_finish()
        self.content_length = len(body)
        self.channel.linger = True
        self.write(body)
        self._record(status, request_id, len(body))

    def _record(self, status: int, request_id: str, size: int) -> None:
        """Count and log the request, trusting nothing in it."""
        seconds = time.time() - (self.channel.started_at or time.time())
        with following(request_id):
            record_refused(status, seconds, str(self.channel.addr[0]), size)

    def _cors_headers(self) -> list[tuple[str, str]]:
        """Return headers that let the script of a permitted origin read the response."""
        listed = self.request.adj.cors_origins
        shared = cors_headers(self.request.origin, listed)
        return [("Vary", "Origin"), *shared.items()] if listed else []

    def _reason(self, status: int) -> str:
        adj = self.request.adj
        if status == 413:
            return f"The request body is larger than {adj.max_request_body_size} bytes."
        if status == 431:
            return f"The request headers are larger than {adj.max_request_header_size} bytes."
        if status == 500:
            return "Something went wrong on the server; the log has the details."
        if status in FURTHER_HEADERS:
            return str(self.request.error.body)
        # Everything from a quotation mark on is the client's own text, which is not echoed.
        return f"Not a valid HTTP request: {self.request.error.body.partition(chr(34))[0].strip()}."

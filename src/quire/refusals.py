"""Requests that are refused before Flask sees them: what is no HTTP/1.1, and the answer in JSON."""

import json
import secrets
from copy import copy
from http import HTTPStatus
from typing import Any

from waitress.parser import HTTPRequestParser, ParsingError
from waitress.task import ErrorTask
from waitress.utilities import BadRequest

from quire.errors import STATUS_NAMES
from quire.headers import ALWAYS, API_POLICY
from quire.uploads import takes_files

REFUSALS = {413: "too_large", 431: "too_large", 500: "internal_error"}
"""Codes of what is refused before Flask; all else is a malformed request."""


class StrictParser(HTTPRequestParser):
    """Refuses what RFC 9112 forbids and what two servers in a row might read differently."""

    adj: Any

    def received(self, data: bytes) -> int:
        """Take in `data`; say how much of it belongs to this request."""
        if self.body_rcv is None:
            seam = self.header_plus[-3:] + data
            if b"\n\n" in seam.partition(b"\r\n\r\n")[0].lstrip(b"\n"):
                return self._refuse("Bare LF ends the headers", len(data))
        return super().received(data)

    def _refuse(self, reason: str, consumed: int) -> int:
        super().parse_header(b"GET / HTTP/1.0\r\n")
        self.error = BadRequest(reason)
        self.completed = True
        return consumed

    def parse_header(self, header_plus: bytes) -> None:
        """Parse the headers; raises ParsingError."""
        first, _, rest = header_plus.partition(b"\r\n")
        lines = rest.lower().split(b"\r\n")
        names = [line.partition(b":")[0] for line in lines]
        if any(line[:1] in (b" ", b"\t") for line in lines):
            raise ParsingError("A header is folded over lines")
        if names.count(b"host") != 1 and (b"host" in names or first.endswith(b"/1.1")):
            raise ParsingError("There must be one Host header")
        coded = b"transfer-encoding" in names
        if coded and (b"content-length" in names or not first.endswith(b"/1.1")):
            raise ParsingError("The length of the body is given twice or in an unknown way")
        super().parse_header(header_plus)
        if takes_files(self.command, self.path):
            self.adj = self.adj.for_uploads


def with_larger_bodies(adj: Any, most: int | None) -> Any:
    """The same adjustments for requests that bring files: bodies of up to `most` bytes."""
    larger = copy(adj)
    larger.max_request_body_size = most or adj.max_request_body_size
    return larger


def refusal(status: int, reason: str, request_id: str) -> bytes:
    """The body that tells a client why it was refused before Flask saw the request."""
    body = {
        "error": STATUS_NAMES.get(status) or HTTPStatus(status).phrase.capitalize(),
        "code": REFUSALS.get(status, "malformed_body"),
        "message": reason,
        "details": [],
        "request_id": request_id,
    }
    return json.dumps(body).encode()


class Refusal(ErrorTask):
    """Answers in JSON, like everything else, where a request does not get as far as Flask."""

    def execute(self) -> None:
        """Write the refusal and close."""
        error = self.request.error
        status = 400 if error.code == 501 else error.code
        request_id = secrets.token_hex(8)
        body = refusal(status, self._reason(status), request_id)
        self.status = f"{status} {HTTPStatus(status).phrase}"
        self.response_headers += [
            ("Content-Type", "application/json"),
            ("Cache-Control", "no-store"),
            ("Content-Security-Policy", API_POLICY),
            ("X-Request-Id", request_id),
            *ALWAYS.items(),
        ]
        self.set_close_on_finish()
        self.content_length = len(body)
        self.channel.linger = True
        self.write(body)

    def _reason(self, status: int) -> str:
        adj = self.request.adj
        if status == 413:
            return f"The body is larger than {adj.max_request_body_size} bytes."
        if status == 431:
            return f"The headers are larger than {adj.max_request_header_size} bytes."
        if status == 500:
            return "Something went wrong on the server; the log has the details."
        # What follows a quotation mark is the client's own text: it is not sent back.
        return f"Not a valid HTTP request: {self.request.error.body.partition(chr(34))[0].strip()}."

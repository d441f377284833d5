"""Sends one POST to a URL that a user has entered: bounded in time and size, to public networks only.

Redirects are not followed, proxies from the environment are not used, and connections are not reused.
"""

import re
import ssl
import time
from collections.abc import Iterable, Mapping
from math import ceil
from typing import Any
from urllib.parse import urlsplit

import httpcore
from werkzeug.http import parse_date
from werkzeug.urls import iri_to_uri

from quire.declare.clock import now
from quire.jobs.webhooks.outcome import (
    NO_ANSWER,
    NO_CONNECTION,
    NOT_HTTP,
    REDIRECT,
    REFUSAL,
    Outcome,
)
from quire.security.network_addresses import ForbiddenAddress, require_reachable, resolve
from quire.translations.messages import Message

SECONDS = 10.0
"""The time limit for everything: name resolution, connection, TLS, request and response."""
MAX_BODY_BYTES = 64 * 1024
"""The part of a response's body that is read, in bytes."""
_DELAY = re.compile(r"[0-9]{1,9}")


class DeadlineStream(httpcore.NetworkStream):
    """A stream whose operations share one deadline: a timeout for each could be renewed for ever."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: float):
        self._inner, self._deadline = inner, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read at most `max_bytes`. Raises httpcore.ReadTimeout."""
        return self._inner.read(max_bytes, self._seconds_left(httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write everything. Raises httpcore.WriteTimeout."""
        view = memoryview(buffer)
        while view:  # a receiver that reads slowly must not extend the time either
            piece, view = view[:MAX_BODY_BYTES], view[MAX_BODY_BYTES:]
            self._inner.write(bytes(piece), self._seconds_left(httpcore.WriteTimeout))

    def close(self) -> None:
        """Close the stream."""
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        """Return the stream with TLS for the requested host, whichever of its addresses is connected."""
        seconds = self._seconds_left(httpcore.ConnectTimeout)
        inner = self._inner.start_tls(ssl_context, server_hostname, seconds)
        return DeadlineStream(inner, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        """Return what httpcore asks about the socket."""
        return self._inner.get_extra_info(info)

    def _seconds_left(self, error: type[Exception]) -> float:
        return seconds_left(self._deadline, error)


def seconds_left(deadline: float, error: type[Exception]) -> float:
    """Return the seconds until `deadline`, a time of the monotonic clock. Raises `error` after it."""
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise error()
    return seconds


class GuardedBackend(httpcore.NetworkBackend):
    """Connects to the addresses that have been checked, before a deadline."""

    def __init__(self, deadline: float, *, allow_private: bool):
        self._deadline, self._allow_private = deadline, allow_private
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address that answers. Raises OSError, ForbiddenAddress."""
        addresses = resolve(host, port, seconds_left(self._deadline, httpcore.ConnectTimeout))
        require_reachable(host, addresses, allow_private=self._allow_private)
        for address in addresses[:-1]:
            try:
                return self._connect(address, port)
            except httpcore.ConnectError:
                continue
        return self._connect(addresses[-1], port)

    def _connect(self, address: str, port: int) -> httpcore.NetworkStream:
        seconds = seconds_left(self._deadline, httpcore.ConnectTimeout)
        return DeadlineStream(self._inner.connect_tcp(address, port, seconds), self._deadline)


def post(url: str, headers: Mapping[str, str], body: bytes, *, allow_private: bool) -> Outcome:
    """Send a body; a status from 200 to 299 within SECONDS is a success."""
    started = time.monotonic()
    status, error, retry_after = None, None, 0
    try:
        status, wait = _status(url, headers, body, started + SECONDS, allow_private)
        error, retry_after = _refusal(status), _wait_seconds(wait)
    except (httpcore.TimeoutException, TimeoutError):
        error = NO_ANSWER.with_values(seconds=f"{SECONDS:.0f}")
    except (httpcore.NetworkError, OSError, ForbiddenAddress) as failure:
        error = NO_CONNECTION.with_values(reason=str(failure) or type(failure).__name__)
    except (httpcore.ProtocolError, ValueError) as failure:
        error = NOT_HTTP.with_values(reason=str(failure))
    return Outcome(status, error, round((time.monotonic() - started) * 1000), retry_after)


def _status(
    url: str, headers: Mapping[str, str], body: bytes, deadline: float, allow_private: bool
) -> tuple[int, str | None]:
    """Return the status of the response and its Retry-After, after reading a limited part of its body."""
    parts = urlsplit(iri_to_uri(url))
    host, scheme = parts.hostname or "", parts.scheme.lower()
    target = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
    address = httpcore.URL(scheme=scheme, host=host, port=parts.port, target=target)
    all_headers = {
        "Host": parts.netloc,
        "Content-Length": str(len(body)),
        "Connection": "close",
        **headers,
    }
    backend = GuardedBackend(deadline, allow_private=allow_private)
    read = 0
    with (
        httpcore.ConnectionPool(network_backend=backend) as pool,
        pool.stream("POST", address, headers=list(all_headers.items()), content=body) as response,
    ):
        for piece in response.iter_stream():
            read += len(piece)
            if read > MAX_BODY_BYTES:
                break
        waits = [value for name, value in response.headers if name.lower() == b"retry-after"]
        return int(response.status), waits[0].decode("latin-1") if waits else None


def _wait_seconds(retry_after: str | None) -> int:
    """Return the seconds in a Retry-After (RFC 9110, 10.2.3: a number or a date), 0 if it is neither."""
    if retry_after is None:
        return 0
    if _DELAY.fullmatch(retry_after):
        return int(retry_after)
    moment = parse_date(retry_after)
    return max(0, ceil((moment - now()).total_seconds())) if moment else 0


def _refusal(status: int) -> Message | None:
    if 200 <= status < 300:
        return None
    return (REDIRECT if 300 <= status < 400 else REFUSAL).with_values(status=status)

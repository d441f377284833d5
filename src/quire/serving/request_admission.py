"""Decides by the headers whether to accept a large body, before any of it is stored."""

from collections.abc import Iterable
from typing import Any

from waitress.utilities import Error

from quire.security.client_network import client_network
from quire.web.body_limits import accepts_files

SMALL_BODY = 64 * 1024
"""Bytes of a body that is accepted without checks."""
LARGE_BODIES = 32
"""The number of large bodies that one network may be sending simultaneously."""
PROOFS = frozenset({"AUTHORIZATION", "X_API_KEY", "COOKIE"})
"""Headers, in waitress's notation, with which a client can authenticate."""


class Unauthorized(Error):
    """A client without credentials sends a file."""

    code = 401
    reason = "Unauthorized"


class TooManyRequests(Error):
    """A network sends too many large bodies at the same time."""

    code = 429
    reason = "Too Many Requests"


def is_large(request: Any) -> bool:
    """Return whether a parsed request announces a body that is large or of unknown length."""
    return bool(request.chunked or request.content_length > SMALL_BODY)


def network(request: Any, address: str, trusted_proxy: str | None) -> str:
    """Return the network that a request comes from: behind a trusted proxy, the one it names."""
    forwarded = request.headers.get("X_FORWARDED_FOR")
    if forwarded and address == trusted_proxy:
        address = forwarded.rpartition(",")[2].strip(' "[]')
    return client_network(address)


def refuse(request: Any, sender: str, senders: Iterable[str | None]) -> Error | None:
    """Return why the large body of `request` is refused, or None if it is accepted.

    `senders` are the networks of all large bodies that are being received.
    """
    if accepts_files(request.command, request.path) and not PROOFS & request.headers.keys():
        return Unauthorized("Sign in, or send a token or API key, to upload a file.")
    if sum(one == sender for one in senders) >= LARGE_BODIES:
        return TooManyRequests("Too many large uploads at the same time from this network.")
    return None

"""Throttles: how often this request's client may try, and what mail it may cause.

`with guess("password", email) as it: it.right = ...` looks at a password, `"code"` at a second factor
(with the id of the account as text), `"token"` at a link or a refresh token (with no account);
`spend("reset", email)` takes one from the budgets of this network and this address. Both raise
TooMany. Keys are made of what the server knows: never of a header or a field that means nothing.
"""

import time
from contextlib import AbstractContextManager
from functools import partial
from math import ceil

from flask import Flask, Response, request
from flask_limiter import Limiter
from limits.storage import storage_from_string

from quire.access.request import asker, current_actor
from quire.errors import Unproven, rate
from quire.store import attempts, budgets
from quire.store.networks import client_network
from quire.store.tallies import storage_uri


def guess(
    kind: str, account: str = "", id: int | None = None
) -> AbstractContextManager[attempts.Guess]:
    """An attempt from here to prove something; see store.attempts. Raises TooMany."""
    return attempts.guess(kind, account, asker(), id)


def spend(kind: str, address: str) -> None:
    """Take one of what this network and `address` may have in an hour. Raises TooMany."""
    budgets.spend(kind, normal(address), asker())


def normal(address: str) -> str:
    """An e-mail address as accounts have it, however it was typed."""
    return address.strip().lower()


def init_app(app: Flask) -> None:
    """Count for this application, unless it has throttles switched off."""
    if not app.config["RATELIMIT_ENABLED"]:
        return
    uri = storage_uri(app.config["REDIS_URL"])
    app.extensions[attempts.STORAGE] = storage_from_string(uri)
    if limit := app.config["RATELIMIT_API"]:
        limiter = Limiter(
            _client, application_limits=[limit], request_identifier=_door, storage_uri=uri
        )
        limiter.init_app(app)
        app.after_request(partial(_tell, limiter))


def _door() -> str:
    """What is limited as a whole: the API; Flask-Limiter leaves alone what has no name."""
    return "api" if request.path.startswith("/api/") else ""


def _client() -> str:
    """Whose requests these are: an account's, whatever its proof, or those of a network."""
    try:
        id = current_actor().user_id
    except Unproven:
        id = None
    return f"account {id}" if id is not None else client_network(request.remote_addr)


def _tell(limiter: Limiter, response: Response) -> Response:
    """Say how many requests are left, unless a narrower limit has been told already."""
    found = limiter.current_limit
    if found is not None and "RateLimit-Limit" not in response.headers:
        seconds = max(1, ceil(found.window.reset_time - time.time()))
        response.headers.update(rate(found.limit.amount, found.remaining, seconds))
        if found.breached:
            response.headers["Retry-After"] = str(seconds)
    return response

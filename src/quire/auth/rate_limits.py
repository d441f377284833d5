"""Rate limits: how often the client of this request may try, and what mail it may cause.

`with count_attempt("password", email) as attempt: attempt.right = ...` checks a password, `"code"` a second factor
(with the id of the account as text), `"token"` a link or a refresh token (without an account). `consume("reset",
email)` takes one from the quotas of this network and this address. Both raise TooManyRequests. Keys consist of what
the server has verified, never of a header or a field that anyone can invent.
"""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from math import ceil
from typing import Any

from flask import Flask, Response, request
from flask_limiter import Limiter
from flask_limiter.errors import RateLimitExceeded
from limits.storage import storage_from_string

from quire.auth.current_actor import anonymous_actor, current_actor
from quire.declare.email_address import normalize_address
from quire.errors import Unauthenticated, rate_limit_headers
from quire.security import login_throttle, quotas
from quire.security.client_network import client_network
from quire.security.counter_storage import storage_uri
from quire.web.response_cache import add_guard


def count_attempt(
    kind: str, account: str = "", id: int | None = None
) -> AbstractContextManager[login_throttle.Attempt]:
    """Count an attempt to authenticate; see security.login_throttle. Raises TooManyRequests."""
    return login_throttle.count_attempt(kind, account, anonymous_actor(), id)


def consume(kind: str, address: str) -> None:
    """Take one from the hourly quotas of this network and `address`. Raises TooManyRequests."""
    quotas.consume(kind, normalize_address(address), anonymous_actor())


def init_app(app: Flask) -> None:
    """Count the requests of this application, unless rate limits are disabled."""
    if not app.config["RATELIMIT_ENABLED"]:
        return
    uri = storage_uri(app.config["REDIS_URL"])
    app.extensions[login_throttle.STORAGE] = storage_from_string(uri)
    if limit := app.config["RATELIMIT_API"]:
        limiter = Limiter(
            _client, application_limits=[limit], request_identifier=_scope, storage_uri=uri
        )
        limiter.init_app(app)
        app.after_request(partial(_add_headers, limiter))
        checks = app.before_request_funcs[None]
        check = next(one for one in checks if getattr(one, "__self__", None) is limiter)
        add_guard(app, partial(_count_kept, app, limiter, check))


def _scope() -> str:
    """Return the scope of the API as a whole; Flask-Limiter ignores requests without a scope."""
    asks_first = (
        request.method == "OPTIONS"
    )  # a page opened in a browser rather than a script's request
    return "api" if request.path.startswith(("/api/", "/ghost/")) and not asks_first else ""


def _client() -> str:
    """Return the key of a request's client: the account, whatever the credential, or else the network."""
    try:
        id = current_actor().user_id
    except Unauthenticated:
        id = None
    return f"account {id}" if id is not None else client_network(request.remote_addr)


def _count_kept(
    app: Flask, limiter: Limiter, check: Callable[[], Any], environ: dict[str, Any]
) -> list[tuple[str, str]] | None:
    """Count a request that is answered from the cache; return None if it exceeds the limit."""
    with app.request_context(environ):
        if not _scope():
            return []
        try:
            check()
        except RateLimitExceeded:
            return None
        response = _add_headers(limiter, Response())
    return [one for one in response.headers if one[0].startswith("RateLimit")]


def _add_headers(limiter: Limiter, response: Response) -> Response:
    """Add the number of remaining requests, unless a narrower limit has been reported already."""
    current = limiter.current_limit
    if current is not None and "RateLimit-Limit" not in response.headers:
        seconds = max(1, ceil(current.window.reset_time - time.time()))
        limit, window = current.limit.amount, current.limit.get_expiry()
        headers = rate_limit_headers("api", limit, window, current.remaining, seconds)
        response.headers.update(headers)
        if current.breached:
            response.headers["Retry-After"] = str(seconds)
    return response

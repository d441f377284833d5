"""Counts each request by its route, method, status and time, and logs it if that is enabled."""

import logging
from collections.abc import Callable, Iterable
from time import perf_counter
from typing import Any, NamedTuple

from quire.monitoring.counters import counters
from quire.monitoring.logs import activity
from quire.monitoring.redaction import loggable_path
from quire.monitoring.request_id import set_request_id

CONTEXT_KEY = "quire.request_context"
"""The key in the WSGI environment for a request's Flask context."""
ROUTE_KEY = "quire.route"
"""The key for the route of a request that Flask has not seen."""
NO_ROUTE = "none"
"""The route of unknown paths, which would otherwise be an unlimited number of labels."""
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER = "other"
Headers = list[tuple[str, str]]


class Answer(NamedTuple):
    """How a request was answered, and in how many seconds."""

    route: str
    method: str
    status: str
    seconds: float


def route_of(environ: dict[str, Any]) -> str:
    """Return the route that Flask has found for a request, or NO_ROUTE."""
    context = environ.get(CONTEXT_KEY)
    rule = None if context is None else context.request.url_rule
    return NO_ROUTE if rule is None else str(rule.rule)


class RequestRecorder:
    """A WSGI application around another one that counts and logs its requests."""

    def __init__(self, inner: Callable[..., Iterable[bytes]]):
        self._inner = inner

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer a request; the time counts until the response begins."""
        began, status, sent = perf_counter(), "500", list[tuple[str, str]]()

        def note(line: str, headers: Headers, *error: Any) -> Any:
            nonlocal status, sent
            status, sent = line[:3], headers
            return start_response(line, headers, *error)

        try:
            return self._inner(environ, note)
        finally:
            route = environ.get(ROUTE_KEY) or route_of(environ)
            context = environ.pop(CONTEXT_KEY, None)  # otherwise each request would refer to itself
            method = environ["REQUEST_METHOD"]
            method = method if method in METHODS else OTHER
            answer = Answer(route, method, status, perf_counter() - began)
            counters.add_request(*answer)
            if activity.isEnabledFor(logging.INFO):
                actor = None if context is None else context.app_context.g.get("actor")
                log_request(
                    answer,
                    path=loggable_path(
                        environ.get("PATH_INFO", ""), environ.get("QUERY_STRING", "")
                    ),
                    user_id=None if actor is None else actor.user_id,
                    client=environ.get("REMOTE_ADDR"),
                    size=_content_length(sent),
                )
            set_request_id(None)


def _content_length(headers: Headers) -> int | None:
    return next((int(value) for name, value in headers if name.lower() == "content-length"), None)


def record_refused(status: int, seconds: float, client: str, size: int) -> None:
    """Count and log a request that did not reach the application, being malformed or too large."""
    answer = Answer(NO_ROUTE, OTHER, str(status), seconds)
    counters.add_request(*answer)
    if activity.isEnabledFor(logging.INFO):
        log_request(answer, path=None, user_id=None, client=client, size=size)


def log_request(
    answer: Answer,
    *,
    path: str | None,
    user_id: int | None,
    client: str | None,
    size: int | None,
) -> None:
    """Log a request: `path` without secrets, `size` the bytes of the body, None for a stream."""
    milliseconds = round(answer.seconds * 1000, 1)
    fields = {
        "method": answer.method,
        "route": answer.route,
        "path": path,
        "status": int(answer.status),
        "ms": milliseconds,
        "user_id": user_id,
        "client": client,
        "bytes": size,
    }
    who = f"user {user_id} at {client}" if user_id is not None else client
    words = (answer.method, path, answer.status, milliseconds, "?" if size is None else size, who)
    extra = {"event": "request", "fields": fields}
    activity.info("%s %s %s, %s ms, %s bytes, %s", *words, extra=extra)

"""Counts each request by its route, method, status and time."""

from collections.abc import Callable, Iterable
from time import perf_counter
from typing import Any

from quire.monitoring.counters import counters

CONTEXT_KEY = "quire.request_context"
"""Where the WSGI environment says which request context of Flask a request got."""
ROUTE_KEY = "quire.route"
"""Where it says which route was answered, when Flask has not looked at the request."""
NO_ROUTE = "none"
"""The route of what leads nowhere: paths themselves would be labels without end."""
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER = "other"


def route_of(environ: dict[str, Any]) -> str:
    """The route that Flask has found for a request, NO_ROUTE where there is none."""
    context = environ.get(CONTEXT_KEY)
    rule = None if context is None else context.request.url_rule
    return NO_ROUTE if rule is None else str(rule.rule)


class RequestRecorder:
    """A WSGI application around another one, whose requests it counts."""

    def __init__(self, inner: Callable[..., Iterable[bytes]]):
        self._inner = inner

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer a request; the time counts until the answer begins."""
        began, status = perf_counter(), "500"

        def note(line: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            nonlocal status
            status = line[:3]
            return start_response(line, headers, *error)

        try:
            return self._inner(environ, note)
        finally:
            route = environ.get(ROUTE_KEY) or route_of(environ)
            environ.pop(CONTEXT_KEY, None)  # or each request would refer to itself
            method = environ["REQUEST_METHOD"]
            counters.add_request(
                route,
                method if method in METHODS else OTHER,
                status,
                perf_counter() - began,
            )

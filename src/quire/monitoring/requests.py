"""Counts each request by its route, method, status and time."""

from collections.abc import Callable, Iterable
from time import perf_counter
from typing import Any

from quire.monitoring.counters import counters

CONTEXT_KEY = "quire.request_context"
"""Where the WSGI environment says which request context of Flask a request got."""
NO_ROUTE = "none"
"""The route of what leads nowhere: paths themselves would be labels without end."""
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER = "other"


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
            context = environ.pop(CONTEXT_KEY, None)  # or each request would refer to itself
            rule = None if context is None else context.request.url_rule
            method = environ["REQUEST_METHOD"]
            counters.add_request(
                NO_ROUTE if rule is None else rule.rule,
                method if method in METHODS else OTHER,
                status,
                perf_counter() - began,
            )

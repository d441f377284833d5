"""Headers of responses to requests that use deprecated parts of the API (RFC 9745, RFC 8594)."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from flask import Request, Response

from quire.declare.deprecation import Deprecation
from quire.declare.record import Record
from quire.web.current import current_application, current_globals, current_request

_LISTS = ("fields", "sort", "include")


def add_deprecation(response: Response) -> Response:
    """Add headers for the deprecated part this request used; of several, the one removed first."""
    request = current_request()
    view = current_application().view_functions.get(request.endpoint or "")
    resource = getattr(view, "view_class", None)
    used = list(_deprecations_in(request, resource))
    if used:
        first = min(used, key=lambda one: (one.sunset or date.max, one.since))
        for name, value in first.headers.items():
            before = response.headers.get(name)
            response.headers[name] = f"{before}, {value}" if before else value
    return response


def _deprecations_in(request: Request, resource: Any) -> Iterator[Deprecation]:
    """The deprecations of the resource, action, record type and named fields that the request used."""
    record: Record | None = getattr(resource, "record", None)
    for one in (resource, getattr(resource, "action", None), record):
        deprecation: Deprecation | None = getattr(one, "deprecated", None)
        if deprecation is not None:
            yield deprecation
    fields = [] if record is None else record.deprecated_fields
    names = _names(request) if fields else set()
    yield from (one.deprecated for one in fields if one.deprecated and one.name in names)


def _names(request: Request) -> set[str]:
    """The fields named in the query or body of this request."""
    paths = {name.partition("__")[0] for name in request.args}
    for name in _LISTS:
        paths |= {
            path.lstrip("-") for text in request.args.getlist(name) for path in text.split(",")
        }
    return {path.partition(".")[0] for path in paths} | current_globals().get("body_names", set())

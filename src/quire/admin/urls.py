"""URLs in the panel: of lists, forms and details."""

import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlencode

from flask import url_for

from quire.actor import Actor
from quire.declare.record import REGISTRY, Record
from quire.records.saved_views import EVERYTHING, VIEW

ODD = re.compile(r"[\x00-\x20\x7f\\]")
"""Characters that browsers remove from URLs or replace."""

MATCH = "match"
"""The parameter that says whether all filters must match, or any."""
NO_FILTERS = (VIEW, MATCH, "page", "per_page")
"""Parameters that do not prevent a view from opening as it was saved."""

Pairs = list[tuple[str, str]]
Address = Callable[[Record, int], str | None]


def blueprint_of(record: Record) -> str:
    """The name of the blueprint of this type."""
    return f"admin_{record.path}"


def endpoint(record: Record, view: str = "index_view") -> str:
    """The Flask endpoint of a view of this type."""
    return f"{blueprint_of(record)}.{view}"


def list_url(record: Record, pairs: Iterable[tuple[str, str]] = ()) -> str:
    """The list, with query parameters in their order."""
    query = urlencode([(name, value) for name, value in pairs if value != ""])
    address = url_for(endpoint(record))
    return f"{address}?{query}" if query else address


def narrowed_url(record: Record, pairs: Pairs) -> str:
    """The list with the remaining parameters; the whole list if only a view would be left.

    A URL with nothing but a view opens what the view has saved.
    """
    if any(name not in NO_FILTERS for name, _ in pairs):
        return list_url(record, pairs)
    views = [(VIEW, EVERYTHING) for name, _ in pairs if name == VIEW]
    return list_url(record, [*views, *(p for p in pairs if p[0] not in (VIEW, MATCH))])


def linked_list_url(record: Record, actor: Actor, state: dict[str, Any]) -> str | None:
    """The list that a record opens, if its type has one and this actor can open it."""
    target = record.list_link.target(actor, state) if record.list_link else None
    return None if target is None else list_url(REGISTRY[target[0]], target[1])


def record_url(record: Record, view: str, id: int, **more: Any) -> str:
    """A page about one record: `edit_view`, `details_view`, `delete_view`."""
    return url_for(endpoint(record, view), id=id, **more)


def local_url(address: str | None) -> str | None:
    """`address` if it is a path in this panel, otherwise None, so that no redirect leaves it."""
    if not address:
        return None
    return address if address.startswith("/admin/") and not ODD.search(address) else None


def address_for(actor: Actor) -> Address:
    """A function that returns the URL of a details page, or None for those without access to the panel."""

    def address(record: Record, id: int) -> str | None:
        if record.allows(actor, "panel") is not True:
            return None
        return record_url(record, "details_view", id)

    return address


def lookup_url(record: Record, name: str) -> str:
    """The URL that the picker of the field `name` searches."""
    return url_for(endpoint(record, "ajax_lookup"), field=name)

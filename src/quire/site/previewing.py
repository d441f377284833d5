"""What a preview link shows: a record as it will be, in the frame that readers will see it in."""

from typing import Any

from flask import Response

from quire.access.previews import ENDED, QUIET, opened
from quire.declare.record import Record
from quire.errors import Missing
from quire.records import PAGES, POSTS
from quire.site.looks import show
from quire.site.names import names_of
from quire.store import drafting
from quire.store.pictures import picture_of

TEMPLATES = {POSTS.path: ("post.html", "post"), PAGES.path: ("page.html", "page")}
"""The template of each type that has its own, and what it calls the record."""


def _html(record: Record, found: dict[str, Any]) -> list[str]:
    """The texts of a record of any type, as they will be shown."""
    return [found[one.name] for one in record.fields if one.kind.widget == "html"]


def preview(token: str) -> Response:
    """The record behind a link. Raises Missing for a link that has ended."""
    record, id = opened(token)
    template, name = TEMPLATES.get(record.path, ("prospect.html", "record"))
    try:
        found = drafting.as_it_will_be(record, id)
    except Missing:
        raise Missing(ENDED, headers=QUIET) from None
    shown: dict[str, Any] = {name: found, "preview": True, "closed": True}
    if name == "record":
        shown |= {"title": found[record.title], "html": _html(record, found)}
    shown["cover"] = picture_of(found.get("cover"))
    response = show(template, names=names_of([found.get("author")]), **shown)
    response.headers.update(QUIET)
    return response

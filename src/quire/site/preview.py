"""What a preview link shows: a record as it will be, in the frame that readers will see it in."""

from typing import Any

from flask import Response

from quire.auth.preview_links import EXPIRED_MESSAGE, PRIVATE_HEADERS, resolve
from quire.declare.record import Record
from quire.errors import NotFound
from quire.records import PAGES, POSTS
from quire.records.images import image_of
from quire.site.display_names import display_names
from quire.site.page import render_page
from quire.store import draft_service

TEMPLATES = {POSTS.path: ("post.html", "post"), PAGES.path: ("page.html", "page")}
"""The template of each type that has its own, and what it calls the record."""


def _html(record: Record, state: dict[str, Any]) -> list[str]:
    """The texts of a record of any type, as they will be shown."""
    return [state[one.name] for one in record.fields if one.kind.widget == "html"]


def preview(token: str) -> Response:
    """The record behind a link. Raises NotFound for a link that has ended."""
    record, id = resolve(token)
    template, name = TEMPLATES.get(record.path, ("preview_generic.html", "record"))
    try:
        state = draft_service.preview_state(record, id)
    except NotFound:
        raise NotFound(EXPIRED_MESSAGE, headers=PRIVATE_HEADERS) from None
    context: dict[str, Any] = {name: state, "preview": True, "closed": True}
    if name == "record":
        context |= {"title": state[record.title_field], "html": _html(record, state)}
    context["cover"] = image_of(state.get("cover"))
    response = render_page(template, names=display_names([state.get("author")]), **context)
    response.headers.update(PRIVATE_HEADERS)
    return response

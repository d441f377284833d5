"""The page behind a preview link: a record with its draft, as readers will see it."""

from typing import Any

from flask import Response

from quire.auth.preview_links import EXPIRED_MESSAGE, PRIVATE_HEADERS, resolve
from quire.declare.record import Record
from quire.errors import NotFound
from quire.records import PAGES, POSTS
from quire.records.image_references import image_of
from quire.site.display_names import display_names
from quire.site.page import render_page
from quire.store.drafts import draft_service

TEMPLATES = {POSTS.path: ("post.html", "post"), PAGES.path: ("page.html", "page")}
"""Types with their own template, and the name of the record in it."""


def _html(record: Record, state: dict[str, Any]) -> list[str]:
    """The rendered texts of a record of any type."""
    return [state[one.name] for one in record.fields if one.kind.widget == "html"]


def preview(token: str) -> Response:
    """The record of a preview link. Raises NotFound for an invalid link."""
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

"""What the command palette finds: records of all searchable types, and new ones to create."""

from flask import jsonify, request, url_for
from flask_admin import expose
from werkzeug.wrappers import Response as AnyResponse

from quire.actor import Actor
from quire.admin.format import record_title
from quire.admin.panel_view import PanelView, panel_actor
from quire.admin.thumbnails import thumbnail_url
from quire.admin.urls import endpoint, linked_list_url, record_url
from quire.declare.query import MAX_SEARCH, Query
from quire.declare.record import REGISTRY, Record
from quire.declare.value_kinds import is_printable
from quire.records import SAVED_VIEWS
from quire.store import read
from quire.store.search_suggestions import Suggestion, suggestions
from quire.web.language import gettext, noun

LIMIT = 4
"""The maximum number of records of one type that are suggested."""
MAX_VIEWS = 100

Entries = list[dict[str, str]]


class PaletteView(PanelView):
    """Suggestions for the palette, as JSON; it takes the entries of the menu from the page."""

    def __init__(self) -> None:
        super().__init__(name="Search everything", endpoint="palette", url="palette")

    def is_visible(self) -> bool:
        """It is opened with a key or a button, not from the menu."""
        return False

    @expose("/")
    def index(self) -> AnyResponse:
        """Records that match `q`, as label, hint, url and image; without `q`, what can be created, and
        saved views."""
        actor = panel_actor()
        text = request.args.get("q", "").strip()[:MAX_SEARCH]
        if not text or not is_printable(text):
            return jsonify(results=[*_creations(actor), *_views(actor)])
        hits = suggestions(_searchable_types(actor), actor, text, LIMIT)
        return jsonify(results=[_suggestion(actor, one) for one in hits])


def _creations(actor: Actor) -> Entries:
    records = (one for one in REGISTRY.values() if one.allows(actor, "create") is not False)
    return [
        {
            "label": gettext("New %(noun)s", noun=gettext(record.noun)),
            "hint": gettext("Action"),
            "url": url_for(endpoint(record, "create_view")),
        }
        for record in records
        if record.allows(actor, "panel") is not False and not record.singleton
    ]


def _views(actor: Actor) -> Entries:
    """The saved views that the actor may open, each as its list."""
    fields = ("type", "name", "slug", "owner", "shared_with")
    query = Query(sort=("name",), fields=fields, per_page=MAX_VIEWS, count=False)
    views = read.list_records(SAVED_VIEWS, actor, query).rows
    return [
        {
            "label": view["name"],
            "hint": gettext("View of %(plural)s", plural=noun(record.plural_noun)),
            "url": url,
        }
        for view in views
        if (url := linked_list_url(SAVED_VIEWS, actor, view))
        and (record := REGISTRY[view["type"]]).allows(actor, "panel") is not False
    ]


def _searchable_types(actor: Actor) -> list[Record]:
    """The searchable types that this actor sees in the panel."""
    return [
        record
        for record in REGISTRY.values()
        if record.search_fields and not record.singleton
        and record.allows(actor, "panel") is not False
    ]  # fmt: skip


def _suggestion(actor: Actor, hit: Suggestion) -> dict[str, str]:
    record = REGISTRY[hit.type]
    page = "details_view" if record.allows(actor, "update") is False else "edit_view"
    image = thumbnail_url({"url": hit.url})
    suggestion = {
        "label": record_title(record, {"id": hit.id, record.title_field: hit.title}),
        "hint": gettext(record.singular),
        "url": record_url(record, page, hit.id),
    }
    return suggestion if image is None else {**suggestion, "image": image}

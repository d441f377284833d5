"""The history page of a record: its revisions, a word-by-word comparison of two, restoring one."""

from types import SimpleNamespace
from typing import Any

import orjson
from flask import flash, redirect, request, url_for
from flask_admin import expose
from werkzeug.wrappers import Response as AnyResponse

from quire.actor import Actor
from quire.admin.format import cell_html, record_title, size
from quire.admin.local_time import format_moment
from quire.admin.panel_view import PanelView, panel_actor
from quire.admin.past_tense import past_tense
from quire.admin.queries import find, parse_id
from quire.admin.record_history import actor_name, history_query
from quire.admin.urls import endpoint, record_url
from quire.declare.record import REGISTRY, Record
from quire.declare.rules import requires
from quire.errors import NotFound, PermissionDenied, ValidationFailed
from quire.store import read
from quire.store.history import revision_service
from quire.store.permissions import may
from quire.web.language import gettext

CONTEXT = 160
"""The number of characters of unchanged text shown around a change."""


def size_in_words(data: dict[str, Any]) -> str:
    """The size of a revision."""
    count = len(orjson.dumps(data))
    return f"{count} B" if count < 1024 else str(size(count))


def abridge(parts: list[dict[str, str]]) -> list[dict[str, str]]:
    """The parts of a difference, with unchanged text shortened to the words around the changes."""
    last = len(parts) - 1
    return [
        {**part, "text": _shorten_context(part["text"], place > 0, place < last)}
        if part["op"] == "equal"
        else part
        for place, part in enumerate(parts)
    ]


def _shorten_context(text: str, follows: bool, precedes: bool) -> str:
    room = CONTEXT * (follows + precedes)
    if len(text) <= room + CONTEXT:
        return text
    start = text[:CONTEXT].rpartition(" ")[0] if follows else ""
    rest = text[-CONTEXT:].partition(" ")[2] if precedes else ""
    return f"{start} … {rest}"


def difference(record: Record, one: dict[str, Any]) -> Any:
    """The old and the new value of a field, from a comparison of the store: words of a text, or both values."""
    field = record.field(one["field"])
    if "parts" in one:
        return SimpleNamespace(label=gettext(field.label), parts=abridge(one["parts"]))
    before, after = (cell_html(field, one[name]) for name in ("before", "after"))
    return SimpleNamespace(label=gettext(field.label), parts=None, before=before, after=after)


class RevisionsMixin(PanelView):
    """The part of a record's view that shows and restores revisions."""

    record: Record

    def _editable_record(self) -> tuple[Actor, dict[str, Any]]:
        actor, record = panel_actor(), self.record
        state = find(record, actor, parse_id(request.values.get("id")))
        if not (record.is_versioned and record.history):
            raise NotFound
        if not may(record, actor, "update", state["id"]):
            raise PermissionDenied(requires(record.access.update.message()))
        return actor, state

    @expose("/history/")
    def history_view(self) -> str:
        """The revisions; with `from` and `to`, the differences between the two."""
        actor, state = self._editable_record()
        record, id = self.record, state["id"]
        number = parse_id(request.args.get("page", "1")) or 1
        page = read.list_records(
            REGISTRY["revisions"], actor.as_system(), history_query(record, id, number)
        )
        compared = self._comparison(actor, id)
        return self.render(
            "quire_admin/history.html",
            heading=gettext("Revisions of “%(title)s”", title=record_title(record, state)),
            crumbs=[(gettext(record.label), url_for(endpoint(record)))],
            rows=[self._row(id, state, row) for row in page.rows],
            newer=self._page_url(id, number - 1) if page.has_prev else None,
            older=self._page_url(id, number + 1) if page.has_next else None,
            compared=compared,
            id=id,
            version=state["version"],
            restore_url=url_for(endpoint(record, "restore_view")),
            trashed=bool(state.get("deleted_at")),
        )

    def _page_url(self, id: int, page: int) -> str:
        return record_url(self.record, "history_view", id, page=page)

    def _row(self, id: int, state: dict[str, Any], row: dict[str, Any]) -> Any:
        number = row["version"]
        range_of_versions = {"from": number, "to": state["version"]}
        return SimpleNamespace(
            version=number,
            what=past_tense(row["action"]).capitalize(),
            who=actor_name(row["actor"]),
            when=format_moment(row["created_at"]),
            size=size_in_words(row["data"]),
            is_present=number == state["version"],
            compare_url=record_url(self.record, "history_view", id, **range_of_versions),
        )

    def _comparison(self, actor: Actor, id: int) -> Any:
        if "from" not in request.args:
            return None
        first, second = (parse_id(request.args.get(name)) for name in ("from", "to"))
        comparison = revision_service.compare_revisions(self.record, actor, id, first, second)
        fields = [difference(self.record, one) for one in comparison["fields"]]
        return SimpleNamespace(first=first, second=second, fields=fields)

    @expose("/restore/", methods=("POST",))
    def restore_view(self) -> str | AnyResponse:
        """Restore the record to an old revision."""
        actor, state = self._editable_record()
        record, id = self.record, state["id"]
        number = parse_id(request.form.get("restore"))
        skip = "skip_missing" in request.form
        base = parse_id(request.form.get("version"))
        try:
            revision_service.restore(
                record, actor, id, number, {}, skip_missing=skip, based_on=base
            )
        except ValidationFailed as invalid:
            if any(one["code"] != "not_found" for one in invalid.details) or skip:
                raise
            return self._ask_without(state, number, invalid)
        flash(gettext("Revision %(number)s restored.", number=number), "success")
        return redirect(record_url(record, "history_view", id))

    def _ask_without(self, state: dict[str, Any], number: int, invalid: ValidationFailed) -> str:
        back = record_url(self.record, "history_view", state["id"])
        names = ("id", "version", "restore")
        confirm = {
            "question": gettext(
                "Revision %(number)s refers to records that no longer exist:", number=number
            ),
            "names": [one["message"] for one in invalid.details],
            "consequence": gettext("You can restore the rest without them."),
            "url": url_for(endpoint(self.record, "restore_view")),
            "fields": [(n, request.form[n]) for n in names] + [("skip_missing", "1")],
            "label": gettext("Restore without them"),
            "back": back,
        }
        heading = gettext("Restore revision %(number)s?", number=number)
        return self.render("quire_admin/confirm.html", heading=heading, crumbs=[], confirm=confirm)

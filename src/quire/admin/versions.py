"""The history page of a record: its versions, two of them compared word by word, one restored."""

from types import SimpleNamespace
from typing import Any

import orjson
from flask import flash, redirect, request, url_for
from flask_admin import expose
from werkzeug.wrappers import Response as AnyResponse

from quire.actor import Actor
from quire.admin.addresses import endpoint, record_url
from quire.admin.cells import cell, title_of, when
from quire.admin.gate import Gate, actor_here
from quire.admin.history import name_of, query_of
from quire.admin.rows import find, number_of
from quire.admin.words import past
from quire.declare.record import REGISTRY, Record
from quire.errors import Invalid, Missing, Refused
from quire.store import history, read
from quire.store.permits import may

CONTEXT = 160
"""Characters around a change that are shown of what is equal."""


def size_in_words(data: dict[str, Any]) -> str:
    """How much a revision holds."""
    count = len(orjson.dumps(data))
    return f"{count} B" if count < 1024 else f"{count / 1024:.1f} KB"


def shortened(parts: list[dict[str, str]]) -> list[dict[str, str]]:
    """The parts of a difference, with what is equal cut down to the words around the changes."""
    last = len(parts) - 1
    return [
        {**part, "text": _around(part["text"], place > 0, place < last)}
        if part["op"] == "equal"
        else part
        for place, part in enumerate(parts)
    ]


def _around(text: str, follows: bool, precedes: bool) -> str:
    room = CONTEXT * (follows + precedes)
    if len(text) <= room + CONTEXT:
        return text
    start = text[:CONTEXT].rpartition(" ")[0] if follows else ""
    rest = text[-CONTEXT:].partition(" ")[2] if precedes else ""
    return f"{start} … {rest}"


class Versions(Gate):
    """The part of a record's view that shows and restores versions."""

    record: Record

    def _edited(self) -> tuple[Actor, dict[str, Any]]:
        actor, record = actor_here(), self.record
        state = find(record, actor, number_of(request.values.get("id")))
        if not (record.versioned and record.history):
            raise Missing
        if not may(record, actor, "update", state["id"]):
            raise Refused(f"This needs {record.access.update.words}.")
        return actor, state

    @expose("/history/")
    def history_view(self) -> str:
        """The versions; with `from` and `to`, what differs between two of them."""
        actor, state = self._edited()
        record, id = self.record, state["id"]
        number = number_of(request.args.get("page", "1")) or 1
        page = read.page(REGISTRY["revisions"], actor.as_system(), query_of(record, id, number))
        compared = self._compared(actor, id)
        return self.render(
            "quire_admin/history.html",
            heading=f"History of “{title_of(record, state)}”",
            crumbs=[(record.label, url_for(endpoint(record)))],
            rows=[self._row(id, state, row) for row in page.rows],
            newer=self._at(id, number - 1) if page.has_prev else None,
            older=self._at(id, number + 1) if page.has_next else None,
            compared=compared,
            id=id,
            version=state["version"],
            restore_url=url_for(endpoint(record, "restore_view")),
            trashed=bool(state.get("deleted_at")),
        )

    def _at(self, id: int, page: int) -> str:
        return record_url(self.record, "history_view", id, page=page)

    def _row(self, id: int, state: dict[str, Any], row: dict[str, Any]) -> Any:
        number = row["version"]
        here = {"from": number, "to": state["version"]}
        return SimpleNamespace(
            version=number,
            what=past(row["action"]).capitalize(),
            who=name_of(row["actor"]),
            when=when(row["created_at"]),
            size=size_in_words(row["data"]),
            is_present=number == state["version"],
            compare_url=record_url(self.record, "history_view", id, **here),
        )

    def _compared(self, actor: Actor, id: int) -> Any:
        if "from" not in request.args:
            return None
        first, second = (number_of(request.args.get(name)) for name in ("from", "to"))
        found = history.compared(self.record, actor, id, first, second)
        fields = [self._difference(one) for one in found["fields"]]
        return SimpleNamespace(first=first, second=second, fields=fields)

    def _difference(self, one: dict[str, Any]) -> Any:
        field = self.record.field(one["field"])
        if "parts" in one:
            return SimpleNamespace(label=field.label, parts=shortened(one["parts"]))
        before, after = (cell(field, one[name], _nowhere) for name in ("before", "after"))
        return SimpleNamespace(label=field.label, parts=None, before=before, after=after)

    @expose("/restore/", methods=("POST",))
    def restore_view(self) -> str | AnyResponse:
        """Give the record the values of an old version."""
        actor, state = self._edited()
        record, id = self.record, state["id"]
        number = number_of(request.form.get("restore"))
        skip = "skip_missing" in request.form
        base = number_of(request.form.get("version"))
        try:
            history.restore(record, actor, id, number, {}, skip_missing=skip, based_on=base)
        except Invalid as invalid:
            if any(one["code"] != "not_found" for one in invalid.details) or skip:
                raise
            return self._ask_without(state, number, invalid)
        flash(f"Version {number} is restored.", "success")
        return redirect(record_url(record, "history_view", id))

    def _ask_without(self, state: dict[str, Any], number: int, invalid: Invalid) -> str:
        back = record_url(self.record, "history_view", state["id"])
        names = ("id", "version", "restore")
        confirm = {
            "question": f"Version {number} refers to what is gone.",
            "names": [one["message"] for one in invalid.details],
            "consequence": "It can be restored without that.",
            "url": url_for(endpoint(self.record, "restore_view")),
            "fields": [(n, request.form[n]) for n in names] + [("skip_missing", "1")],
            "label": "Restore without it",
            "back": back,
        }
        heading = f"Restore version {number}?"
        return self.render("quire_admin/confirm.html", heading=heading, crumbs=[], confirm=confirm)


def _nowhere(record: Record, id: int) -> None:
    return None

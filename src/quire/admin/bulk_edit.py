"""Edits one field of many rows: the field, the value, a dry run that counts refusals, and the change."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from quire.actor import Actor
from quire.admin.action_views import SELECTED, sent_ids
from quire.admin.actions import EDIT, editable_in_bulk
from quire.admin.form.fields import RecordForm
from quire.admin.list.matching import MatchingRows
from quire.admin.panel_view import PanelView
from quire.admin.refusals import refusal_messages
from quire.admin.results import result_message
from quire.admin.urls import Pairs, endpoint, local_url, lookup_url
from quire.declare.record import Record
from quire.declare.results import nouns_of
from quire.errors import Problem
from quire.store import bulk
from quire.store.history.undoable_batches import ACTION, count
from quire.translations.messages import Message
from quire.web.language import gettext, translate
from quire.web.threads import blocking
from quire.web.time_zone import INPUT, form_zone, zone_name

ACCEPTED = Message(
    "%(count)s %(noun)s will be changed.", "%(count)s %(nouns)s will be changed.",
    count=0, noun="", nouns="",
)  # fmt: skip
CHANGE = Message(
    "Change %(count)s %(noun)s", "Change %(count)s %(nouns)s", count=0, noun="", nouns=""
)


@dataclass(frozen=True)
class Rows:
    """The rows that are edited: the hidden fields that name them, their description, and a note on those left out."""

    ids: list[int]
    pairs: Pairs
    question: str
    rest_message: str = ""


@dataclass
class Outcome:
    """How many rows were changed, or would be; why others are refused; the batch of the change."""

    accepted: int
    refused: dict[int, Problem]
    batch: int | None = None


class BulkEdit:
    """A field, and the value to set in many rows."""

    def __init__(self, record: Record, actor: Actor, ids: list[int]):
        self._record, self._actor, self._ids = record, actor, ids
        self._form = RecordForm(
            record, actor, creating=False, lookup_url=partial(lookup_url, record)
        )
        self.choices = {one.name: gettext(one.label) for one in editable_in_bulk(record, actor)}
        name = request.form.get("field", "")
        self.name = name if name in self.choices else ""
        self.is_sent = bool(self.name) and bool({"check", "confirmed"} & {*request.form})
        if self.is_sent:
            self._form.take(request.form)
        else:
            self._form.fill({})

    @property
    def input(self) -> Any:
        """The control of the field."""
        return self._form.form[self.name]

    def run(self, *, dry_run: bool) -> Outcome:
        """Change the rows one by one, as one batch; or try it, and write nothing."""
        data = {self.name: self._form.value(self.name)}
        operations = [bulk.Operation("update", id, data=data) for id in self._ids]
        options = bulk.BulkOptions(atomic=False, dry_run=dry_run, kind=ACTION)
        with blocking():  # it takes seconds, so other threads answer other requests meanwhile
            results, batch = bulk.run(self._record, self._actor, operations, options)
        pairs = zip(self._ids, results, strict=True)
        refused = {id: one.problem for id, one in pairs if one.problem is not None}
        accepted = sum(one.changed for one in results if one.problem is None)
        return Outcome(accepted, refused, batch)


class BulkEditMixin(PanelView):
    """The part of a record's view that edits a field of many rows."""

    record: Record
    _crumbs: Any
    _progress: Any

    def edit_many(self, actor: Actor, back: str) -> str | AnyResponse:
        """Ask for the field and its value, show the outcome of a dry run, and change the rows."""
        rows = self._rows(actor, back)
        if not rows.ids:
            flash(gettext("Select at least one record first."), "warning")
            return redirect(back)
        edit = BulkEdit(self.record, actor, rows.ids)
        if edit.is_sent and "confirmed" in request.form:
            return self._change(actor, edit, rows, back)
        return self._edit_page(actor, edit, rows, back)

    def _rows(self, actor: Actor, back: str) -> Rows:
        """The selected rows, or all rows of the list."""
        record = self.record
        if request.form.get("matching"):
            address = local_url(request.form.get("list")) or back
            matching = MatchingRows(record, actor, address)
            matching.choice(EDIT)
            pairs = [("matching", "1"), ("list", address)]
            return Rows(matching.ids(), pairs, matching.question, matching.rest_message)
        ids = sent_ids()
        question = translate(SELECTED.with_values(count=len(ids), **nouns_of(record)))
        return Rows(ids, [("rowid", str(id)) for id in ids], question)

    def _edit_page(self, actor: Actor, edit: BulkEdit, rows: Rows, back: str) -> str:
        outcome = edit.run(dry_run=True) if edit.is_sent else None
        numbers = {"count": outcome.accepted if outcome else 0, **nouns_of(self.record)}
        page = {
            "edit": edit,
            "question": rows.question,
            "pairs": [
                *rows.pairs,
                ("action", EDIT),
                ("url", back),
                (INPUT, zone_name(form_zone())),
            ],
            "url": url_for(endpoint(self.record, "action_view")),
            "outcome": translate(ACCEPTED.with_values(**numbers)) if outcome else "",
            "change": translate(CHANGE.with_values(**numbers)) if numbers["count"] else "",
            "refusals": self._refusals(actor, outcome) if outcome else [],
            "back": back,
            "progress": self._progress(actor, len(rows.ids)),
        }
        heading = gettext("Edit a field")
        crumbs = self._crumbs()
        return self.render("quire_admin/bulk_edit.html", heading=heading, crumbs=crumbs, page=page)

    def _refusals(self, actor: Actor, outcome: Outcome) -> list[str]:
        return refusal_messages(self.record, actor, outcome.refused)

    def _change(self, actor: Actor, edit: BulkEdit, rows: Rows, back: str) -> AnyResponse:
        outcome = edit.run(dry_run=False)
        if outcome.accepted or not outcome.refused:
            changed = count(outcome.batch) if outcome.batch else 0
            can_be_undone = outcome.batch and self.record.history
            category = f"undo {outcome.batch}" if can_be_undone else "success"
            flash(result_message(self.record, "update", changed), category)
        for why in self._refusals(actor, outcome):
            flash(why, "error")
        if rows.rest_message:
            flash(rows.rest_message, "warning")
        return redirect(back)

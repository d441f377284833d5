"""Edits one cell of a list in place: merged like a form with one field."""

from typing import Any

from flask import jsonify, request
from flask_admin import expose
from werkzeug.wrappers import Response as AnyResponse

from quire.actor import Actor
from quire.admin.form.fields import RecordForm, settable_fields
from quire.admin.form.merge import FormSnapshot, State, merge, with_retries
from quire.admin.format import cell_html
from quire.admin.list.cells import Cells
from quire.admin.panel_view import PanelView, panel_actor
from quire.admin.queries import find, parse_id
from quire.declare.fields import Field
from quire.declare.record import Record
from quire.declare.text_values import decode_value, encode_value
from quire.errors import PermissionDenied, VersionConflict
from quire.store import write
from quire.store.db import transaction
from quire.store.history.undoable_batches import ACTION, change_of, store_batch
from quire.translations.messages import Message


class InlineEditMixin(PanelView):
    """The part of a record's view that saves a cell."""

    record: Record

    @expose("/ajax/update/", methods=("POST",))
    def ajax_update(self) -> AnyResponse:
        """Save one cell: field, value, and its original text (`base`) or the version it was read at."""
        actor, record = panel_actor(), self.record
        id = find(record, actor, parse_id(request.form.get("id")))["id"]
        fields = {one.name: one for one in settable_fields(record, actor, creating=False)}
        field = fields.get(request.form.get("field", ""))
        if field is None:
            raise PermissionDenied("This field cannot be edited here.")
        batch = with_retries(lambda: self._save_cell(actor, field, id))
        state = find(record, actor, id)
        value = state.get(field.name)
        return jsonify(
            html=str(Cells(record, actor, []).html(field, value)) or "–",
            raw=_raw(encode_value(field, value)),
            version=state.get("version"),
            batch=batch,
        )

    def _save_cell(self, actor: Actor, field: Field, id: int) -> int | None:
        """Save what was typed; return the batch by which it can be undone."""
        record, name = self.record, field.name
        state = find(record, actor, id)
        form = RecordForm(record, actor, creating=False)
        typed, stored = _text(field, "value"), form.texts_of(state)
        texts_before = FormSnapshot(record, form, state, None).initial_texts
        if "base" in request.form:
            texts_before[name] = _text(field, "base")
        merged = merge({name: field}, texts_before, {name: typed}, stored)
        if merged.conflicts:
            raise _conflict(field, state, stored[name])
        value = decode_value(field, merged.texts[name], creating=False)
        with transaction() as connection:
            saved = write.update(record, actor, id, {name: value}, version=state.get("version"))
            change = change_of(0, "update", record, id, saved) if record.history else None
            return store_batch(connection, actor, ACTION, [change] if change else [])


def _text(field: Field, parameter: str) -> Any:
    text = request.form.get(parameter, "")
    return text == "true" if field.kind.widget == "checkbox" else text


def _raw(text: Any) -> Any:
    return str(text).lower() if isinstance(text, bool) else text


def _conflict(field: Field, state: State, stored: Any) -> VersionConflict:
    is_moment = field.kind.name == "time"
    text = cell_html(field, state.get(field.name), full=is_moment).striptags() or "–"
    return VersionConflict(
        Message(
            "Someone else has changed this to “%(value)s”. Save again to replace it.", value=text
        ),
        extra={
            "conflict": field.name,
            "current_version": state.get("version"),
            "changed_fields": [field.name],
            "raw": _raw(stored),
        },
    )

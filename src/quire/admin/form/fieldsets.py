"""Arranges the fields of a form: title and long texts in the wide column, the rest in fieldsets."""

from dataclasses import dataclass
from typing import Any

from quire.admin.form.fields import RecordForm
from quire.declare.fields import Field
from quire.declare.fieldsets import DETAILS, PUBLISHING, Fieldset
from quire.declare.record import Record
from quire.declare.text_values import BIG_WIDGETS


@dataclass(frozen=True)
class Section:
    """A fieldset of a form, collapsed if all of it is empty."""

    title: str
    fields: list[Any]
    open: bool


def has_long_text(form: RecordForm) -> bool:
    """Whether the form has two columns: a long text, and fields about it."""
    return any(one.kind.widget in BIG_WIDGETS for one in form.declared.values())


def main_fields(form: RecordForm) -> list[Any]:
    """The fields of the wide column; in a form with one column, all fields that are in no fieldset."""
    two_columns = has_long_text(form)
    return [
        form.form[name]
        for name, field in form.declared.items()
        if (_is_main(form.record, field) if two_columns else field.fieldset is None)
    ]


def _is_main(record: Record, field: Field) -> bool:
    return field.fieldset is None and (
        field.kind.widget in BIG_WIDGETS or field.name == record.title_field
    )


def sections(form: RecordForm, placement: str) -> list[Section]:
    """The fieldsets of a column: publication dates first, rarely used ones last."""
    two_columns = has_long_text(form)
    fields_of: dict[Fieldset, list[Any]] = {}
    for name, field in form.declared.items():
        fieldset = _fieldset(form.record, field) if two_columns else field.fieldset
        if fieldset and placement == (fieldset.placement if two_columns else "main"):
            fields_of.setdefault(fieldset, []).append(form.form[name])
    ordered = sorted(fields_of, key=lambda one: (one.folded, one != PUBLISHING))
    return [_section(fieldset, fields_of[fieldset]) for fieldset in ordered]


def _fieldset(record: Record, field: Field) -> Fieldset | None:
    if field.fieldset or _is_main(record, field):
        return field.fieldset
    return PUBLISHING if any(field.column is one for one in _schedule(record)) else DETAILS


def _schedule(record: Record) -> list[Any]:
    return [record.model.__mapper__.columns[one.key] for one in record.schedule_columns]


def _section(fieldset: Fieldset, fields: list[Any]) -> Section:
    filled = any(one.data or one.errors for one in fields)
    return Section(fieldset.title, fields, filled or not fieldset.folded)

"""Finds problems in the declaration of a record type on its creation."""

from typing import Any

from quire.actor import NO_SCOPES
from quire.declare.rules import NOBODY


def find_problems(record: Any) -> list[str]:
    """Return the problems of this declaration, as sentences."""
    problems = []
    if len(record.fields_by_name) != len(record.fields):
        problems.append("a field is listed twice")
    if "id" not in record.fields_by_name:
        problems.append("the field id is not listed")
    if record.access.read is NOBODY:
        problems.append("nobody may read it")
    if record.drafts and not (record.is_versioned and record.public_path):
        problems.append("a draft needs a version it is based on, and a page to be seen on")
    scoped_fields = [f.name for f in record.fields if f.read_rule.scopes != NO_SCOPES]
    problems += [f"who sees {name} depends on scopes" for name in scoped_fields]
    unsteady = [f.name for f in record.fields if not f.write_rule.cacheable]
    problems += [f"who may set {name} depends on more than the role" for name in unsteady]
    field_names = set(record.fields_by_name)
    order = {name.lstrip("-") for name in record.order}
    references = {record.key, record.title_field, *record.reference_fields, *order}
    problems += [f"{name} is not a listed field" for name in sorted(references - field_names)]
    return problems + _missing_for_moderation(record) + _unfillable_columns(record)


def _missing_for_moderation(record: Any) -> list[str]:
    if record.moderation is None:
        return []
    actions = {one.name for one in record.actions}
    missing = [one for one in record.moderation.actions if one not in actions]
    missing += [one for one in record.moderation.fields if one not in record.fields_by_name]
    return [f"its moderation needs {name}" for name in missing]


def _unfillable_columns(record: Any) -> list[str]:
    if record.access.create is NOBODY:
        return []
    filled = {
        f.column.key
        for f in record.fields
        if f.column is not None and (f.on_create or f.has_default or f.computed)
    }
    return [
        f"{column.key} is required, but nothing sets it"
        for column in record.model.__mapper__.columns
        if not (column.nullable or column.default or column.primary_key or column.computed)
        and column.server_default is None
        and column.key not in filled
    ]

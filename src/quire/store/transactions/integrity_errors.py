"""Turns violated constraints of the database into conflicts that name the field."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import IntegrityError

from quire.declare.record import Record
from quire.errors import Conflict, detail
from quire.translations.messages import Message


@contextmanager
def translate_integrity_errors(record: Record) -> Iterator[None]:
    """Turn violated constraints into conflicts that name the field."""
    try:
        yield
    except IntegrityError as error:
        raise _conflict(record, error) from None


def _conflict(record: Record, error: IntegrityError) -> Conflict:
    fields_by_name = record.fields_by_name
    candidates = (
        fields_by_name.get(one) or fields_by_name.get(one.removesuffix("_id"))
        for one in _conflicting_columns(record, error)
    )
    fields = [one for one in candidates if one is not None]
    if not fields:
        return Conflict(
            Message(
                "This %(noun)s is still in use, or refers to something that no longer exists.",
                noun=Message(record.noun),
            )
        )
    message = Message("This %(noun)s already exists.", noun=Message(record.noun))
    if len(fields) == 1:
        message = Message("%(label)s is already taken.", label=Message(fields[0].label))
    details = [detail(one.name, "duplicate", message) for one in fields]
    return Conflict(message, code="duplicate", details=details)


def _conflicting_columns(record: Record, error: IntegrityError) -> list[str]:
    """The columns of a violated unique constraint: SQLite names them, PostgreSQL the constraint."""
    rule = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
    unique = {one.name: one.columns.keys() for one in record.table.indexes if one.unique}
    prefix = f"uq_{record.table.name}_"
    if rule is None:
        match = re.search(r"UNIQUE constraint failed: (.+)", str(error.orig))
        names = [one.rpartition(".")[2] for one in match[1].split(", ")] if match else []
    elif rule in unique:
        names = unique[rule]
    else:
        names = [rule.removeprefix(prefix)] if rule.startswith(prefix) else []
    return [one.removesuffix("_folded") for one in names]

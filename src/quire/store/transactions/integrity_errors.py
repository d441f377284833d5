"""Turns violated constraints of the database into conflicts that name the field."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import IntegrityError

from quire.declare.record import Record
from quire.errors import Conflict, detail
from quire.store.db import Model
from quire.translations.messages import Message


@contextmanager
def translate_integrity_errors(record: Record) -> Iterator[None]:
    """Turn violated constraints into conflicts that name the field."""
    try:
        yield
    except IntegrityError as error:
        raise _conflict(record, error) from None


@contextmanager
def refuse_deletion_in_use(record: Record) -> Iterator[None]:
    """Turn a deletion that the database rejects into a conflict that names the fields referring to the record."""
    try:
        yield
    except IntegrityError:
        raise _in_use(record) from None


def _in_use(record: Record) -> Conflict:
    fields = sorted(_restricting_fields(record.table.name))
    message = Message(
        "This %(noun)s is still in use. First change or delete what refers to it: %(fields)s.",
        noun=Message(record.noun),
        fields=", ".join(f"{table} ({name})" for table, name in fields),
    )
    details = [detail(f"{table}.{name}", "not_allowed", message) for table, name in fields]
    return Conflict(message, details=details)


def _restricting_fields(table: str) -> Iterator[tuple[str, str]]:
    """The fields of other types that keep the database from deleting rows of `table`: posts, author."""
    for other in Model.metadata.tables.values():
        for key in other.foreign_keys:
            if key.ondelete == "RESTRICT" and key.column.table.name == table:
                yield other.name, key.parent.name.removesuffix("_id")


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
                "This %(noun)s refers to something that no longer exists.",
                noun=Message(record.noun),
            )
        )
    message = Message("This %(noun)s already exists.", noun=Message(record.noun))
    if len(fields) == 1:
        message = Message("%(label)s is already taken.", label=Message(fields[0].label))
    details = [detail(one.name, "duplicate", message) for one in fields]
    return Conflict(message, code="duplicate", details=details)


def _conflicting_columns(record: Record, error: IntegrityError) -> list[str]:
    """The columns of a violated unique constraint; SQLite names the columns, PostgreSQL the constraint."""
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

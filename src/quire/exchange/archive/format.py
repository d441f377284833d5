"""The format of an archive: a ZIP of NDJSON, one file for each type, and a manifest.

records/posts.ndjson     one record per line, as the API shows it to the program itself
revisions/posts.ndjson   their revisions, in the same order
drafts/posts.ndjson      unpublished changes to these records
files/1c8b...-4f.jpg     the files of media and their variants, named by the last part of their addresses
manifest.json            format, place, and the line count, size and SHA-256 of each file
"""

import hmac
from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from typing import Any

from flask import current_app

from quire.declare.fields import Computed, Field, Secret
from quire.declare.record import REGISTRY, Record, record_of
from quire.declare.rules import NOBODY

FORMAT = "quire archive"
FORMAT_VERSION = 1
MANIFEST = "manifest.json"
IMAGE_FIELDS = ("bytes", "variants", "state")
"""Fields of media that are derived from their files."""
FILE_FIELDS = ("url", "original_name", "sha256", "is_avatar", *IMAGE_FIELDS)
"""Derived fields of media that are exported nevertheless."""


def records_file(record: Record) -> str:
    """The name of the file with the records of a type."""
    return f"records/{record.path}.ndjson"


def revisions_file(record: Record) -> str:
    """The name of the file with the revisions of a type."""
    return f"revisions/{record.path}.ndjson"


def drafts_file(record: Record) -> str:
    """The name of the file with the drafts of a type."""
    return f"drafts/{record.path}.ndjson"


def has_revisions(record: Record) -> bool:
    """Whether records of this type have revisions."""
    return record.is_versioned and record.history


def exported_types() -> list[Record]:
    """The exported types, each after the types it requires."""
    waiting = [record for record in REGISTRY.values() if record.exported]
    ordered: list[Record] = []
    while waiting:
        ready = [
            one
            for one in waiting
            if not _required_targets(one) & _tables(waiting) - {one.table.name}
        ]
        ordered.append(min(ready, key=lambda one: _haste(one, waiting)))
        waiting.remove(ordered[-1])
    return ordered


def _haste(record: Record, waiting: list[Record]) -> tuple[int, int]:
    """Sort key: types with the fewest missing references first, then those that others need most."""
    lacking = {one.target for one in exported_references(record)} & _tables(waiting) - {
        record.table.name
    }
    return len(lacking), -sum(record.table.name in _required_targets(other) for other in waiting)


def _tables(records: Iterable[Record]) -> set[str]:
    return {record.table.name for record in records}


def _required_targets(record: Record) -> set[str]:
    """The tables that a record of this type must refer to, or refers to in lists."""
    return {
        f.target
        for f in exported_fields(record)
        if f.target and (f.many is not None or not f.nullable)
    }


def exported_fields(record: Record) -> list[Field]:
    """The exported fields: those that are stored, not derived from others, and not secret.

    Fields that no interface shows are not exported.
    """
    return [
        one
        for one in record.fields
        if one.readable
        and not isinstance(one, Computed)
        and (one.is_stored or one.many is not None)
        and (
            (not one.computed and (one.read_rule is not NOBODY or one.name == "id"))
            or of_file(record, one)
        )
    ]


@cache
def has_file(record: Record) -> bool:
    """Whether each record of this type has a file."""
    return any(one.kind.widget == "file" for one in record.fields)


def of_file(record: Record, field: Field) -> bool:
    """Whether the field is derived from the file of its record."""
    return field.name in FILE_FIELDS and has_file(record)


def exported_references(record: Record) -> list[Field]:
    """The exported fields that refer to records which are exported too."""
    return [one for one in exported_fields(record) if one.target and record_of(one.target).exported]


def secret_columns(record: Record) -> list[Any]:
    """The columns that are exported only on request."""
    return [one.column for one in record.fields if isinstance(one, Secret)]


def installation_id() -> str:
    """An opaque name for this installation; it stays the same as long as its secret does."""
    key = current_app.config["SECRET_KEY"].encode()
    return hmac.new(key, FORMAT.encode(), sha256).hexdigest()[:32]

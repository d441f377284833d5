"""Publishes a draft: prepares its values before the transaction, and applies them in it."""

from typing import Any

from sqlalchemy import Connection

from quire.actor import Actor
from quire.declare.action import Action
from quire.declare.change import Change
from quire.declare.input_validation import parse
from quire.declare.pydantic_models import PART
from quire.declare.record import Record
from quire.errors import VersionConflict
from quire.store.changes.preconditions import Raw, prepare, stale_record
from quire.store.db import read_connection
from quire.store.drafts.storage import StoredDraft, delete_draft, find_draft
from quire.translations.messages import Message


def prepare_publication(record: Record, actor: Actor, id: int, action: Action) -> dict[str, Any]:
    """The slow preparation of an action that publishes the draft, before the transaction."""
    if not (action.takes_draft and record.drafts):
        return {}
    with read_connection() as connection:
        draft = find_draft(connection, record, id)
    return prepare(record, actor, id, draft.values) if draft else {}


def apply_draft(connection: Connection, change: Change, version: int | None) -> None:
    """Move the values of the draft into the change, and delete the draft.

    `version` is that of the draft, 0 for no draft, None for any. Raises VersionConflict if the draft has
    another version, or is based on an earlier version of the record.
    """
    record, state = change.record, change.state or {}
    draft = find_draft(connection, record, state["id"]) if record.drafts else None
    if version is not None and version != (draft.version if draft else 0):
        raise stale_draft(connection, record, state, draft)
    if draft is None:
        return
    if draft.base_version != state["version"]:
        raise stale_record(connection, record, state, draft.base_version)
    values = parse(record, change.actor, draft.values, form=PART, state=state)
    change.values = {**values, **change.values}
    delete_draft(connection, record, state["id"])


def stale_draft(
    connection: Connection, record: Record, state: Raw, draft: StoredDraft | None
) -> VersionConflict:
    """The error for a change based on a draft other than `draft`, or on one that is gone."""
    if draft is None:
        return stale_record(connection, record, state, -1)
    return VersionConflict(
        Message(
            "This draft has changed since you read it (it is now at version %(version)s).",
            version=draft.version,
        ),
        extra={"current_version": draft.version, "changed_fields": list(draft.values)},
    )

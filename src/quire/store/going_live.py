"""A draft takes the place of what is live: prepared before the transaction, taken over in it."""

from typing import Any

from sqlalchemy import Connection

from quire.actor import Actor
from quire.declare.action import Action
from quire.declare.change import Change
from quire.declare.parse import parse
from quire.declare.pydantic_models import PART
from quire.declare.record import Record
from quire.store import drafts
from quire.store.db import read_connection
from quire.store.preconditions import prepare, stale_draft, stale_record


def prepare_publication(record: Record, actor: Actor, id: int, action: Action) -> dict[str, Any]:
    """What a draft that goes live needs long for."""
    if not (action.takes_draft and record.drafts):
        return {}
    with read_connection() as connection:
        draft = drafts.find_draft(connection, record, id)
    return prepare(record, actor, id, draft.values) if draft else {}


def apply_draft(connection: Connection, change: Change, version: int | None) -> None:
    """Make the draft's values those of the change, and the draft go.

    `version` is that of the draft, 0 where none was there, None for any. Raises VersionConflict when it is
    another one, or was begun on other values than those that are live.
    """
    record, state = change.record, change.state or {}
    draft = drafts.find_draft(connection, record, state["id"]) if record.drafts else None
    if version is not None and version != (draft.version if draft else 0):
        raise stale_draft(connection, record, state, draft)
    if draft is None:
        return
    if draft.base_version != state["version"]:
        raise stale_record(connection, record, state, draft.base_version)
    given = parse(record, change.actor, draft.values, form=PART, state=state)
    change.values = {**given, **change.values}
    drafts.delete_draft(connection, record, state["id"])

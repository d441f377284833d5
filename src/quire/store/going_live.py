"""A draft takes the place of what is live: prepared before the transaction, taken over in it."""

from typing import Any

from sqlalchemy import Connection

from quire.actor import Actor
from quire.declare.change import Change
from quire.declare.parse import parse
from quire.declare.record import Action, Record
from quire.declare.schema import PART
from quire.store import drafts
from quire.store.db import reading
from quire.store.inputs import late, stale


def ahead(record: Record, actor: Actor, id: int, action: Action) -> dict[str, Any]:
    """What a draft that goes live needs long for."""
    if not (action.takes_draft and record.drafts):
        return {}
    with reading() as connection:
        draft = drafts.find(connection, record, id)
    return record.ahead(actor, id, draft.values) if draft else {}


def take(connection: Connection, change: Change, version: int | None) -> None:
    """Make the draft's values those of the change, and the draft go.

    `version` is that of the draft, 0 where none was there, None for any. Raises Stale when it is
    another one, or was begun on other values than those that are live.
    """
    record, state = change.record, change.state or {}
    draft = drafts.find(connection, record, state["id"]) if record.drafts else None
    if version is not None and version != (draft.version if draft else 0):
        raise late(connection, record, state, draft)
    if draft is None:
        return
    if draft.base_version != state["version"]:
        raise stale(connection, record, state, draft.base_version)
    given = parse(record, change.actor, draft.values, form=PART, state=state)
    change.values = {**given, **change.values}
    drafts.forget(connection, record, state["id"])

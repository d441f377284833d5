"""Publishes a draft over a record that has changed in the meantime, if the two changed different fields."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from quire.actor import Actor
from quire.declare.input_validation import is_same_value
from quire.declare.record import Record
from quire.store import revisions
from quire.store.changes import rows
from quire.store.db import transaction
from quire.store.drafts.publication import stale_draft
from quire.store.drafts.storage import StoredDraft, delete_draft, find_draft, store_draft
from quire.store.transactions.retries import retry_conflicts
from quire.store.write import Raw, Saved, act, update


@retry_conflicts
def publish(
    record: Record,
    actor: Actor,
    id: int,
    raw: Raw,
    *,
    version: int | None,
    draft_version: int | None,
    remaining: Collection[str] = (),
) -> Saved:
    """Change the record itself and so replace its draft.

    `draft_version` is the version of the draft that the actor saw, None if there was none; `remaining`
    names the values that stay in the draft. Raises what `update` raises, and VersionConflict if the
    draft has changed since.
    """
    with transaction() as connection:
        saved = update(record, actor, id, raw, version=version)
        draft = find_draft(connection, record, id) if record.drafts else None
        if draft is not None and draft.version != draft_version:
            raise stale_draft(connection, record, saved.state, draft)
        if draft is not None and remaining:
            values = {name: value for name, value in draft.values.items() if name in remaining}
            smaller = replace(draft, version=draft.version + 1, values=values)
            store_draft(connection, record, actor, id, draft, smaller)
        else:
            delete_draft(connection, record, id)
    return saved


@retry_conflicts
def act_on_merged(
    record: Record, actor: Actor, id: int, name: str, *, draft_version: int | None
) -> Saved:
    """Run an action that applies the draft to the current state of the record.

    Raises what `act` raises, and VersionConflict if a field has changed in both since the draft was started.
    """
    with transaction() as connection:
        state = rows.load_for_update(connection, record, actor, id, record.access.update).state
        draft = find_draft(connection, record, id) if record.drafts else None
        if draft is not None and not conflicting_fields(connection, record, state, draft):
            current_draft = replace(draft, base_version=state["version"])
            store_draft(connection, record, actor, id, draft, current_draft)
        return act(record, actor, id, name, draft_version=draft_version)


def conflicting_fields(
    connection: Connection, record: Record, state: Raw, draft: StoredDraft
) -> list[str]:
    """The fields of a draft whose value in the record has changed since the draft was started."""
    base = revisions.data_at(connection, record, state["id"], draft.base_version) or {}
    return [
        name
        for name, value in draft.values.items()
        if not is_same_value(state.get(name), value) and not _is_unchanged(base, name, state)
    ]


def _is_unchanged(base: Raw, name: str, state: Raw) -> bool:
    """Whether a field still has its earlier value; False if that value is unknown."""
    value: Any = state.get(name)
    return name in base and is_same_value(base[name], value)

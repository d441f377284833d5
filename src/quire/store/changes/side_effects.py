"""Writes the side effects of every change in its transaction: audit row, event, revision, search document."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from quire.declare.change import Change
from quire.declare.clock import now, rfc3339
from quire.declare.event_names import past_verb, publication_event
from quire.declare.record import Record
from quire.store import audit, preview_links, revisions
from quire.store.changes import rows
from quire.store.events import outbox
from quire.store.events.publication_schedule import note_schedule
from quire.store.files.usage_in_texts import delete_text_uses, index_texts
from quire.store.search.documents import delete_document, index_records

Difference = tuple[Change, dict[str, Any], list[str]]
"""A change, the state after it, and the fields in which it differs from the one before."""


def record_change(
    connection: Connection, changes: list[Change], states: list[dict[str, Any]]
) -> None:
    """Write the audit row, revision, event and search document of each change that had an effect."""
    record, actor, verb = changes[0].record, changes[0].actor, changes[0].verb
    differences = [
        (change, state, rows.differences(change, state))
        for change, state in zip(changes, states, strict=True)
    ]
    effective = [one for one in differences if one[2] or one[0].state is None]
    if not effective:
        return
    audit.insert_rows(
        connection,
        [
            audit.audit_row(actor, verb, record.path, s["id"], f, s.get("version"))
            for _, s, f in effective
        ],
    )
    moment = now()
    outbox.insert_events(connection, list(_events(record, verb, effective, moment)))
    if record.is_versioned and record.history:
        revisions.insert_revisions(
            connection, [revisions.revision_row(record, actor, verb, s) for _, s, _ in effective]
        )
    index_records(connection, record, [state for _, state, _ in effective])
    for _, state, fields in effective:
        note_schedule(connection, record, fields, state, moment)
    index_texts(connection, effective)
    for change, state, _ in effective:
        for callback in change.after_save_callbacks:
            callback(state)


def _events(
    record: Record, verb: str, differences: list[Difference], moment: datetime
) -> Iterator[dict[str, Any]]:
    """The outbox rows of changes: the action, and whether it published or unpublished the record."""
    event, time = past_verb(record, verb), rfc3339(moment)
    for change, state, fields in differences:
        yield outbox.event_row(record, event, state, fields)
        name = publication_event(record, change.state, state, time)
        if name is not None:
            yield outbox.event_row(record, name, state, [])


def record_removal(connection: Connection, change: Change) -> None:
    """Write the side effects of a deletion: only the audit log and the outbox keep a trace of the record."""
    record, actor, state = change.record, change.actor, change.state or {}
    for callback in change.after_save_callbacks:
        callback(None)
    audit.insert_rows(connection, [audit.audit_row(actor, "delete", record.path, state["id"], [])])
    outbox.insert_events(
        connection, [outbox.event_row(record, past_verb(record, "delete"), state, [])]
    )
    for delete_trace in (
        delete_document,
        delete_text_uses,
        preview_links.delete_mark,
    ):
        delete_trace(connection, record, state["id"])

"""The latest changes as sentences, with the titles of their records, in two statements."""

from types import SimpleNamespace
from typing import Any

from sqlalchemy import Select, String, cast, func, literal, select, union_all

from quire.actor import Actor
from quire.admin.format import truncate
from quire.admin.local_time import format_relative
from quire.admin.past_tense import ABOUT_NOTHING, sentence
from quire.admin.record_history import actor_name
from quire.admin.urls import record_url
from quire.declare.query import Query
from quire.declare.query_conditions import Condition
from quire.declare.record import REGISTRY, Record
from quire.declare.rules import row_conditions
from quire.store import read
from quire.store.db import read_connection

RECENT = 8
LONGEST_TITLE = 200
"""Characters of a title that are read: a comment's is its whole text."""
NO_CHANGES = (
    "sign_in",
    "sign_in_failed",
    "sign_out",
    "denied",
    "view_as",
    "stop_viewing",
    "export",
    "import",
    "undo_import",
)
"""Audit events that are not changes."""
Titles = dict[tuple[str, int], str]


def recent_changes(audit: Record, actor: Actor) -> list[Any]:
    """The latest changes, newest first."""
    changes = (Condition("action", "nin", NO_CHANGES), Condition("type", "ne", ("sessions",)))
    query = Query(conditions=changes, sort=("-id",), per_page=RECENT, count=False)
    events = read.list_records(audit, actor, query).rows
    titles = _titles(actor, events)
    return [_change(event, titles) for event in events]


def _titles(actor: Actor, events: list[dict[str, Any]]) -> Titles:
    """The titles of the records of `events`, if they still exist."""
    ids: dict[str, set[int]] = {}
    for event in events:
        if event["type"] in REGISTRY and event["record_id"]:
            ids.setdefault(event["type"], set()).add(event["record_id"])
    parts = [
        _title_rows(REGISTRY[path], actor, some)
        for path, some in ids.items()
        if REGISTRY[path].allows(actor, "panel") is not False
    ]
    if not parts:
        return {}
    with read_connection() as connection:
        rows = connection.execute(union_all(*parts), read.rule_params(actor)).all()
    return {(path, id): truncate(title or f"#{id}") for path, id, title in rows}


def _title_rows(record: Record, actor: Actor, ids: set[int]) -> Select[Any]:
    field = record.field(record.title_field)
    is_text = field.column is not None and field.target is None
    title = cast(field.column, String) if is_text else literal("")
    columns = literal(record.path), record.table.c.id, func.substr(title, 1, LONGEST_TITLE)
    rows = select(*columns).select_from(record.table).where(record.table.c.id.in_(ids))
    return rows.where(*row_conditions(record.allows(actor, "panel")))


def _change(event: dict[str, Any], titles: Titles) -> Any:
    path, id = event["type"], event["record_id"]
    noun = REGISTRY[path].noun if path in REGISTRY else path
    title = titles.get((path, id))
    return SimpleNamespace(
        who=actor_name(event["actor"]) or "Quire",
        what=sentence(event["action"], f"the {noun}" if title else ""),
        target="" if event["action"] in ABOUT_NOTHING else title or _fallback_title(path, id),
        url=record_url(REGISTRY[path], "details_view", id) if title else None,
        when=format_relative(event["created_at"]),
    )


def _fallback_title(path: str, id: int | None) -> str:
    """A title for a record whose own is unknown."""
    record = REGISTRY.get(path)
    if record is None:
        return path
    return f"{record.noun} #{id}" if id else record.plural_noun

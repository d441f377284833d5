"""The history of a record: its revisions and audit events, as far as the reader may see them."""

from collections.abc import Collection
from types import SimpleNamespace
from typing import Any

from quire.actor import Actor
from quire.admin.format import cell_html, small_name
from quire.admin.local_time import format_moment
from quire.admin.past_tense import INTERFACES, past_tense
from quire.declare.query import Query
from quire.declare.query_conditions import Condition
from quire.declare.record import REGISTRY, Record, record_of
from quire.store import read
from quire.store.permissions import may
from quire.store.revisions import with_defaults
from quire.web.language import gettext, ngettext

HISTORY_LENGTH = 50
"""Versions and events on a details page."""


def history_query(record: Record, id: int, page: int = 1) -> Query:
    """The query for the revisions or audit events of a record, newest first."""
    conditions = (Condition("type", "eq", (record.path,)), Condition("record_id", "eq", (id,)))
    return Query(
        conditions=conditions, sort=("-id",), page=page, per_page=HISTORY_LENGTH, count=False
    )


def actor_name(value: Any) -> str:
    """The name of the actor; the program itself has none."""
    return small_name(value, record_of("users")) if value else ""


def _changes(
    record: Record, visible: Collection[str], new: dict[str, Any], old: dict[str, Any] | None
) -> list[Any]:
    """The label and the value of every visible field that differs from the previous version."""
    changes = []
    for name, value in new.items():
        if name in visible and old is not None and old.get(name) != value:
            field = record.field(name)
            changes.append((gettext(field.label), cell_html(field, value)))
    return changes


def _step(
    record: Record, visible: Collection[str], row: dict[str, Any], before: dict[str, Any] | None
) -> Any:
    old = with_defaults(record, before["data"]) if before else None
    changes = _changes(record, visible, with_defaults(record, row["data"]), old)
    return SimpleNamespace(
        what=gettext(
            "Revision %(version)s: %(past)s", version=row["version"], past=past_tense(row["action"])
        ),
        who=actor_name(row["actor"]),
        when=format_moment(row["created_at"]),
        changes=changes,
        summary=ngettext("%(num)s field changed", "%(num)s fields changed", len(changes)),
    )


def revision_steps(record: Record, actor: Actor, id: int) -> list[Any]:
    """The revisions, newest first, with their changes; for those who may edit the record."""
    rows = _revisions(record, actor, id)
    visible = record.visible_fields(actor)
    befores = [*rows[1:], None]
    return [_step(record, visible, row, before) for row, before in zip(rows, befores, strict=False)]


def revisions_of(record: Record, actor: Actor, id: int) -> list[dict[str, Any]]:
    """The newest revisions of a record; none for those who may not edit it."""
    return _revisions(record, actor, id) if may(record, actor, "update", id) else []


def _revisions(record: Record, actor: Actor, id: int) -> list[dict[str, Any]]:
    if not record.history:
        return []
    return read.list_records(
        REGISTRY["revisions"], actor.as_system(), history_query(record, id)
    ).rows


def _label(record: Record, name: str) -> str:
    field = record.fields_by_name.get(name)
    return name if field is None else gettext(field.label)


def events(record: Record, actor: Actor, id: int) -> list[Any]:
    """The audit events of a record, newest first; none for those who may not read the audit."""
    audit = REGISTRY["audit_events"]
    if audit.allows(actor, "read") is False:
        return []
    return [
        SimpleNamespace(
            what=past_tense(row["action"]).capitalize(),
            who=actor_name(row["actor"]),
            when=format_moment(row["created_at"]),
            how=", ".join(_label(record, name) for name in row["fields"])
            or gettext(
                "via %(interface)s", interface=gettext(INTERFACES.get(row["door"], row["door"]))
            ),
        )
        for row in read.list_records(audit, actor, history_query(record, id)).rows
    ]

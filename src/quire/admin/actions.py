"""Bulk and single actions: which ones an actor is offered, and how they are carried out."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from quire.actor import Actor
from quire.admin.cells import title_of
from quire.admin.words import past
from quire.declare.record import Action, Record
from quire.errors import Problem
from quire.store import write

DELETE, DESTROY = "delete", "destroy"
"""Names of the two that every type has beside its own actions: to the trash or away, and for good."""

MOST = 100
"""Rows of one bulk action: as many as a page can show."""


@dataclass(frozen=True)
class Choice:
    """An action in a menu; `confirm` is the question asked first, empty when none is."""

    name: str
    label: str
    confirm: str = ""


def delete_words(record: Record, state: dict[str, Any]) -> str:
    """What deleting this record means."""
    name = f"“{title_of(record, state)}”"
    if record.trashes and not state.get("deleted_at"):
        return f"{name} goes to the trash. It can be restored from there."
    return f"{name} is deleted for good. This cannot be undone."


def offered(record: Record, actor: Actor, *, trashed: bool) -> list[Action]:
    """The record's own actions that this actor may use on some rows."""
    return [
        one for one in record.actions if one.in_trash == trashed and one.allow(actor) is not False
    ]


def bulk_choices(record: Record, actor: Actor, *, trashed: bool) -> list[Choice]:
    """The menu under a list."""
    found = [
        Choice(one.name, one.label)
        for one in offered(record, actor, trashed=trashed)
        if not one.creates
    ]
    if record.allows(actor, "permanent" if trashed else "delete") is not False:
        found.append(deletion(record, destroy=trashed))
    return found


def deletion(record: Record, *, destroy: bool) -> Choice:
    """The choice that deletes: to the trash, away, or out of the trash for good."""
    if destroy:
        return Choice(DESTROY, "Delete for good", "What is deleted for good cannot be restored.")
    if record.trashes:
        return Choice(DELETE, "Move to trash", "It can be restored from the trash.")
    return Choice(DELETE, "Delete", "This cannot be undone.")


def done_words(record: Record, name: str, count: int) -> str:
    """What a bulk action came to."""
    noun = record.one.lower() if count == 1 else record.label.lower()
    moved = name == DELETE and record.trashes
    return f"{count} {noun} {'moved to the trash' if moved else past(name)}."


def carry_out(
    record: Record, actor: Actor, name: str, id: int, draft_version: int | None = None
) -> Any:
    """One action on one record, and on its draft as it was seen. Raises the errors of the store."""
    if name in (DELETE, DESTROY):
        return write.delete(record, actor, id, permanent=name == DESTROY)
    return write.act(record, actor, id, name, draft_version=draft_version)


def carry_out_all(
    record: Record, actor: Actor, name: str, ids: list[int], draft_version: int | None = None
) -> tuple[int, list[str]]:
    """An action on many, each in its own transaction: how many were done, and why others not."""
    done, refused = 0, Counter[str]()
    for id in ids[:MOST]:
        try:
            carry_out(record, actor, name, id, draft_version)
            done += 1
        except Problem as problem:
            refused[problem.message] += 1
    return done, [f"{why} ({count})" if count > 1 else why for why, count in refused.items()]

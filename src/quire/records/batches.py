"""Batches: changes made to many records in one step, which can be undone."""

from typing import Any

from quire.declare.action import Action
from quire.declare.change import Change
from quire.declare.fields import Computed, Shown
from quire.declare.record import REGISTRY, Access, Record
from quire.declare.results import result_message
from quire.declare.rules import any_of, owner, role
from quire.declare.value_kinds import FLAG
from quire.errors import Conflict
from quire.store.history.batch_undo import UndoResult, undo_batch
from quire.store.history.undoable_batches import Batch, can_be_undone, is_undone
from quire.translations.messages import Message

_batches = Batch.__table__.c

PANEL_SECONDS = 0.5
"""The time limit of one undo request of the panel, which repeats it and shows the progress."""

KINDS = {
    "bulk": Message("Bulk request"),
    "action": Message("Action in the panel"),
    "import": Message("Import"),
}

OWN = any_of(owner(_batches.actor_id), role("admin"))


def title(state: dict[str, Any]) -> str:
    """Return what a batch did, such as `3 posts published` or `Imported tags.csv`, or its kind if that is not known."""
    if state.get("file_name"):
        return Message("Imported %(name)s", name=state["file_name"])
    record, action = REGISTRY.get(state.get("type") or ""), state.get("action")
    if record is None or not action:
        return KINDS.get(state.get("kind", ""), "")
    return result_message(record, action, state.get("rows") or 0)


def undo(change: Change) -> None:
    """Undo every change whose record has not been edited since."""
    seconds = PANEL_SECONDS if change.actor.door == "admin" else None
    result = undo_batch(change.actor, change.id or 0, seconds)
    if not (result.undone or result.refused):
        raise Conflict("Everything in this batch has already been undone.")
    if result.undone:
        change.set(undone_at=change.moment, undone_by=change.actor.user_id)
    change.reveal(result=result)
    change.notices += _notices(result)


def _notices(result: UndoResult) -> list[str]:
    """Describe how much was not undone."""
    notices: list[str] = []
    if result.refused:
        notices.append(
            Message(
                "%(count)s change was not undone.",
                "%(count)s changes were not undone.",
                count=len(result.refused),
            )
        )
    if result.untried:
        notices.append(
            Message(
                "%(count)s change is left. Undo again to continue.",
                "%(count)s changes are left. Undo again to continue.",
                count=result.untried,
            )
        )
    return notices


BATCHES = Record(
    Batch,
    path="batches",
    newest_first=True,
    fields=[
        Shown("id", sort=True, filter=True),
        Shown("kind", sort=True, filter=True, example="bulk"),
        Shown("action", sort=True, filter=True, example="publish", on_request=True),
        Shown("type", sort=True, filter=True, example="posts", on_request=True),
        Shown("file_name", example="tags.csv", on_request=True),
        Shown("actor", filter=("id", "username")),
        Shown("created_at", sort=True, filter=True),
        Shown("rows"),
        Computed("undone", is_undone, FLAG, on_request=True),
        Computed("can_be_undone", can_be_undone, FLAG, on_request=True),
        Shown("undone_at"),
        Shown("undone_by", on_request=True),
    ],
    access=Access(read=OWN, panel=OWN),
    actions=[
        Action(
            "undo",
            undo,
            OWN,
            past="undone",
            takes_seconds=True,
            available=lambda state: state["can_be_undone"],
        )
    ],
    title_field="action",
    title=title,
    empty_text="Actions on several records, edits in lists and imports appear here, and can be undone for a week.",
    section="System",
    history=False,
    exported=False,
)

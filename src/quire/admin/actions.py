"""Single and bulk actions: which ones an actor may use, and how they run."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from quire.actor import Actor
from quire.admin.format import quote, record_title
from quire.admin.past_tense import result_message
from quire.admin.queries import find_many
from quire.declare.action import Action
from quire.declare.fields import Computed, Field
from quire.declare.pydantic_models import PART
from quire.declare.record import REGISTRY, Record
from quire.declare.settable_fields import is_settable
from quire.errors import Problem, VersionConflict
from quire.store import draft_merge, write
from quire.store.db import nested_transaction, transaction
from quire.store.history.undoable_batches import (
    ACTION,
    RowChange,
    UndoResult,
    begin,
    change_of,
    store_changes,
)
from quire.store.transactions.retries import retry_conflicts
from quire.store.write import Raw, Saved
from quire.web.language import gettext, translate

EDIT = "edit"
"""The name of the bulk action that edits a field, of every type that has one to edit."""

DELETE, DESTROY, TRASH = "delete", "destroy", "trash"
"""Names of the two deletions that every type has: into the trash, or at once; and permanent. The last is
the name of the first where it moves records to the trash."""

MOST = 100
"""Rows of one bulk action that are selected one by one: as many as a page can show."""

MOST_MATCHING = 1000
"""Rows of one bulk action on all that match: as many as take a few seconds."""

MOST_NAMED = 10
"""Most records named in one message."""


IN_BULK = (
    "text", "textarea", "select", "checkbox", "number", "decimal", "date", "datetime", "url",
    "ref", "refs",
)  # fmt: skip
"""Widgets of the fields that are edited in many records at once."""

PARAMETERS = ("action", "field", "list", "matching", "rowid", "url")
"""Names in the forms of bulk actions, which no field of theirs can have."""


@dataclass(frozen=True)
class Choice:
    """An action in a menu; `confirm` is the question asked first, empty when none is."""

    name: str
    label: str
    confirm: str = ""


def delete_question(record: Record, state: dict[str, Any]) -> str:
    """The question before this record is deleted."""
    return delete_question_about(record, record_title(record, state), bool(state.get("deleted_at")))


def delete_question_about(record: Record, title: str, trashed: bool) -> str:
    """The question before a record of this title is deleted, which is in the trash or not."""
    name = quote(title)
    if record.has_trash and not trashed:
        return gettext(
            "%(name)s will be moved to the trash. You can restore it from there.", name=name
        )
    return gettext("%(name)s will be permanently deleted. This cannot be undone.", name=name)


def available_actions(record: Record, actor: Actor, *, trashed: bool) -> list[Action]:
    """The record's own actions that this actor may run by a button on some rows."""
    return [
        one
        for one in record.actions
        if one.in_trash == trashed and not one.takes_file and one.allow(actor) is not False
    ]


def bulk_choices(record: Record, actor: Actor, *, trashed: bool) -> list[Choice]:
    """The menu below a list."""
    choices = [
        Choice(one.name, gettext(one.label))
        for one in available_actions(record, actor, trashed=trashed)
        if not one.creates
    ]
    if not trashed and editable_in_bulk(record, actor):
        choices.append(Choice(EDIT, gettext("Edit a field")))
    if record.allows(actor, "permanent" if trashed else "delete") is not False:
        choices.append(delete_choice(record, destroy=trashed))
    return choices


def editable_in_bulk(record: Record, actor: Actor) -> list[Field]:
    """The fields that many records can have the same value of, and that need no large control."""
    if record.allows(actor, "update") is False:
        return []
    return [
        one
        for one in record.fields
        if is_settable(one, actor, PART)
        and one.kind.widget in IN_BULK
        and one.is_tracked
        and not isinstance(one, Computed)
        and not (one.is_unique or one.name in (record.key, *PARAMETERS) or one.target == "media")
    ]


def delete_choice(record: Record, *, destroy: bool) -> Choice:
    """The choice that deletes: into the trash, at once, or permanently from the trash."""
    if destroy:
        return Choice(DESTROY, gettext("Delete permanently"), gettext("This cannot be undone."))
    if record.has_trash:
        return Choice(
            DELETE, gettext("Move to trash"), gettext("You can restore them from the trash.")
        )
    return Choice(DELETE, gettext("Delete"), gettext("This cannot be undone."))


def success_message(record: Record, name: str, count: int) -> str:
    """The outcome of a bulk action."""
    is_moved = name == DELETE and record.has_trash
    return result_message(record, TRASH if is_moved else name, count)


def undo_message(undone: list[RowChange]) -> str:
    """What was undone, in the words that said that it was done."""
    numbers = Counter((one.type, one.action) for one in reversed(undone))
    done = (success_message(REGISTRY[type], name, n) for (type, name), n in numbers.items())
    return gettext("Undone: %(what)s", what=" ".join(done))


def run_action(
    record: Record,
    actor: Actor,
    name: str,
    id: int,
    draft_version: int | None = None,
    ready: Raw | None = None,
) -> Saved | None:
    """One action on one record, and on its draft as it was seen; None where the record is gone.

    `ready` is what was prepared for it. Raises the errors of the store.
    """
    if name in (DELETE, DESTROY):
        return write.delete(record, actor, id, permanent=name == DESTROY)
    try:
        with nested_transaction():
            return write.act(record, actor, id, name, draft_version=draft_version, ready=ready)
    except VersionConflict:
        return draft_merge.act_on_merged(record, actor, id, name, draft_version=draft_version)


@dataclass
class BulkResult:
    """What a bulk action came to.

    How many records were changed, why the others were not, by id, what else is to be said, and what
    is shown this once; the batch by which it can be undone, None where nothing can.
    """

    done: int = 0
    refused: dict[int, Problem] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
    revealed: list[Raw] = field(default_factory=list)
    batch: int | None = None
    can_be_undone: bool = False

    def add(self, connection: Connection, actor: Actor, change: RowChange) -> None:
        """Add a changed record, in its transaction."""
        if self.batch is None:
            self.batch = begin(connection, actor, ACTION)
        store_changes(connection, self.batch, [change])
        self.can_be_undone |= change.version is not None

    def message(self, record: Record, name: str) -> str:
        """What the action has come to; of an undo, what it has undone."""
        results = (one.get("result") for one in self.revealed)
        undone = [change for one in results if isinstance(one, UndoResult) for change in one.undone]
        return undo_message(undone) if undone else success_message(record, name, self.done)


def run_action_on_all(
    record: Record, actor: Actor, name: str, ids: list[int], draft_version: int | None = None
) -> BulkResult:
    """Run an action on many records, each in its own transaction, together one batch."""
    result = BulkResult()
    for number, id in enumerate(ids[:MOST_MATCHING]):
        try:
            _run_one(record, actor, name, (number, id), draft_version, result)
        except Problem as problem:
            result.refused[id] = problem
    return result


@retry_conflicts
def _run_one(
    record: Record,
    actor: Actor,
    name: str,
    numbered: tuple[int, int],
    draft_version: int | None,
    result: BulkResult,
) -> None:
    number, id = numbered
    action = record.action(name)
    ready = None if action is None else write.prepare_action(record, actor, id, action)
    batch = result.batch
    try:
        with transaction() as connection:
            saved = run_action(record, actor, name, id, draft_version, ready)
            change = change_of(number, name, record, id, saved)
            if change is not None:
                result.add(connection, actor, change)
    except Problem:
        result.batch = batch
        raise
    notices = [] if saved is None else saved.notices
    result.notices += notices
    result.revealed += [] if saved is None else [saved.revealed]
    result.done += not (notices and saved is not None and not saved.changed)


def refusal_messages(record: Record, actor: Actor, refused: dict[int, Problem]) -> list[str]:
    """Why some records were not changed: a sentence for each reason, with their names."""
    states = find_many(record, actor, list(refused)[:MOST]) if refused else {}
    names_by_type: dict[str, list[str]] = {}
    for id, problem in refused.items():
        name = quote(record_title(record, states[id])) if id in states else f"#{id}"
        names_by_type.setdefault(translate(problem.message), []).append(name)
    return [f"{_join_names(names)}: {why}" for why, names in names_by_type.items()]


def _join_names(names: list[str]) -> str:
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (
        " " + gettext("and %(more)s more", more=more) if more > 0 else ""
    )

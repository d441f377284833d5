"""Single and bulk actions: which ones an actor may use, and how they run."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from time import monotonic
from typing import Any

from sqlalchemy import Connection

from quire.actor import Actor
from quire.admin.format import quote, record_title
from quire.admin.refusals import refusal_messages, undo_refusals
from quire.admin.results import result_message, undo_message
from quire.declare.action import Action
from quire.declare.fields import Computed, Field
from quire.declare.pydantic_models import PART
from quire.declare.record import REGISTRY, Record
from quire.declare.results import DELETE, DESTROY
from quire.declare.settable_fields import is_settable
from quire.errors import Problem, VersionConflict
from quire.store import draft_merge, write
from quire.store.db import nested_transaction, transaction
from quire.store.history.batch_undo import UndoResult
from quire.store.history.undoable_batches import (
    ACTION,
    RowChange,
    begin,
    change_of,
    store_changes,
)
from quire.store.transactions.retries import retry_conflicts
from quire.store.write import Raw, Saved
from quire.web.language import gettext

EDIT = "edit"
"""The name of the bulk action that edits a field, for types that have such a field."""

MAX_MATCHING = 1000
"""The maximum number of rows of one bulk action on all that match, which takes a few seconds."""

UNDO_FOR = 20.0
"""Seconds for which one request may continue to undo a batch, less than proxies wait."""


IN_BULK = (
    "text", "textarea", "select", "checkbox", "number", "decimal", "date", "datetime", "url",
    "ref", "refs",
)  # fmt: skip
"""Widgets of the fields that can be edited in many records at the same time."""

PARAMETERS = ("action", "field", "list", "matching", "rowid", "url")
"""Names in the forms of bulk actions, which their fields must not have."""


@dataclass(frozen=True)
class Choice:
    """An action in a menu; `confirm` is the question asked first, empty if there is none."""

    name: str
    label: str
    confirm: str = ""


def delete_question(record: Record, state: dict[str, Any]) -> str:
    """The question asked before this record is deleted."""
    return delete_question_about(record, record_title(record, state), bool(state.get("deleted_at")))


def delete_question_about(record: Record, title: str, trashed: bool) -> str:
    """The question asked before a record with this title is deleted, whether or not it is in the trash."""
    name = quote(title)
    if record.has_trash and not trashed:
        return gettext(
            "%(name)s will be moved to the trash. You can restore it from there.", name=name
        )
    return gettext("%(name)s will be permanently deleted. This cannot be undone.", name=name)


def available_actions(record: Record, actor: Actor, *, trashed: bool) -> list[Action]:
    """The record's own actions that this actor may run with a button on some rows."""
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
    """The fields that can be set to one value for many records, and need no large control."""
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
    """The choice that deletes: to the trash, immediately, or permanently from the trash."""
    if destroy:
        return Choice(DESTROY, gettext("Delete permanently"), gettext("This cannot be undone."))
    if record.has_trash:
        return Choice(
            DELETE, gettext("Move to trash"), gettext("You can restore them from the trash.")
        )
    return Choice(DELETE, gettext("Delete"), gettext("This cannot be undone."))


def run_action(
    record: Record,
    actor: Actor,
    name: str,
    id: int,
    draft_version: int | None = None,
    ready: Raw | None = None,
) -> Saved | None:
    """Run an action on one record, and on its draft as it was seen; return None if the record is gone.

    `ready` is the result of the preparation. Raises the errors of the store.
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
    """The outcome of a bulk action.

    How many records were changed, why the others were not, by id, further notices, and values shown only once; the
    batch by which it can be undone, None if it cannot.
    """

    done: int = 0
    refused: dict[int, Problem] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
    revealed: list[Mapping[str, Any]] = field(default_factory=list)
    batch: int | None = None
    can_be_undone: bool = False

    def add(self, connection: Connection, actor: Actor, change: RowChange) -> None:
        """Add a changed record, in its transaction."""
        if self.batch is None:
            self.batch = begin(connection, actor, ACTION)
        store_changes(connection, self.batch, [change])
        self.can_be_undone |= change.version is not None

    def message(self, record: Record, name: str) -> str:
        """The outcome of the action; of an undo, what it has undone."""
        undone = [change for one in self._undo_results for change in one.undone]
        return undo_message(undone) if undone else result_message(record, name, self.done)

    def refusals(self, record: Record, actor: Actor) -> list[str]:
        """Why records were not changed, or changes not undone: sentences that name the records."""
        refused_undos = [pair for one in self._undo_results for pair in one.refused]
        types = {change.type: None for change, _ in refused_undos}
        sentences = refusal_messages(record, actor, self.refused)
        for path in types:
            mine = [pair for pair in refused_undos if pair[0].type == path]
            sentences += undo_refusals(REGISTRY[path], actor, mine)
        return sentences

    @property
    def is_unfinished(self) -> bool:
        """Whether the last undo ran out of time, but made progress."""
        results = self._undo_results
        return bool(results and results[-1].untried and results[-1].undone)

    def drop_refusals(self) -> None:
        """Leave what could not be undone to the next undo of the batch, which tries it again."""
        self.revealed[-1] = {"result": replace(self._undo_results[-1], refused=[])}

    @property
    def _undo_results(self) -> list[UndoResult]:
        results = (one.get("result") for one in self.revealed)
        return [one for one in results if isinstance(one, UndoResult)]


def run_action_on_all(
    record: Record, actor: Actor, name: str, ids: list[int], draft_version: int | None = None
) -> BulkResult:
    """Run an action on many records, each in its own transaction, together as one batch."""
    result = BulkResult()
    for number, id in enumerate(ids[:MAX_MATCHING]):
        try:
            run = partial(_run_one, record, actor, name, (number, id), draft_version, result)
            _run_until_done(run, result)
        except Problem as problem:
            result.refused[id] = problem
    return result


def _run_until_done(run: Callable[[], None], result: BulkResult) -> None:
    """Run an action on one record; an undo that runs out of time continues in another transaction."""
    until, said = monotonic() + UNDO_FOR, len(result.notices)
    run()
    while result.is_unfinished and monotonic() < until:
        del result.notices[said:]
        result.drop_refusals()
        run()


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
    result.done += not (saved is not None and not saved.changed and (notices or _is_refused(saved)))


def _is_refused(saved: Saved) -> bool:
    """Whether it was an undo that has undone nothing."""
    result = saved.revealed.get("result")
    return isinstance(result, UndoResult) and not result.undone

"""Creates, updates, deletes and acts: the single path of every change, for all actors and interfaces.

permission    may this actor do it at all; no query, the body is not parsed yet
preparation   slow work that needs no lock: hashing, Markdown, storing a file
loading       one SELECT for the row, and whether it is visible and may be changed
version       compare with the version that the client started from
parsing       raw values -> values, or all bad fields together
change        defaults, references, the record's hook
flush         INSERT or UPDATE; a violated unique constraint becomes a Conflict on its field
recheck       the row must still satisfy the rule, so that no one promotes themselves or gives a record away
side effects  audit, revision, event, search document (changes/side_effects.py)
commit        transaction() ends; on a conflict with others, everything from loading on is retried (transactions/retries.py)
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from sqlalchemy import Connection

from quire.actor import Actor
from quire.declare.action import Action
from quire.declare.change import Change
from quire.declare.clock import now
from quire.declare.input_validation import normal_values
from quire.declare.pydantic_models import NEW, PART, WHOLE
from quire.declare.record import Record
from quire.declare.rules import Rule, require_possible
from quire.store.changes import rows
from quire.store.changes.preconditions import (
    action_input,
    check_version,
    parse_values,
    prepare,
    refuse_trashed,
    refuse_unknown,
)
from quire.store.changes.references import prefetch
from quire.store.changes.side_effects import record_change
from quire.store.changes.steps import complete, insert_all, recheck, remove
from quire.store.db import rollback_scope, transaction
from quire.store.drafts.publication import apply_draft, prepare_publication
from quire.store.drafts.storage import delete_draft
from quire.store.events.viewers import note_before
from quire.store.transactions.retries import retry_conflicts

Raw = dict[str, Any]
Callback = Callable[[dict[str, Any]], object]
"""Called with the state after a change, in its transaction; if it raises, nothing is written."""
Prepared = tuple[Raw, Raw]
"""The parsed values of a new record, and the values prepared from them before the transaction."""


class Saved(NamedTuple):
    """The outcome of a change.

    `state` is everything stored, `visible` what the actor sees of it (None if nothing), `created`
    whether the record is new, `changed` whether anything differs, `revealed` values shown only once,
    `notices` sentences about further effects, `base_version` the version before the change.
    """

    id: int
    state: dict[str, Any]
    visible: dict[str, Any] | None
    created: bool = False
    changed: bool = True
    revealed: Mapping[str, Any] = MappingProxyType({})
    notices: Sequence[str] = ()
    base_version: int | None = None

    @property
    def version(self) -> int | None:
        """The version after the change."""
        return self.state.get("version")


def create(record: Record, actor: Actor, raw: Raw, *, also: Callback | None = None) -> Saved:
    """Create a record from `raw`. Raises Unauthenticated, PermissionDenied, ValidationFailed, Conflict."""
    return create_many(record, actor, [raw], also=also)[0]


def create_many(
    record: Record, actor: Actor, raws: Sequence[Raw], *, also: Callback | None = None
) -> list[Saved]:
    """Create several records in one transaction, all or none."""
    with rollback_scope():
        prepared = [prepare_new(record, actor, raw) for raw in raws]
        return create_prepared(record, actor, prepared, also=also)


def prepare_new(record: Record, actor: Actor, raw: Raw) -> Prepared:
    """Parse and prepare a new record before the transaction. Raises Unauthenticated, PermissionDenied, ValidationFailed."""
    require_possible(record.access.create, actor)
    values = parse_values(record, actor, raw, form=NEW, state=None)
    return values, prepare(record, actor, None, values)


@retry_conflicts
def create_prepared(
    record: Record, actor: Actor, prepared: Sequence[Prepared], *, also: Callback | None = None
) -> list[Saved]:
    """Create prepared records, all or none. Raises PermissionDenied, ValidationFailed, Conflict."""
    moment = now()
    changes = [Change(record, actor, "create", None, *one, moment) for one in prepared]
    if also is not None:
        for change in changes:
            change.after_save(also)
    with transaction() as connection:
        reference_ids = prefetch(connection, changes)
        for change in changes:
            complete(connection, change, _create_named, reference_ids)
            note_before(connection, change)
        insert_all(connection, changes)
        rows.insert_links(connection, changes)
        loaded_rows = recheck(connection, record, record.access.create, changes)
        record_change(connection, changes, [one.state for one in loaded_rows])
        return [_saved_new(*one) for one in zip(changes, loaded_rows, strict=True)]


def _create_named(record: Record, actor: Actor, raw: Raw) -> int:
    return create(record, actor, raw).id


def _saved_new(change: Change, row: rows.LoadedRow) -> Saved:
    id = row.state["id"]
    return Saved(id, row.state, row.visible, created=True, revealed=change.revealed_values)


@retry_conflicts
def update(
    record: Record,
    actor: Actor,
    id: int,
    raw: Raw,
    *,
    replace: bool = False,
    version: int | None = None,
    also: Callback | None = None,
    verb: str = "update",
    ready: Raw | None = None,
) -> Saved:
    """Change the fields that `raw` names (all of them with `replace`).

    `version` is the version that the change is based on, `verb` its name in the history, `ready` the
    result of `prepare_update`. Raises Unauthenticated, PermissionDenied, NotFound,
    VersionConflict, ValidationFailed, Conflict.
    """
    rule = record.access.update
    ready = prepare_update(record, actor, id, raw) if ready is None else ready
    raw = normal_values(record, raw)
    with transaction() as connection:
        row = rows.load_for_update(connection, record, actor, id, rule)
        state = row.state
        raw = check_version(connection, record, state, raw, version)
        if not actor.is_system:
            refuse_trashed(record, state)
        form = WHOLE if replace else PART
        values = parse_values(record, actor, raw, form=form, state=state)
        change = Change(record, actor, verb, state, values, ready)
        if also is not None:
            change.after_save(also)
        return write_changes(connection, change, rule, row)


def prepare_update(record: Record, actor: Actor, id: int, raw: Raw) -> Raw:
    """Do the slow preparation of a change, before the transaction. Raises Unauthenticated, PermissionDenied."""
    require_possible(record.access.update, actor)
    return prepare(record, actor, id, normal_values(record, raw))


@retry_conflicts
def delete(
    record: Record,
    actor: Actor,
    id: int,
    raw: Raw | None = None,
    *,
    permanent: bool = False,
    version: int | None = None,
) -> Saved | None:
    """Move a record to the trash, or delete it if its type has no trash or with `permanent`.

    Returns the record as it is in the trash, None if it is gone. `raw` may contain the `version` and
    nothing else. Raises Unauthenticated, PermissionDenied, NotFound, VersionConflict,
    ValidationFailed, Conflict.
    """
    rule = record.access.permanent if permanent else record.access.delete
    require_possible(rule, actor)
    with transaction() as connection:
        row = rows.load_for_update(connection, record, actor, id, rule)
        state = row.state
        refuse_unknown(check_version(connection, record, state, raw or {}, version))
        change = Change(record, actor, "delete", state, prepared={"permanent": permanent})
        if record.has_trash and not permanent:
            if state["deleted_at"] is None:
                change.set(deleted_at=change.moment)
            return write_changes(connection, change, rule, row)
        remove(connection, change)
        delete_draft(connection, record, id)
        return None


@retry_conflicts
def act(
    record: Record,
    actor: Actor,
    id: int,
    name: str,
    raw: Raw | None = None,
    *,
    version: int | None = None,
    draft_version: int | None = None,
    ready: Raw | None = None,
) -> Saved:
    """Run the action `name`. If it applies the draft, this must be at `draft_version`:

    0 means no draft, None any version. `ready` is the result of `prepare_action`. Raises
    Unauthenticated, PermissionDenied, NotFound, VersionConflict, ValidationFailed, Conflict.
    """
    action = record.action(name)
    assert action is not None
    ready = prepare_action(record, actor, id, action) if ready is None else ready
    with transaction() as connection:
        row = rows.load_for_update(connection, record, actor, id, action.allow)
        state = row.state
        raw = check_version(connection, record, state, raw or {}, version)
        change = Change(record, actor, name, state, action_input(record, action, raw), ready)
        if not action.in_trash:
            refuse_trashed(record, state)
        if action.takes_draft:
            apply_draft(connection, change, draft_version)
        return _run_action(connection, change, action, row)


def prepare_action(record: Record, actor: Actor, id: int, action: Action) -> Raw:
    """Do the slow preparation of an action, before the transaction. Raises Unauthenticated, PermissionDenied."""
    require_possible(action.allow, actor)
    return prepare_publication(record, actor, id, action)


def _run_action(
    connection: Connection, change: Change, action: Action, row: rows.LoadedRow
) -> Saved:
    values = action.run(change)
    if action.creates:
        return create(change.record, change.actor, values or {})
    return write_changes(connection, change, action.allow, row)


def write_changes(connection: Connection, change: Change, rule: Rule, row: rows.LoadedRow) -> Saved:
    """Write the differences, if any, and all side effects of a change."""
    id = change.id or 0
    more: Any = {"revealed": change.revealed_values, "notices": change.notices}
    complete(connection, change, _create_named)
    note_before(connection, change)
    if not rows.update(connection, change):
        return Saved(id, row.state, row.visible, changed=False, **more)
    after = recheck(connection, change.record, rule, [change])[0]
    record_change(connection, [change], [after.state])
    base = row.state.get("version")
    return Saved(id, after.state, after.visible, base_version=base, **more)

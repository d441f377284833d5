"""Create, update, delete, act: the one path of every change, whoever asks and by whichever door.

door     may this actor at all; no query made, body not parsed
ahead    what takes long and needs no lock: hashing, Markdown, sending a file to where it stays
find     one SELECT brings the row and whether it is visible and may be changed
compare  the version the client started from
parse    raw values -> values, or every bad field at once
change   fills, references, the record's hook
flush    INSERT or UPDATE; a broken unique rule becomes a Conflict on its field
look     the row must still satisfy the rule: nobody promotes himself or gives a record away
keep     audit, revision, event, search document
commit   transaction() ends
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection
from sqlalchemy import delete as sql_delete

from quire.actor import Actor
from quire.declare.change import Change
from quire.declare.clock import now
from quire.declare.parse import parse
from quire.declare.record import Action, Record
from quire.declare.rules import Rule
from quire.declare.schema import NEW, PART, WHOLE
from quire.errors import Problem, Refused, Unproven
from quire.store import audit, drafts, going_live, outbox, previews, revisions, rows, search
from quire.store.db import transaction, undoing
from quire.store.inputs import action_input, refuse_all, refuse_trashed, without_version
from quire.store.references import Known, foresee, resolve

Raw = dict[str, Any]
Also = Callable[[dict[str, Any]], object]
"""What a caller does with the state of a change, in its transaction; if it raises, nothing is done."""


@dataclass(frozen=True)
class Saved:
    """What a change came to.

    `state` is all that is stored, `shown` what the actor sees of it (None when nothing), `created`
    whether the record is new, `changed` whether anything differs, `revealed` what is shown this once.
    """

    id: int
    state: dict[str, Any]
    shown: dict[str, Any] | None
    created: bool = False
    changed: bool = True
    revealed: Raw = field(default_factory=dict)

    @property
    def version(self) -> int | None:
        """The version after the change."""
        return self.state.get("version")


def create(record: Record, actor: Actor, raw: Raw, *, also: Also | None = None) -> Saved:
    """Make a record of `raw`. Raises Unproven, Refused, Invalid, Conflict."""
    return create_many(record, actor, [raw], also=also)[0]


def create_many(
    record: Record, actor: Actor, raws: Sequence[Raw], *, also: Also | None = None
) -> list[Saved]:
    """Make several records in one transaction: all or none."""
    pass_door(record.access.create, actor)
    parsed = [parse(record, actor, raw, form=NEW, state=None) for raw in raws]
    with undoing():
        ready = [record.ahead(actor, None, values) for values in parsed]
        changes = [
            Change(record, actor, "create", None, *one) for one in zip(parsed, ready, strict=True)
        ]
        if also is not None:
            for change in changes:
                change.afterwards(also)
        return _create_all(record, actor, changes)


def _create_all(record: Record, actor: Actor, changes: list[Change]) -> list[Saved]:
    with transaction() as connection:
        known = foresee(connection, changes)
        for change in changes:
            _prepare(connection, change, known)
            change.id = rows.insert(connection, change)
        found = _look(connection, record, record.access.create, changes)
        _keep(connection, changes, [one.state for one in found])
        return [_created(*one) for one in zip(changes, found, strict=True)]


def _created(change: Change, found: rows.Found) -> Saved:
    id = found.state["id"]
    return Saved(id, found.state, found.shown, created=True, revealed=change.revealed)


def update(
    record: Record,
    actor: Actor,
    id: int,
    raw: Raw,
    *,
    replace: bool = False,
    version: int | None = None,
    also: Also | None = None,
    verb: str = "update",
) -> Saved:
    """Change the fields that `raw` names (all of them with `replace`).

    `version` is what the change is based on, `verb` what history calls it. Raises Unproven,
    Refused, Missing, Stale, Invalid, Conflict.
    """
    rule = record.access.update
    pass_door(rule, actor)
    ready = record.ahead(actor, id, raw)
    with transaction() as connection:
        found = rows.find(connection, record, actor, id, rule)
        state = found.state
        raw = without_version(connection, record, state, raw, version)
        if not actor.is_system:
            refuse_trashed(record, state)
        form = WHOLE if replace else PART
        values = parse(record, actor, raw, form=form, state=state)
        change = Change(record, actor, verb, state, values, ready)
        if also is not None:
            change.afterwards(also)
        return _changed(connection, change, rule, found)


def delete(
    record: Record,
    actor: Actor,
    id: int,
    raw: Raw | None = None,
    *,
    permanent: bool = False,
    version: int | None = None,
) -> None:
    """Put a record into the trash, or remove it where there is no trash or with `permanent`.

    `raw` may hold the `version` too, and nothing else. Raises Unproven, Refused, Missing, Stale,
    Invalid, Conflict.
    """
    rule = record.access.permanent if permanent else record.access.delete
    pass_door(rule, actor)
    with transaction() as connection:
        found = rows.find(connection, record, actor, id, rule)
        state = found.state
        refuse_all(without_version(connection, record, state, raw or {}, version))
        change = Change(record, actor, "delete", state, ready={"permanent": permanent})
        if record.trashes and not permanent:
            if state["deleted_at"] is None:
                change.set(deleted_at=now())
            _changed(connection, change, rule, found)
        else:
            _remove(connection, change)


def act(
    record: Record,
    actor: Actor,
    id: int,
    name: str,
    raw: Raw | None = None,
    *,
    version: int | None = None,
    draft_version: int | None = None,
) -> Saved:
    """Run the action `name`; one that takes the draft needs it to be at `draft_version`.

    0 is the version of a draft that is not there, None stands for any. Raises Unproven, Refused,
    Missing, Stale, Invalid, Conflict.
    """
    action = record.action(name)
    assert action is not None
    pass_door(action.allow, actor)
    ready = going_live.ahead(record, actor, id, action)
    with transaction() as connection:
        found = rows.find(connection, record, actor, id, action.allow)
        state = found.state
        raw = without_version(connection, record, state, raw or {}, version)
        change = Change(record, actor, name, state, action_input(record, action, raw), ready)
        if not action.in_trash:
            refuse_trashed(record, state)
        if action.takes_draft:
            going_live.take(connection, change, draft_version)
        return _acted(connection, change, action, found)


def _acted(connection: Connection, change: Change, action: Action, found: rows.Found) -> Saved:
    made = action.run(change)
    if action.creates:
        return create(change.record, change.actor, made or {})
    return _changed(connection, change, action.allow, found)


def pass_door(rule: Rule, actor: Actor) -> None:
    """Let nobody in for whom the rule never holds. Raises Unproven or Refused."""
    if rule(actor) is False:
        raise _refusal(rule, actor)


def _refusal(rule: Rule, actor: Actor) -> Problem:
    if actor.is_anonymous:
        return Unproven("Sign in to do this.")
    return Refused(f"This needs {rule.missing(actor)}.")


def _prepare(connection: Connection, change: Change, known: Known | None = None) -> None:
    known = {} if known is None else known
    resolve(connection, change, lambda target, actor, raw: create(target, actor, raw).id, known)
    change.check()
    if change.state is None:
        for field in change.record.fields:
            if field.fill is not None and change.values.get(field.name) is None:
                change.values[field.name] = field.fill(change)
    change.record.before(change)
    change.check()


def _changed(connection: Connection, change: Change, rule: Rule, found: rows.Found) -> Saved:
    """Write what differs, if anything does."""
    id = found.state["id"]
    _prepare(connection, change)
    if not rows.update(connection, change):
        return Saved(id, found.state, found.shown, changed=False)
    after = _look(connection, change.record, rule, [change])[0]
    _keep(connection, [change], [after.state])
    return Saved(id, after.state, after.shown)


def _look(
    connection: Connection, record: Record, rule: Rule, changes: list[Change]
) -> list[rows.Found]:
    actor = changes[0].actor
    ids = [change.id for change in changes]
    found = rows.allowed(connection, record, actor, ids, rule)
    if len(found) < len(ids):
        raise _refusal(rule, actor)
    return found


def _keep(connection: Connection, changes: list[Change], states: list[dict[str, Any]]) -> None:
    """Audit, revision, event and search document: what every change leaves behind."""
    record, actor, verb = changes[0].record, changes[0].actor, changes[0].verb
    differing = [
        (change, state, rows.differences(change, state))
        for change, state in zip(changes, states, strict=True)
    ]
    kept = [one for one in differing if one[2] or one[0].state is None]
    if not kept:
        return
    audit.keep(connection, [audit.event(actor, verb, record.path, s["id"], f) for _, s, f in kept])
    outbox.keep(connection, [outbox.owed(record, verb, s, f) for _, s, f in kept])
    if record.versioned and record.history:
        revisions.keep(connection, [revisions.revision(record, actor, verb, s) for _, s, _ in kept])
    search.index(connection, record, [state for _, state, _ in kept])
    for change, state, _ in kept:
        for follow in change.followups:
            follow(state)


def _remove(connection: Connection, change: Change) -> None:
    record, actor, state = change.record, change.actor, change.state or {}
    record.before(change)
    change.check()
    with rows.conflicts(record):
        table = record.table
        connection.execute(sql_delete(table).where(table.c.id == state["id"]))
    for follow in change.followups:
        follow(None)
    audit.keep(connection, [audit.event(actor, "delete", record.path, state["id"], [])])
    outbox.keep(connection, [outbox.owed(record, "delete", state, [])])
    for beside in (search, drafts, previews):
        beside.forget(connection, record, state["id"])

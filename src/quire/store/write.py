"""Create, update, delete, act: the one path of every change, whoever asks and by whichever door.

door     may this actor at all; no query made, body not parsed
find     one SELECT brings the row and whether it is visible and may be changed
compare  the version the client started from
parse    raw values -> values, or every bad field at once
change   fills, references, the record's hook
flush    INSERT or UPDATE; a broken unique rule becomes a Conflict on its field
look     the row must still satisfy the rule: nobody promotes himself or gives a record away
keep     audit, revision, event, search document
commit   transaction() ends
"""

from collections.abc import Sequence
from dataclasses import dataclass
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
from quire.errors import Conflict, Refused, Unproven
from quire.store import audit, outbox, revisions, rows, search
from quire.store.db import transaction
from quire.store.inputs import action_input, without_version
from quire.store.references import resolve

Raw = dict[str, Any]


@dataclass(frozen=True)
class Saved:
    """What a change came to: the record's id, its whole state, whether it is new or differs."""

    id: int
    state: dict[str, Any]
    created: bool = False
    changed: bool = True

    @property
    def version(self) -> int | None:
        """The version after the change."""
        return self.state.get("version")


def create(record: Record, actor: Actor, raw: Raw) -> Saved:
    """Make a record of `raw`. Raises Unproven, Refused, Invalid, Conflict."""
    return create_many(record, actor, [raw])[0]


def create_many(record: Record, actor: Actor, raws: Sequence[Raw]) -> list[Saved]:
    """Make several records in one transaction: all or none."""
    pass_door(record.access.create, actor)
    with transaction() as connection:
        changes = []
        for raw in raws:
            values = parse(record, actor, raw, form=NEW, state=None)
            change = Change(record, actor, "create", None, values)
            _prepare(connection, change)
            change.id = rows.insert(connection, change)
            changes.append(change)
        states = _look(connection, record, record.access.create, changes)
        _keep(connection, changes, states)
        return [Saved(state["id"], state, created=True) for state in states]


def update(
    record: Record,
    actor: Actor,
    id: int,
    raw: Raw,
    *,
    replace: bool = False,
    version: int | None = None,
) -> Saved:
    """Change the fields that `raw` names (all of them with `replace`).

    `version` is what the change is based on. Raises Unproven, Refused, Missing, Stale, Invalid,
    Conflict.
    """
    rule = record.access.update
    pass_door(rule, actor)
    with transaction() as connection:
        state = rows.find(connection, record, actor, id, rule)
        raw = without_version(connection, record, state, raw, version)
        if state.get("deleted_at") and not actor.is_system:
            raise Conflict(f"This {record.one.lower()} is in the trash; restore it first.")
        form = WHOLE if replace else PART
        values = parse(record, actor, raw, form=form, state=state)
        return _changed(connection, Change(record, actor, "update", state, values), rule)


def delete(
    record: Record, actor: Actor, id: int, *, permanent: bool = False, version: int | None = None
) -> None:
    """Put a record into the trash, or remove it where there is no trash or with `permanent`.

    Raises Unproven, Refused, Missing, Stale, Conflict.
    """
    rule = record.access.permanent if permanent else record.access.delete
    pass_door(rule, actor)
    with transaction() as connection:
        state = rows.find(connection, record, actor, id, rule)
        without_version(connection, record, state, {}, version)
        change = Change(record, actor, "delete", state)
        if record.trashes and not permanent:
            change.set(deleted_at=state["deleted_at"] or now())
            _changed(connection, change, rule)
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
) -> Saved:
    """Run the action `name`. Raises Unproven, Refused, Missing, Stale, Invalid, Conflict."""
    action = record.action(name)
    assert action is not None
    pass_door(action.allow, actor)
    with transaction() as connection:
        state = rows.find(connection, record, actor, id, action.allow)
        raw = without_version(connection, record, state, raw or {}, version)
        change = Change(record, actor, name, state, action_input(record, action, raw))
        if state.get("deleted_at") and not action.in_trash:
            raise Conflict(f"This {record.one.lower()} is in the trash; restore it first.")
        return _acted(connection, change, action)


def _acted(connection: Connection, change: Change, action: Action) -> Saved:
    made = action.run(change)
    if action.creates:
        return create(change.record, change.actor, made or {})
    return _changed(connection, change, action.allow)


def pass_door(rule: Rule, actor: Actor) -> None:
    """Let nobody in for whom the rule never holds. Raises Unproven or Refused."""
    if rule(actor) is not False:
        return
    if actor.is_anonymous:
        raise Unproven("Sign in to do this.")
    raise Refused(f"This needs {rule.words}.")


def _prepare(connection: Connection, change: Change) -> None:
    if change.state is None:
        for field in change.record.fields:
            if field.fill is not None and change.values.get(field.name) is None:
                change.values[field.name] = field.fill(change)
    resolve(connection, change, lambda target, actor, raw: create(target, actor, raw).id)
    change.check()
    change.record.before(change)
    change.check()


def _changed(connection: Connection, change: Change, rule: Rule) -> Saved:
    """Write what differs, if anything does."""
    assert change.state is not None
    _prepare(connection, change)
    if not rows.update(connection, change):
        return Saved(change.state["id"], change.state, changed=False)
    states = _look(connection, change.record, rule, [change])
    _keep(connection, [change], states)
    return Saved(change.state["id"], states[0])


def _look(
    connection: Connection, record: Record, rule: Rule, changes: list[Change]
) -> list[dict[str, Any]]:
    actor = changes[0].actor
    ids = [change.id for change in changes]
    states = rows.states(connection, record, actor, ids, rule)
    if len(states) < len(ids):
        pass_door(Rule(lambda _: False, rule.words), actor)
    return states


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
    search.forget(connection, record, state["id"])

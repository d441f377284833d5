"""Reverts a change: restores the earlier values if no one has edited the record since."""

from typing import Any

from quire.actor import Actor
from quire.declare.change import Change
from quire.declare.pydantic_models import PART
from quire.declare.record import Record
from quire.declare.rules import require_possible
from quire.errors import ValidationFailed
from quire.store.access_decision import rule_of
from quire.store.changes import rows
from quire.store.changes.preconditions import check_version, parse_values, prepare
from quire.store.db import transaction
from quire.store.history.revision_service import dangling_references, missing_reference
from quire.store.transactions.retries import retry_conflicts
from quire.store.write import Saved, write_changes

Raw = dict[str, Any]


@retry_conflicts
def revert(record: Record, actor: Actor, id: int, data: Raw, *, action: str, version: int) -> Saved:
    """Restore `data` of a revision if the record is still at `version`; `action` is the action to revert.

    Whoever may run the action may revert it, but no one can set a field that they may not set. References
    to deleted records are rejected by name. Raises Unauthenticated, PermissionDenied, NotFound,
    VersionConflict, ValidationFailed, Conflict.
    """
    rule = rule_of(record, action) or record.access.update
    require_possible(rule, actor)
    ready = prepare(record, actor, id, data)
    with transaction() as connection:
        row = rows.load_for_update(connection, record, actor, id, rule)
        state = row.state
        check_version(connection, record, state, {}, version)
        raw = {name: data[name] for name in data if data[name] != state.get(name)}
        if dangling := dangling_references(connection, record, actor, raw):
            raise ValidationFailed([missing_reference(record, actor, *one) for one in dangling])
        values = _values(record, actor, raw, state, action)
        verb = "restore" if action == "delete" else "update"
        change = Change(record, actor, verb, state, values, ready)
        return write_changes(connection, change, rule, row)


def _values(record: Record, actor: Actor, raw: Raw, state: Raw, action: str) -> Raw:
    """The values that `actor` may edit, and those that only the action may set."""
    editable = {name: value for name, value in raw.items() if record.field(name).on_update}
    values = parse_values(record, actor, editable, form=PART, state=state)
    if action == "update":  # all other differences follow from the editable values
        return values
    rest = {name: value for name, value in raw.items() if name not in editable}
    return values | parse_values(record, actor.as_system(), rest, form=PART, state=state)

"""A change taken back: a record gets what it held before, as long as nobody has edited it since."""

from typing import Any

from quire.actor import Actor
from quire.declare.change import Change
from quire.declare.pydantic_models import PART
from quire.declare.record import Record
from quire.declare.rules import require_possible
from quire.store import rows
from quire.store.access_decision import rule_of
from quire.store.db import transaction
from quire.store.preconditions import check_version, parse_values, prepare
from quire.store.write import Saved, write_changes

Raw = dict[str, Any]


def revert(record: Record, actor: Actor, id: int, data: Raw, *, action: str, version: int) -> Saved:
    """Give a record back `data` of a revision while it is at `version`; `action` is what is taken back.

    Whoever might do that may take it back, and nobody sets a field that they may not. Raises
    Unauthenticated, PermissionDenied, NotFound, VersionConflict, ValidationFailed, Conflict.
    """
    rule = rule_of(record, action) or record.access.update
    require_possible(rule, actor)
    ready = prepare(record, actor, id, data)
    with transaction() as connection:
        found = rows.load_for_update(connection, record, actor, id, rule)
        state = found.state
        check_version(connection, record, state, {}, version)
        raw = {name: data[name] for name in data if data[name] != state.get(name)}
        values = _values(record, actor, raw, state, action)
        verb = "restore" if action == "delete" else "update"
        change = Change(record, actor, verb, state, values, ready)
        return write_changes(connection, change, rule, found)


def _values(record: Record, actor: Actor, raw: Raw, state: Raw, action: str) -> Raw:
    """What people write, by the rights of `actor`; what only the action sets, by those of the action."""
    written = {name: value for name, value in raw.items() if record.field(name).on_update}
    values = parse_values(record, actor, written, form=PART, state=state)
    if action == "update":  # what else differs follows from what was written
        return values
    rest = {name: value for name, value in raw.items() if name not in written}
    return values | parse_values(record, actor.as_system(), rest, form=PART, state=state)

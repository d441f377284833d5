"""References as they are sent (id, natural key, object) -> ids of records that the actor may see."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, false, or_, select

from quire.actor import Actor
from quire.declare.change import Change
from quire.declare.clock import now
from quire.declare.fields import Field
from quire.declare.kinds import MAX_ID
from quire.declare.record import Record, record_of

Create = Callable[[Record, Actor, dict[str, Any]], int]


def resolve(connection: Connection, change: Change, create: Create) -> None:
    """Put ids where references were sent; note those that lead nowhere in `change`.

    `create` makes a record of a given type from a name that is not there yet, where that is
    declared and allowed.
    """
    for name in list(change.values):
        field = change.record.field(name)
        value = change.values[name]
        if field.target is None or value is None:
            continue
        sent = value if isinstance(value, list) else [value]
        ids = _ids(connection, change, field, sent, create)
        change.values[name] = list(dict.fromkeys(ids)) if field.many else next(iter(ids), None)


def _ids(
    connection: Connection, change: Change, field: Field, sent: list[Any], create: Create
) -> list[int]:
    target = record_of(field.target or "")
    wanted = [one.get("id") if isinstance(one, dict) else one for one in sent]
    found = _lookup(connection, target, change.actor, wanted)
    ids = []
    for one in wanted:
        id = found.get(one) if _is_reference(one) else None
        if id is None and isinstance(one, str) and _may_create(field, target, change.actor):
            id = found[one] = create(target, change.actor, {target.title: one})
        if id is None:
            change.refuse(field.name, "not_found", f"{field.label} {str(one)[:50]} does not exist.")
        else:
            ids.append(id)
    return ids


def _is_reference(one: Any) -> bool:
    return isinstance(one, str) or (type(one) is int and 0 < one <= MAX_ID)


def _may_create(field: Field, target: Record, actor: Actor) -> bool:
    return field.create_missing and target.allows(actor, "create") is True


def _lookup(
    connection: Connection, target: Record, actor: Actor, wanted: list[Any]
) -> dict[Any, int]:
    key = target.field(target.key).column
    ids = [one for one in wanted if type(one) is int and 0 < one <= MAX_ID]
    names = [one for one in wanted if isinstance(one, str)] if key.name != "id" else []
    either = [
        column.in_(values) for column, values in ((target.table.c.id, ids), (key, names)) if values
    ]
    if not either:
        return {}
    statement = select(target.table.c.id, key).where(or_(*either))
    answer = target.allows(actor, "read")
    if answer is not True:
        statement = statement.where(false() if answer is False else answer)
    values = {"actor_id": actor.user_id, "now": now()} if answer is not True else {}
    found: dict[Any, int] = {}
    for id, name in connection.execute(statement, values):
        found[id] = id
        if isinstance(name, str):
            found[name] = id
    return found

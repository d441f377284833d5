"""References as they are sent (id, natural key, object) -> ids of records that the actor may see."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Connection, Select, String, bindparam, or_, select

from quire.actor import Actor
from quire.declare.change import Change
from quire.declare.clock import now
from quire.declare.fields import Field
from quire.declare.record import Record, record_of
from quire.declare.rules import required
from quire.declare.values import MAX_ID
from quire.errors import Invalid
from quire.store.prepared import Prepared

Create = Callable[[Record, Actor, dict[str, Any]], int]


Known = dict[str, dict[Any, int]]
"""Ids that have been found, by table: what was sent -> id."""

AT_ONCE = 500


def foresee(connection: Connection, changes: Sequence[Change]) -> Known:
    """Look up what many changes refer to in few queries. All are by one actor."""
    wanted: dict[str, dict[Any, None]] = {}
    for change in changes:
        for name, value in change.values.items():
            target = change.record.field(name).target
            if target is not None and value is not None:
                wanted.setdefault(target, {}).update(dict.fromkeys(_references(value)))
    known: Known = {table: {} for table in wanted}
    for table, references in wanted.items():
        rest = list(references)
        for start in range(0, len(rest), AT_ONCE):
            part = rest[start : start + AT_ONCE]
            known[table].update(_lookup(connection, record_of(table), changes[0].actor, part))
    return known


def resolve(connection: Connection, change: Change, create: Create, known: Known) -> None:
    """Put ids where references were sent; note those that lead nowhere in `change`.

    `create` makes a record of a given type from a name that is not there yet, where that is
    declared and allowed. What `known` lacks is looked up and added to it.
    """
    for name in list(change.values):
        field = change.record.field(name)
        value = change.values[name]
        if field.target is None or value is None:
            continue
        ids = _ids(connection, change, field, value, create, known)
        change.values[name] = list(dict.fromkeys(ids)) if field.many else next(iter(ids), None)


def _sent(value: Any) -> list[Any]:
    sent = value if isinstance(value, list) else [value]
    ids = (one.get("id") if isinstance(one, dict) else one for one in sent)
    return [one.strip() if isinstance(one, str) else one for one in ids]


def _references(value: Any) -> list[Any]:
    return [one for one in _sent(value) if _is_reference(one)]


def _ids(
    connection: Connection,
    change: Change,
    field: Field,
    value: Any,
    create: Create,
    known: Known,
) -> list[int]:
    target = record_of(field.target or "")
    found = known.setdefault(field.target or "", {})
    missing = [one for one in _references(value) if one not in found]
    found.update(_lookup(connection, target, change.actor, missing))
    ids = []
    for one in _sent(value):
        id = found.get(one) if _is_reference(one) else None
        if id is None and isinstance(one, str) and _may_create(field, target, change.actor):
            id = _made(change, field, one, create)
            found |= {} if id is None else {one: id}
        elif id is None:
            change.refuse(field.name, "not_found", f"{field.label} {str(one)[:50]} does not exist.")
        if id is not None:
            ids.append(id)
    return ids


def small_objects(
    connection: Connection, target: Record, actor: Actor, sent: Sequence[Any]
) -> list[dict[str, Any]]:
    """What references lead to, in their order; of what leads nowhere, the part that was sent."""
    known = [one for one in sent if _is_reference(one)]
    ids = _lookup(connection, target, actor, known)
    table = target.table.c
    wanted = select(*(table[name] for name in target.small)).where(table.id.in_(ids.values()))
    rows = {row["id"]: dict(row) for row in connection.execute(wanted).mappings()}
    return [rows.get(ids.get(one, 0)) or _only_sent(target, one) for one in sent]


def _only_sent(target: Record, one: Any) -> dict[str, Any]:
    name = target.key if isinstance(one, str) else "id"
    return {**dict.fromkeys(target.small), name: one}


def _made(change: Change, field: Field, name: str, create: Create) -> int | None:
    """The id of a new record called `name`; what is wrong with the name is said of the field."""
    target = record_of(field.target or "")
    try:
        return create(target, change.actor, {target.title: name})
    except Invalid as error:
        for bad in error.details:
            change.refuse(field.name, bad["code"], f"{field.label}: {bad['message']}")
    return None


def _is_reference(one: Any) -> bool:
    return isinstance(one, str) or (type(one) is int and 0 < one <= MAX_ID)


def _may_create(field: Field, target: Record, actor: Actor) -> bool:
    return field.create_missing and target.allows(actor, "create") is True


def _lookup(
    connection: Connection, target: Record, actor: Actor, wanted: list[Any]
) -> dict[Any, int]:
    ids = [one for one in wanted if _is_reference(one) and not isinstance(one, str)]
    names = [one for one in wanted if isinstance(one, str)] if target.key != "id" else []
    if not ids and not names:
        return {}
    single = len(ids) == 1 and not names
    values: dict[str, Any] = {"actor_id": actor.user_id, "now": now()}
    if single:
        rows = _by_id(target, actor.typical)(connection, {"ids": ids[0], **values})
    else:
        statement = _by_id_or_name(target, actor.typical, single)
        rows = connection.execute(statement, {"ids": ids, "names": names, **values})
    found: dict[Any, int] = {}
    for id, name in rows:
        found[id] = id
        if isinstance(name, str):
            found[name] = id
    return found


@cache
def _by_id(target: Record, actor: Actor) -> Prepared:
    return Prepared(_by_id_or_name(target, actor, single=True))


@cache
def _by_id_or_name(target: Record, actor: Actor, single: bool) -> Select[Any]:
    id, key = target.table.c.id, target.field(target.key).column
    wanted = bindparam("ids", expanding=not single, type_=BigInteger)
    either = [id == wanted if single else id.in_(wanted)]
    if target.key != "id" and not single:
        either.append(key.in_(bindparam("names", expanding=True, type_=String)))
    statement = select(id, key).where(or_(*either))
    # to name is not to read: no scope is needed for it
    return statement.where(*required(target.policy.read(actor)))

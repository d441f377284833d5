"""References as they are sent (id, natural key, object) -> ids of records that the actor may see."""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, Connection, Select, bindparam, or_, select

from quire.actor import NO_SCOPES, Actor
from quire.declare.change import Change
from quire.declare.clock import now
from quire.declare.fields import Field
from quire.declare.kinds import MAX_ID, SPACES
from quire.declare.record import Record, record_of
from quire.declare.rules import row_conditions
from quire.declare.unicode_text import case_fold, normalize
from quire.errors import Conflict, Detail, ValidationFailed, detail
from quire.store.db import savepoint
from quire.store.statements import Prepared

Create = Callable[[Record, Actor, dict[str, Any]], int]


Known = dict[str, dict[Any, int]]
"""Ids that have been found, by table: what was sent -> id; names by the form they are compared in."""

AT_ONCE = 500


def prefetch(connection: Connection, changes: Sequence[Change]) -> Known:
    """Look up what many changes refer to in few queries. All are by one actor."""
    wanted: dict[str, dict[Any, None]] = {}
    for change in changes:
        for name, value in change.values.items():
            target = change.record.field(name).target
            if target is not None and value is not None:
                references = _references(record_of(target), value)
                wanted.setdefault(target, {}).update(dict.fromkeys(references))
    known: Known = {table: {} for table in wanted}
    for table, some in wanted.items():
        rest = list(some)
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


def _as_list(target: Record, value: Any) -> list[Any]:
    sent = value if isinstance(value, list) else [value]
    ids = (_of_object(target, one) if isinstance(one, dict) else one for one in sent)
    return [normalize(one).strip(SPACES) if isinstance(one, str) else one for one in ids]


def _of_object(target: Record, one: dict[str, Any]) -> Any:
    """What an object names: its id, or else its natural key; None when it has neither."""
    if "id" in one:
        return one["id"] if type(one["id"]) is int else None
    key = one.get(target.key)
    return key if isinstance(key, str) else None


def _references(target: Record, value: Any) -> list[Any]:
    return [one for one in _as_list(target, value) if _is_reference(one)]


def _refusal(field: Field, target: Record, one: Any) -> Detail:
    if one is None:
        ways = "an ID" if target.key == "id" else f"an ID or a {target.key}"
        return detail(field.name, "wrong_type", f"{field.label} must be {ways}.")
    return detail(field.name, "not_found", f"{field.label} {str(one)[:50]} does not exist.")


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
    missing = [one for one in _references(target, value) if _form(target, one) not in found]
    found.update(_lookup(connection, target, change.actor, missing))
    may_create = _may_create(field, target, change.actor)
    if may_create:
        names = {_form(target, one): one for one in reversed(missing) if isinstance(one, str)}
        new = {form: name for form, name in sorted(names.items()) if form not in found}
        found.update(_created(connection, change, field, new, create))
    ids = []
    for one in _as_list(target, value):
        id = found.get(_form(target, one)) if _is_reference(one) else None
        if id is not None:
            ids.append(id)
        elif not (may_create and isinstance(one, str)):
            change.bad_fields.append(_refusal(field, target, one))
    return ids


def unknown_references(
    connection: Connection, record: Record, actor: Actor, raw: dict[str, Any], names: Iterable[str]
) -> list[Detail]:
    """What is wrong with the references that `raw` has under `names`; nothing is made."""
    bad = []
    for field in map(record.field, names):
        target, value = record_of(field.target or ""), raw[field.name]
        sent = [] if value is None else _as_list(target, value)
        found = _lookup(connection, target, actor, [one for one in sent if _is_reference(one)])
        may_create = _may_create(field, target, actor)
        for one in sent:
            is_new = may_create and isinstance(one, str)
            if not is_new and not (_is_reference(one) and _form(target, one) in found):
                bad.append(_refusal(field, target, one))
    return bad


def find_by_key(connection: Connection, target: Record, actor: Actor, name: str) -> int | None:
    """The id of the record with this natural key, None where `actor` sees none."""
    return next(iter(_lookup(connection, target, actor, [name]).values()), None)


def small_objects(
    connection: Connection, target: Record, actor: Actor, sent: Sequence[Any]
) -> list[dict[str, Any]]:
    """What references lead to, in their order; of what leads nowhere, the part that was sent."""
    known = [one for one in sent if _is_reference(one)]
    ids = _lookup(connection, target, actor, known)
    table = target.table.c
    wanted = select(*(table[name] for name in target.reference_fields)).where(
        table.id.in_(ids.values())
    )
    rows = {row["id"]: dict(row) for row in connection.execute(wanted).mappings()}
    found = [ids.get(_form(target, one), 0) if _is_reference(one) else 0 for one in sent]
    return [rows.get(id) or _only_sent(target, one) for id, one in zip(found, sent, strict=True)]


def _only_sent(target: Record, one: Any) -> dict[str, Any]:
    name = target.key if isinstance(one, str) else "id"
    return {**dict.fromkeys(target.reference_fields), name: one}


def _created(
    connection: Connection, change: Change, field: Field, names: dict[Any, str], create: Create
) -> dict[Any, int]:
    """The ids of new records called `names`, by form; what is wrong with a name is said of the field.

    They are made in order of their forms: two transactions that make the same ones never wait for
    one another.
    """
    target = record_of(field.target or "")
    ids: dict[Any, int] = {}
    for form, name in names.items():
        try:
            with savepoint(connection):
                ids[form] = create(target, change.actor, {target.title_field: name})
        except ValidationFailed as error:
            for bad in error.details:
                change.refuse(field.name, bad["code"], f"{field.label}: {bad['message']}")
        except Conflict:  # another transaction has made it meanwhile
            ids |= _lookup(connection, target, change.actor, [name])
            if form not in ids:
                raise
    return ids


def _is_reference(one: Any) -> bool:
    return isinstance(one, str) or (type(one) is int and 0 < one <= MAX_ID)


def _form(target: Record, one: Any) -> Any:
    """What a reference is compared by: names that ignore case without it."""
    folds = isinstance(one, str) and target.field(target.key).folded_column is not None
    return case_fold(one) if folds else one


def _may_create(field: Field, target: Record, actor: Actor) -> bool:
    return field.create_missing and target.allows(actor, "create") is True


def _lookup(
    connection: Connection, target: Record, actor: Actor, wanted: list[Any]
) -> dict[Any, int]:
    ids = [one for one in wanted if _is_reference(one) and not isinstance(one, str)]
    # no name holds a NUL, and PostgreSQL takes none
    texts = [one for one in wanted if isinstance(one, str) and "\0" not in one]
    names = texts if target.key != "id" else []
    if not ids and not names:
        return {}
    single = len(ids) == 1 and not names
    values: dict[str, Any] = {"actor_id": actor.user_id, "now": now()}
    if single:
        rows = _by_id(target, actor.cache_key_actor_for(NO_SCOPES))(
            connection, {"ids": ids[0], **values}
        )
    else:
        statement = _by_id_or_name(target, actor.cache_key_actor_for(NO_SCOPES), single)
        rows = connection.execute(statement, {"ids": ids, "names": names, **values})
    found: dict[Any, int] = {}
    for id, name in rows:
        found[id] = id
        if isinstance(name, str):
            found[name] = id
    return found


@lru_cache(300)
def _by_id(target: Record, actor: Actor) -> Prepared:
    return Prepared(_by_id_or_name(target, actor, single=True))


@lru_cache(300)
def _by_id_or_name(target: Record, actor: Actor, single: bool) -> Select[Any]:
    id, key = target.table.c.id, target.field(target.key).comparison_column
    wanted = bindparam("ids", expanding=not single, type_=BigInteger)
    either = [id == wanted if single else id.in_(wanted)]
    if target.key != "id" and not single:
        either.append(key.in_(bindparam("names", expanding=True, type_=key.type)))
    statement = select(id, key).where(or_(*either))
    # to name is not to read: no scope is needed for it
    return statement.where(*row_conditions(target.declared_access.read(actor)))

"""Resolves references (id, natural key, object) to ids of records that the actor may see."""

from collections.abc import Callable, Container, Iterable, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, Connection, Select, bindparam, or_, select

from quire.actor import NO_SCOPES, Actor
from quire.declare.change import Change
from quire.declare.clock import now
from quire.declare.fields import Field
from quire.declare.record import Record, record_of
from quire.declare.rules import row_conditions
from quire.declare.unicode_text import case_fold, normalize
from quire.declare.value_kinds import MAX_ID, SPACES
from quire.errors import Conflict, Detail, ValidationFailed, detail
from quire.store.connections.prepared_statements import Prepared
from quire.store.db import savepoint
from quire.translations.messages import Message

Create = Callable[[Record, Actor, dict[str, Any]], int]


ReferenceIds = dict[str, dict[Any, int]]
"""Resolved ids by table and reference; names are in the form used for comparison."""

AT_ONCE = 500


def prefetch(connection: Connection, changes: Sequence[Change]) -> ReferenceIds:
    """Look up the references of many changes in few queries. All changes are by the same actor."""
    by_table: dict[str, dict[Any, None]] = {}
    for change in changes:
        for name, value in change.values.items():
            target = change.record.field(name).target
            if target is not None and value is not None:
                known = by_table.setdefault(target, {})
                if not _are_in(known, value):
                    known.update(dict.fromkeys(_references(record_of(target), value)))
    reference_ids: ReferenceIds = {table: {} for table in by_table}
    for table, some in by_table.items():
        remaining = list(some)
        for start in range(0, len(remaining), AT_ONCE):
            part = remaining[start : start + AT_ONCE]
            reference_ids[table].update(
                _lookup(connection, record_of(table), changes[0].actor, part)
            )
    return reference_ids


def resolve(
    connection: Connection, change: Change, create: Create, reference_ids: ReferenceIds
) -> None:
    """Replace references by ids; report dangling ones as bad fields of `change`.

    `create` makes a record of a given type for a new name, if that is declared and allowed. Ids missing
    from `reference_ids` are looked up and added to it.
    """
    for name in list(change.values):
        field = change.record.field(name)
        value = change.values[name]
        if field.target is None or value is None:
            continue
        ids = _ids(connection, change, field, value, create, reference_ids)
        change.values[name] = list(dict.fromkeys(ids)) if field.many else next(iter(ids), None)


def _are_in(known: Container[Any], value: Any) -> bool:
    """Whether all references in a value are ids and names that `known` contains verbatim."""
    values = value if isinstance(value, list) else [value]
    return all(type(one) in (str, int) and one in known for one in values)


def _as_list(target: Record, value: Any) -> list[Any]:
    values = value if isinstance(value, list) else [value]
    return [_id_or_key(target, one) for one in values]


def _id_or_key(target: Record, one: Any) -> Any:
    if isinstance(one, dict):
        one = _of_object(target, one)
    return normalize(one).strip(SPACES) if isinstance(one, str) else one


def _of_object(target: Record, one: dict[str, Any]) -> Any:
    """The id in an object, or else its natural key; None if it has neither."""
    if "id" in one:
        return one["id"] if type(one["id"]) is int else None
    key = one.get(target.key)
    return key if isinstance(key, str) else None


def _references(target: Record, value: Any) -> list[Any]:
    return [one for one in _as_list(target, value) if _is_reference(one)]


def _refusal(field: Field, target: Record, one: Any) -> Detail:
    if one is None:
        ways = "an ID" if target.key == "id" else f"an ID or a {target.key}"
        return detail(
            field.name,
            "wrong_type",
            Message("%(label)s must be %(ways)s.", label=Message(field.label), ways=ways),
        )
    return detail(
        field.name,
        "not_found",
        Message(
            "%(label)s %(value)s does not exist.", label=Message(field.label), value=str(one)[:50]
        ),
    )


def _ids(
    connection: Connection,
    change: Change,
    field: Field,
    value: Any,
    create: Create,
    reference_ids: ReferenceIds,
) -> list[int]:
    target = record_of(field.target or "")
    ids_by_form = reference_ids.setdefault(field.target or "", {})
    values = value if isinstance(value, list) else [value]
    known: list[Any] = [ids_by_form.get(one) for one in values if type(one) in (str, int)]
    if len(known) == len(values) and None not in known:  # nearly always the case after `prefetch`
        return known
    references = [(one, _form(target, one)) for one in _as_list(target, value)]
    missing = [one for one, form in references if _is_reference(one) and form not in ids_by_form]
    may_create = bool(missing) and _may_create(field, target, change.actor)
    if missing:
        ids_by_form.update(_lookup(connection, target, change.actor, missing))
    if may_create:
        names = _new_names(target, missing, ids_by_form)
        ids_by_form.update(_create_missing(connection, change, field, names, create))
    found = [
        (one, ids_by_form.get(form) if _is_reference(one) else None) for one, form in references
    ]
    change.bad_fields += [
        _refusal(field, target, one)
        for one, id in found
        if id is None and not (may_create and isinstance(one, str))
    ]
    return [id for _, id in found if id is not None]


def _new_names(target: Record, missing: list[Any], known: Container[Any]) -> dict[Any, str]:
    """The names that no record has, by form, each in its first spelling.

    Sorted by form, so that two transactions that create the same names never deadlock.
    """
    names = {_form(target, one): one for one in reversed(missing) if isinstance(one, str)}
    return {form: name for form, name in sorted(names.items()) if form not in known}


def unknown_references(
    connection: Connection, record: Record, actor: Actor, raw: dict[str, Any], names: Iterable[str]
) -> list[Detail]:
    """The errors in the references of the fields `names` of `raw`; creates nothing."""
    bad = []
    for field in map(record.field, names):
        target, value = record_of(field.target or ""), raw[field.name]
        references = [] if value is None else _as_list(target, value)
        ids = _lookup(connection, target, actor, [one for one in references if _is_reference(one)])
        may_create = _may_create(field, target, actor)
        for one in references:
            is_new = may_create and isinstance(one, str)
            if not is_new and not (_is_reference(one) and _form(target, one) in ids):
                bad.append(_refusal(field, target, one))
    return bad


def find_by_key(connection: Connection, target: Record, actor: Actor, name: str) -> int | None:
    """The id of the record with this natural key, None if `actor` sees none."""
    return next(iter(_lookup(connection, target, actor, [name]).values()), None)


def small_objects(
    connection: Connection, target: Record, actor: Actor, references: Sequence[Any]
) -> list[dict[str, Any]]:
    """The small objects for references, in order; a dangling reference yields only its own part."""
    valid_references = [one for one in references if _is_reference(one)]
    ids = _lookup(connection, target, actor, valid_references)
    table = target.table.c
    statement = select(*(table[name] for name in target.reference_fields)).where(
        table.id.in_(ids.values())
    )
    rows = {row["id"]: dict(row) for row in connection.execute(statement).mappings()}
    target_ids = [ids.get(_form(target, one), 0) if _is_reference(one) else 0 for one in references]
    return [
        rows.get(id) or _missing_object(target, one)
        for id, one in zip(target_ids, references, strict=True)
    ]


def _missing_object(target: Record, one: Any) -> dict[str, Any]:
    name = target.key if isinstance(one, str) else "id"
    return {**dict.fromkeys(target.reference_fields), name: one}


def _create_missing(
    connection: Connection, change: Change, field: Field, names: dict[Any, str], create: Create
) -> dict[Any, int]:
    """The ids of new records called `names`, by form; a bad name becomes an error of the field."""
    target = record_of(field.target or "")
    ids: dict[Any, int] = {}
    for form, name in names.items():
        try:
            with savepoint(connection):
                ids[form] = create(target, change.actor, {target.title_field: name})
        except ValidationFailed as error:
            for bad in error.details:
                change.refuse(
                    field.name,
                    bad["code"],
                    Message(
                        "%(label)s: %(message)s", label=Message(field.label), message=bad["message"]
                    ),
                )
        except Conflict:  # another transaction has created it in the meantime
            ids |= _lookup(connection, target, change.actor, [name])
            if form not in ids:
                raise
    return ids


def _is_reference(one: Any) -> bool:
    return isinstance(one, str) or (type(one) is int and 0 < one <= MAX_ID)


def _form(target: Record, one: Any) -> Any:
    """The form in which a reference is compared: case-folded if its key ignores case."""
    folds = isinstance(one, str) and target.field(target.key).folded_column is not None
    return case_fold(one) if folds else one


def _may_create(field: Field, target: Record, actor: Actor) -> bool:
    return field.create_missing and target.allows(actor, "create") is True


def _lookup(
    connection: Connection, target: Record, actor: Actor, references: list[Any]
) -> dict[Any, int]:
    ids = [one for one in references if _is_reference(one) and not isinstance(one, str)]
    # no name contains NUL, and PostgreSQL rejects it
    texts = [one for one in references if isinstance(one, str) and "\0" not in one]
    names = texts if target.key != "id" else []
    if not ids and not names:
        return {}
    single = len(ids) == 1 and not names
    values: dict[str, Any] = {"actor_id": actor.user_id, "now": now()}
    rows: Iterable[Any]
    if single:
        rows = _by_id(target, actor.cache_key_actor_for(NO_SCOPES))(
            connection, {"ids": ids[0], **values}
        )
    else:
        statement = _by_id_or_name(target, actor.cache_key_actor_for(NO_SCOPES), single)
        rows = connection.execute(statement, {"ids": ids, "names": names, **values})
    ids_by_reference: dict[Any, int] = {}
    for id, name in rows:
        ids_by_reference[id] = id
        if isinstance(name, str):
            ids_by_reference[name] = id
    return ids_by_reference


@lru_cache(300)
def _by_id(target: Record, actor: Actor) -> Prepared:
    return Prepared(_by_id_or_name(target, actor, single=True))


@lru_cache(300)
def _by_id_or_name(target: Record, actor: Actor, single: bool) -> Select[Any]:
    id, key = target.table.c.id, target.field(target.key).comparison_column
    id_param = bindparam("ids", expanding=not single, type_=BigInteger)
    either = [id == id_param if single else id.in_(id_param)]
    if target.key != "id" and not single:
        either.append(key.in_(bindparam("names", expanding=True, type_=key.type)))
    statement = select(id, key).where(or_(*either))
    # a reference does not read the record, so it needs no read scope
    return statement.where(*row_conditions(target.declared_access.read(actor)))

"""Finds the existing record that matches an imported one, by unique values first."""

from typing import Any

from sqlalchemy import ColumnElement, Connection, select

from quire.declare.email_address import normalize_address
from quire.declare.fields import Field
from quire.declare.record import Record
from quire.declare.rules import NOBODY
from quire.declare.unicode_text import normalize
from quire.declare.value_kinds import time_from_text
from quire.exchange.archive.format import exported_fields, has_file
from quire.exchange.model import Unusable
from quire.exchange.names import USERNAME_LENGTH, with_number
from quire.records import USERS
from quire.records.site_settings import ONLY_ROW
from quire.store.changes.slugs import free_slug

Raw = dict[str, Any]


def is_created_with_owner(record: Record) -> bool:
    """Whether records of this type are created only together with another record, like profiles."""
    return record.declared_access.create is NOBODY


def is_publication(record: Record) -> bool:
    """Whether records of this type are published: two with the same address may be different records."""
    return bool(record.schedule_columns)


def find(connection: Connection, record: Record, raw: Raw) -> int | None:
    """The id of the existing record that matches `raw`, whose references are new ids."""
    if record.singleton:
        return ONLY_ROW
    if record is USERS:
        return _find_user(connection, raw)
    unique = [one for one in exported_fields(record) if one.is_stored and one.column.unique]
    if not unique:
        return _find_by_content(connection, record, raw)
    then = [_same_time(record, raw)] if is_publication(record) else []
    same = (one.comparison_column == normalize(raw[one.name]) for one in unique if _names(one, raw))
    ways = [[each, *then] for each in same] + (
        [_same_file(record, raw)] if has_file(record) else []
    )
    matches = (_find_id(connection, record, way) for way in ways)
    return next((id for id in matches if id is not None), None)


def _same_file(record: Record, raw: Raw) -> list[ColumnElement[bool]]:
    """Conditions for a file that the same user has uploaded before: no user has a file twice."""
    fields = (record.field(name) for name in ("owner", "sha256", "is_avatar"))
    return [one.column == raw.get(one.name) for one in fields]


def find_own(connection: Connection, record: Record, raw: Raw, id: int) -> int | None:
    """The record that had this id when this installation made the archive."""
    if "created_at" not in record.table.c or "created_at" not in raw:
        return None
    return _find_id(connection, record, [record.table.c.id == id, _same_time(record, raw)])


def _names(field: Field, raw: Raw) -> bool:
    """Whether `raw` has a value of this field's type; databases cannot compare others."""
    return isinstance(raw.get(field.name), str if field.target is None else int)


def _find_user(connection: Connection, raw: Raw) -> int | None:
    """Find a user by email, otherwise by username, unless both have an email and the two differ."""
    table, email = USERS.table.c, raw.get("email")
    by_email = (
        _find_id(connection, USERS, [table.email == normalize_address(str(email))])
        if email
        else None
    )
    if by_email is not None:
        return by_email
    conditions = [table.username_folded == str(raw.get("username"))]
    return _find_id(connection, USERS, conditions + ([table.email.is_(None)] if email else []))


def _find_by_content(connection: Connection, record: Record, raw: Raw) -> int | None:
    """Find a record without a unique field by its creation time, required references and title."""
    fixed = [f for f in exported_fields(record) if f.target and f.many is None and not f.nullable]
    title = record.field(record.title_field)
    compared = [one.column == raw[one.name] for one in (*fixed, title) if _names(one, raw)]
    return _find_id(connection, record, [*compared, _same_time(record, raw)])


def _same_time(record: Record, raw: Raw) -> ColumnElement[bool]:
    try:
        moment = time_from_text(str(raw.get("created_at")))
    except ValueError:
        raise Unusable("has no creation time") from None
    return record.table.c.created_at == moment


def changed_at(record: Record, state: Raw) -> Raw:
    """The time of the last change as its column stores it, to set it again after changes here."""
    if "updated_at" not in record.table.c or "updated_at" not in state:
        return {}
    try:
        return {"updated_at": time_from_text(str(state["updated_at"]))}
    except ValueError:
        return {}


def _find_id(connection: Connection, record: Record, same: list[Any]) -> int | None:
    id = connection.execute(select(record.table.c.id).where(*same)).scalar()
    return None if id is None else int(id)


def with_free_names(connection: Connection, record: Record, raw: Raw) -> tuple[Raw, list[str]]:
    """`raw` with names that are not in use, and a message for each name that was changed."""
    name = "username" if record is USERS else "slug"
    if not isinstance(name_there := raw.get(name), str):
        return raw, []
    free = (
        _free_username(connection, name_there) if record is USERS else free_slug(record, name_there)
    )
    words = (
        []
        if free == name_there
        else [f"{name_there} is already taken here, so it was changed to {free}"]
    )
    return raw | {name: free}, words


def _free_username(connection: Connection, username: str) -> str:
    free, number, folded = username, 2, USERS.table.c.username_folded
    while _find_id(connection, USERS, [folded == free]) is not None:
        free, number = with_number(username, number, USERNAME_LENGTH), number + 1
    return free


def differs(record: Record, state: Raw, raw: Raw) -> bool:
    """Whether the values of a record here, in `state`, differ from `raw`, apart from counters."""
    return any(
        by_ids(one, state.get(one.name)) != by_ids(one, raw[one.name])
        for one in exported_fields(record)
        if one.is_tracked and one.name in raw
    )


def by_ids(field: Field, value: Any) -> Any:
    """References as ids, lists of them in ascending order."""
    if field.target is None:
        return value
    if isinstance(value, list):
        return sorted(str(_id(one)) for one in value)
    return None if value is None else str(_id(value))


def _id(one: Any) -> Any:
    return one.get("id") if isinstance(one, dict) else one

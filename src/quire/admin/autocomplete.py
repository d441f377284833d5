"""Relation pickers: suggestions of records that the actor may see, at most LIMIT of them; which record a typed key or
name refers to; creating a record in place.
"""

from dataclasses import dataclass, replace
from typing import Any

import orjson

from quire.actor import Actor
from quire.admin.format import small_name
from quire.admin.thumbnails import thumbnail_url
from quire.declare.fields import Field
from quire.declare.pydantic_models import NEW, is_required
from quire.declare.query import Query, parse_query
from quire.declare.query_conditions import Condition
from quire.declare.query_fields import default_filters, filter_paths
from quire.declare.record import Record, record_of
from quire.declare.settable_fields import is_settable
from quire.declare.text_values import decode_value, reference_key
from quire.declare.value_kinds import INT64, is_printable
from quire.errors import NotFound
from quire.store import read
from quire.store.cache import cached_until_commit
from quire.web.language import gettext

LIMIT = 20
IN_A_DIALOG = {
    "text": "text", "email": "email", "url": "url", "password": "password",
    "textarea": "textarea", "markdown": "textarea",
}  # fmt: skip
"""Input types of a dialog that creates a record, by the widgets of its fields."""


def _query(target: Record, actor: Actor, text: str) -> Query:
    """Search by name if it can be filtered, otherwise by full text."""
    usual = parse_query(target, actor, default_filters(target, actor, ()))
    by_name = target.field(target.title_field).sort_key_column is not None
    query = replace(
        usual, count=False, per_page=LIMIT, sort=(target.title_field,) if by_name else ()
    )
    if not text:
        return query
    paths = filter_paths(target, actor)
    for name in (target.title_field, target.key):
        if name in paths and paths[name].kind.is_text:
            condition = Condition(name, "icontains", (text,))
            return replace(query, conditions=(*query.conditions, condition))
    return replace(query, search=text[:200], sort=())


def _images(query: Query) -> Query:
    """Only images, newest first: those are what records show of media."""
    some = (*query.conditions, Condition("width", "isnull", (False,)))
    return replace(query, conditions=some, sort=() if query.search else ("-id",))


def _suggestion(field: Field, target: Record, row: dict[str, Any]) -> dict[str, str]:
    key, name = reference_key(row, field), small_name(row, target)
    image = thumbnail_url(row)
    suggestion = {"value": key, "label": name, "hint": "" if key == name else key}
    return suggestion if image is None else {**suggestion, "image": image}


def reference_field(record: Record, actor: Actor, name: str) -> Field:
    """The field called `name`. Raises NotFound if it is not a reference that the actor may read."""
    field = record.fields_by_name.get(name)
    if field is None or field.target is None or field.read_rule(actor) is False:
        raise NotFound
    return field


def suggestions(record: Record, actor: Actor, name: str, text: str) -> list[dict[str, str]]:
    """Value, label and hint of each. Raises NotFound if `name` is not a reference of this type."""
    field = reference_field(record, actor, name)
    if not is_printable(text):
        return []
    target = record_of(field.target or "")
    if target.allows(actor, "read") is False:
        return []
    query = _query(target, actor, text.strip())
    page = read.list_records(target, actor, _images(query) if target.path == "media" else query)
    return [_suggestion(field, target, row) for row in page.rows]


@dataclass(frozen=True)
class NamedReference:
    """The key of a record, which forms hold, and its name, which people read."""

    id: int
    key: str
    name: str


def find_reference(record: Record, actor: Actor, field: Field, text: str) -> NamedReference | None:
    """The record that `text` refers to in this field: the one with this key, otherwise the only one with this name.

    Names are compared without regard to case. None if it refers to nothing that the actor sees.
    """
    if not text or not is_printable(text) or field.target is None or field.many is not None:
        return None
    asked = ("a reference", record.path, field.name, text, actor.user_id, actor.role)
    return cached_until_commit(
        asked, lambda: _by_key(actor, field, text) or _by_name(record, actor, field, text)
    )


def key_for(record: Record, actor: Actor, field: Field, text: str) -> str:
    """The key of the record that `text` refers to, or `text` itself if there is none."""
    reference = find_reference(record, actor, field, text)
    return reference.key if reference else text


def _by_key(actor: Actor, field: Field, text: str) -> NamedReference | None:
    target = record_of(field.target or "")
    value = decode_value(field, text, creating=False)
    if target.allows(actor, "read") is False or (isinstance(value, int) and value > INT64):
        return None
    condition = Condition("id" if isinstance(value, int) else target.key, "eq", (value,))
    usual = parse_query(target, actor, default_filters(target, actor, ()))
    query = replace(usual, conditions=(*usual.conditions, condition), count=False, per_page=1)
    rows = read.list_records(target, actor, query).rows
    if not rows:
        return None
    key, name = reference_key(rows[0], field), small_name(rows[0], target)
    return NamedReference(rows[0]["id"], key, name)


def _by_name(record: Record, actor: Actor, field: Field, text: str) -> NamedReference | None:
    name = text.strip().casefold()
    options = suggestions(record, actor, field.name, text)
    named = [one for one in options if one["label"].casefold() == name]
    return _by_key(actor, field, named[0]["value"]) if len(named) == 1 else None


def creation_in_place(field: Field, actor: Actor) -> dict[str, str]:
    """How a picker creates a record that it does not find: by its name, or in a dialog with the required fields.

    Empty if a required field is a file or another record, or the actor may not create any.
    """
    if field.target is None or field.many is not None:
        return {}
    target = record_of(field.target)
    required = [one for one in target.fields if is_settable(one, actor, NEW) and is_required(one)]
    fits = all(one.kind.widget in IN_A_DIALOG for one in required)
    if target.allows(actor, "create") is not True or not fits:
        return {}
    if target.title_field not in [one.name for one in required]:
        return {}
    fields = [_dialog_field(one) for one in required]
    return {
        "data-create": f"/api/v1/{target.path}",
        "data-create-field": target.title_field,
        "data-create-key": target.key,
        "data-create-noun": gettext(target.noun),
        **({"data-create-fields": orjson.dumps(fields).decode()} if len(fields) > 1 else {}),
    }


def _dialog_field(field: Field) -> dict[str, str]:
    label, help = gettext(field.label), gettext(field.help) if field.help else ""
    return {
        "name": field.name,
        "label": label,
        "help": help,
        "type": IN_A_DIALOG[field.kind.widget],
    }

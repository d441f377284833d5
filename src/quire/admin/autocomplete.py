"""Suggestions of relation pickers: records that the actor may see, at most LIMIT of them."""

from dataclasses import replace
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
from quire.declare.text_values import reference_key
from quire.errors import NotFound
from quire.store import read
from quire.web.language import gettext

LIMIT = 20
IN_A_DIALOG = {
    "text": "text", "email": "email", "url": "url", "password": "password",
    "textarea": "textarea", "markdown": "textarea",
}  # fmt: skip
"""Inputs of a dialog that creates a record, by the widgets of its fields."""


def _query(target: Record, actor: Actor, text: str) -> Query:
    """Search in the name if it can be filtered, else full-text search."""
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
    """Only pictures, the newest first: that is what records show of media."""
    some = (*query.conditions, Condition("width", "isnull", (False,)))
    return replace(query, conditions=some, sort=() if query.search else ("-id",))


def _suggestion(field: Field, target: Record, row: dict[str, Any]) -> dict[str, str]:
    key, name = reference_key(row, field), small_name(row, target)
    image = thumbnail_url(row)
    suggestion = {"value": key, "label": name, "hint": "" if key == name else key}
    return suggestion if image is None else {**suggestion, "image": image}


def suggestions(record: Record, actor: Actor, name: str, text: str) -> list[dict[str, str]]:
    """Value, label and hint of each. Raises NotFound if `name` is not a reference of this type."""
    field = record.fields_by_name.get(name)
    if field is None or field.target is None or field.read_rule(actor) is False:
        raise NotFound
    if "\x00" in text or any("\ud800" <= char <= "\udfff" for char in text):
        return []
    target = record_of(field.target)
    if target.allows(actor, "read") is False:
        return []
    query = _query(target, actor, text.strip())
    page = read.list_records(target, actor, _images(query) if target.path == "media" else query)
    return [_suggestion(field, target, row) for row in page.rows]


def creation_in_place(field: Field, actor: Actor) -> dict[str, str]:
    """How a picker creates a record that it does not find: by its name, else in a dialog with what it
    needs. Empty where that is a file or another record, or the actor may not.
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

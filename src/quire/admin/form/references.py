"""What a form shows of the records it refers to: their names, and thumbnails of images."""

from collections.abc import Sequence
from typing import Any

from quire.admin.autocomplete import find_reference
from quire.admin.form.fields import RecordForm
from quire.admin.format import small_name
from quire.admin.queries import find_many
from quire.admin.thumbnails import thumbnail
from quire.declare.fields import Field
from quire.declare.record import REGISTRY, record_of
from quire.declare.text_values import decode_value, reference_key

State = dict[str, Any]


def show_references(form: RecordForm, states: Sequence[State | None]) -> None:
    """Add the name to each field that refers to one record, and a thumbnail to those that refer to images.

    `states` are those of the record that the form may show: only references to other records, in new records or
    typed ones, are looked up.
    """
    images = _images(form)
    for name, field in form.declared.items():
        if field.target is None or field.many is not None:
            continue
        shown: Any = form.form[name]
        candidates = [images.get(name), *(one.get(name) for one in states if one)]
        small = next((one for one in candidates if _is_shown(field, one, shown.data)), None)
        if small is not None:
            shown.render_kw = {
                **shown.render_kw,
                "data-name": small_name(small, record_of(field.target)),
            }
        elif found := find_reference(form.record, form.actor, field, shown.data or ""):
            shown.render_kw = {**shown.render_kw, "data-name": found.name}
        if name in images:
            shown.picture = thumbnail(images[name])


def _is_shown(field: Field, small: Any, text: Any) -> bool:
    return isinstance(small, dict) and reference_key(small, field) == text


def _images(form: RecordForm) -> dict[str, Any]:
    """The files that fields for one file refer to, by field name."""
    ids = {
        name: decode_value(one, form.form[name].data, creating=False)
        for name, one in form.declared.items()
        if one.target == "media"
    }
    some = [id for id in ids.values() if isinstance(id, int)]
    files = find_many(REGISTRY["media"], form.actor, some, panel=False) if some else {}
    return {name: files[id] for name, id in ids.items() if id in files}

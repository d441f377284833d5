"""Three-way merge of a form: applies a person's changes to what is stored by now."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from flask import request

from quire.admin.form.fields import RecordForm
from quire.admin.form.line_merge import merge_lines
from quire.declare.fields import Field
from quire.declare.record import Record
from quire.declare.text_values import (
    is_same_text,
    merge_names,
    parse_version,
    split_names,
)
from quire.errors import VersionConflict
from quire.store.history import revision_service

State = dict[str, Any]
Texts = dict[str, Any]
"""The values of the fields of a form, by name: text, or a bool for a checkbox."""


LONG_TEXTS = ("markdown", "textarea")
"""Widgets of texts that are merged line by line."""

ATTEMPTS = 5
"""How often a merge is attempted while others keep saving."""


@dataclass
class Merge:
    """The result of a merge.

    `texts` are those of the form after the merge: the typed text of changed fields, otherwise the stored one.
    `conflicts` are changed fields that someone else has given another value. `adopted` are the fields that only
    others changed, and long texts in which others changed other lines.
    """

    texts: Texts
    conflicts: list[str] = field(default_factory=list)
    adopted: list[str] = field(default_factory=list)


def merge(fields: Mapping[str, Field], base: Texts, mine: Texts, theirs: Texts) -> Merge:
    """Merge field by field; fields missing in `base` count as conflicts if they differ."""
    merged = Merge({})
    for name, typed in mine.items():
        merged.texts[name] = _merge_field(merged, fields[name], base, typed, theirs[name])
    return merged


def _merge_field(merged: Merge, field: Field, base: Texts, typed: Any, stored: Any) -> Any:
    name = field.name
    if same_value(field, typed, stored):
        return stored
    if name in base and same_value(field, typed, base[name]):
        merged.adopted.append(name)
        return stored
    if name in base and same_value(field, stored, base[name]):
        return typed
    if name in base and field.many is not None:
        return merge_names(base[name], typed, stored)
    if name in base and field.kind.widget in LONG_TEXTS:
        both = merge_lines(base[name], typed, stored)
        if both is not None:
            merged.adopted.append(name)
            return both
    merged.conflicts.append(name)
    return typed


def same_value(field: Field, one: Any, other: Any) -> bool:
    """Whether two texts of a form mean the same value; the order of references does not matter."""
    if field.many is not None:
        return set(split_names(one)) == set(split_names(other))
    return is_same_text(field, one, other)


def split_draft(
    form: RecordForm, texts_before: Texts, mine: Texts, draft: State
) -> tuple[list[str], list[str]]:
    """The fields of a draft that stay in it when the form is published, and those in conflict.

    What the form showed is published; what others have added to the draft since stays in it.
    """
    texts, remaining, conflicts = form.texts_of(draft), [], []
    for name in draft["changed_fields"]:
        if name not in mine:
            remaining.append(name)
            continue
        field, stored = form.declared[name], texts[name]
        is_in_form = name in texts_before
        if same_value(field, stored, mine[name]) or (
            is_in_form and same_value(field, stored, texts_before[name])
        ):
            continue
        if is_in_form and same_value(field, mine[name], texts_before[name]):
            remaining.append(name)
        else:
            conflicts.append(name)
    return remaining, conflicts


def with_retries(attempt: Callable[[], Any]) -> Any:
    """Call `attempt` again if it raises VersionConflict, up to ATTEMPTS times."""
    for _ in range(ATTEMPTS - 1):
        try:
            return attempt()
        except VersionConflict as stale:
            if "conflict" in stale.extra:
                raise
    return attempt()


def sent_version(name: str = "version") -> int | None:
    """The version in the request, None if there is none; an invalid one is older than all versions."""
    text = request.form.get(name, "")
    return parse_version(text) if text else None


class FormSnapshot:
    """What the submitted form showed before anything was typed into it.

    `live` are the texts of the record's version that the form is based on. `initial_texts` are those that the form
    showed: of the version that was live then, of the draft if it is still the one that was shown, and first of all
    those that the form itself sends in `_base`.
    """

    def __init__(self, record: Record, form: RecordForm, live: State, draft: State | None):
        self._record, self._form, self._state = record, form, live
        version = sent_version()
        based_on = self._texts_at(version)
        texts_before = self._texts_at(sent_version("live_version") or version)
        self.initial_texts = (
            {**texts_before, **self._draft_texts(draft), **_sent_texts(form)}
            if version != 0
            else {}
        )
        self.live = self.initial_texts
        if sent_version("draft_version"):
            drafted = [name for name in based_on if not self._was_shown(name, texts_before)]
            self.live = {**self.initial_texts, **{name: based_on[name] for name in drafted}}

    def _texts_at(self, version: int | None) -> Texts:
        """The texts at a version, the current ones if none is given, empty if it is unknown."""
        if version is None or version == self._state.get("version"):
            return self._form.texts_of(self._state)
        data = revision_service.data_at(self._record, self._state["id"], version)
        return {} if data is None else self._form.texts_of(data)

    def _draft_texts(self, draft: State | None) -> Texts:
        if draft is None or draft["version"] != sent_version("draft_version"):
            return {}
        texts = self._form.texts_of(draft)
        return {name: texts[name] for name in draft["changed_fields"] if name in texts}

    def _was_shown(self, name: str, texts: Texts) -> bool:
        field = self._form.declared[name]
        return name in texts and same_value(field, self.initial_texts[name], texts[name])


def _sent_texts(form: RecordForm) -> Texts:
    """The original texts that the form sends; empty if they cannot be parsed."""
    try:
        base = orjson.loads(request.form.get("_base") or "{}")
    except orjson.JSONDecodeError:
        return {}
    if not isinstance(base, dict):
        return {}
    return {
        name: value
        for name, value in base.items()
        if name in form.declared and type(value) is _type_of(form.declared[name])
    }


def _type_of(field: Field) -> type:
    return bool if field.kind.widget == "checkbox" else str

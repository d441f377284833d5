"""Shows conflicts: the original, submitted and stored text of a field, so that nothing is overwritten unseen."""

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

from markupsafe import Markup

from quire.actor import Actor
from quire.admin.autocomplete import find_reference
from quire.admin.form.fields import RecordForm, choice_label
from quire.admin.form.merge import Texts
from quire.admin.local_time import format_moment, local_text_in_words
from quire.admin.record_history import actor_name, revisions_of
from quire.admin.revisions import abridge
from quire.declare.fields import Field
from quire.declare.record import Record
from quire.store.history.revision_service import text_parts
from quire.web.language import gettext

Parts = list[dict[str, str]]


def _display_value(form: RecordForm, field: Field, value: Any) -> str:
    """The text of a form field for people: a label, a name or a formatted time."""
    if isinstance(value, bool):
        return gettext("Yes") if value else gettext("No")
    if value and field.kind.widget == "datetime":
        return local_text_in_words(value)
    reference = find_reference(form.record, form.actor, field, str(value or ""))
    if reference is not None:
        return reference.name
    return choice_label(field, value) if value and field.choices else str(value or "")


def _parts(form: RecordForm, field: Field, before: Any, after: Any) -> Parts:
    """The changes in a text, word by word; other values as a whole."""
    if before is None or not field.kind.is_text:
        return [{"op": "equal", "text": _display_value(form, field, after)}]
    one, other = (str(text or "").replace("\r\n", "\n") for text in (before, after))
    return abridge(text_parts(one, other))


def _row(form: RecordForm, field: Field, base: Any, mine: Any, theirs: Any) -> dict[str, Any]:
    before = "" if base is None else _display_value(form, field, base)
    return {
        "name": field.name,
        "label": gettext(field.label),
        "base": before,
        "yours": _display_value(form, field, mine),
        "theirs": _display_value(form, field, theirs),
        "base_parts": [{"op": "equal", "text": before}],
        "yours_parts": _parts(form, field, base, mine),
        "theirs_parts": _parts(form, field, mine if base is None else base, theirs),
        "value": theirs,
    }


def compare(
    form: RecordForm, names: Iterable[str], base: Texts, mine: Texts, theirs: Texts
) -> list[dict[str, Any]]:
    """A row for each field: the original, the submitted and the stored value."""
    return [_row(form, form.declared[n], base.get(n), mine[n], theirs[n]) for n in names]


def conflict(record: Record, actor: Actor, theirs: dict[str, Any], rows: list[Any]) -> Any:
    """The page's text about the other version, a draft or a version of the record."""
    latest = next(iter(revisions_of(record, actor, theirs["id"])), None)
    who = actor_name(latest["actor"]) if latest else ""
    moment = latest["created_at"] if latest else theirs.get("updated_at")
    if "base_version" in theirs:  # not a version of the record, but its draft
        who, moment = actor_name(theirs["updated_by"]), theirs["updated_at"]
    text = (
        gettext("{who} saved draft version {version} on {time}.")
        if "base_version" in theirs
        else gettext("{who} saved version {version} on {time}.")
    )
    words = Markup(text).format(  # noqa: S704 - a text of ours
        who=who or gettext("Someone"),
        version=theirs.get("version", ""),
        time=format_moment(moment) if moment else "?",
    )
    return SimpleNamespace(words=words, rows=rows)


def conflict_json(conflict: Any, version: int, draft: dict[str, Any] | None) -> dict[str, Any]:
    """Both versions for a script, and the numbers by which mine replaces theirs knowingly."""
    return {
        "words": conflict.words.striptags(),
        "rows": conflict.rows,
        "version": version,
        "draft_version": draft["version"] if draft else None,
    }


def adopted_message(form: RecordForm, names: Iterable[str]) -> str:
    """A sentence about fields that only somebody else has changed; empty if there are none."""
    labels = ", ".join(gettext(form.declared[name].label) for name in names)
    return (
        gettext("Also updated with someone else’s changes: %(labels)s.", labels=labels)
        if labels
        else ""
    )

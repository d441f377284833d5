"""Events of the audit as sentences: who did what to which record, from which value to which."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from quire.actor import Actor
from quire.admin.audit.lookup import Event, Known, Values, changed_fields, titles_and_values
from quire.admin.format import cell_html, small_name
from quire.admin.local_time import format_relative
from quire.admin.past_tense import sentence
from quire.admin.urls import record_url
from quire.declare.fields import Field
from quire.declare.labels import in_sentence
from quire.declare.record import REGISTRY, Record, record_of
from quire.translations.messages import Message
from quire.web.language import gettext, is_english, plural_translation

LONGEST_VALUE = 60
"""The maximum length of a value inside a sentence."""
MAX_NAMED = 3
"""The maximum number of fields that are named; if there are more, only their number is given."""
CHANGED = Message("%(who)s changed %(fields)s of %(record)s")
REPLACED = Message("%(who)s changed %(fields)s of %(record)s from “%(before)s” to “%(after)s”")
EMPTIED = Message("%(who)s changed %(fields)s of %(record)s from “%(before)s” to nothing")
FILLED = Message("%(who)s changed %(fields)s of %(record)s to “%(after)s”")
"""Sentences about a change of named fields; all others are in past_tense.py."""
STRONG = Markup("<strong>{}</strong>")
LINK = Markup('<a dir="auto" href="{}">{}</a>')
ISOLATED = Markup("<bdi>{}</bdi>")


@dataclass(frozen=True)
class ValueChange:
    """What a change has done to one field; both values as HTML."""

    label: str
    before: Markup
    after: Markup


@dataclass(frozen=True)
class Sentence:
    """What happened, as plain text and as HTML; `url` is that of the record, if it exists.

    `changes` are the values before and after that are not part of the sentence itself.
    """

    text: str
    html: Markup
    url: str | None
    changes: Sequence[ValueChange]
    when: Markup

    def __str__(self) -> str:
        return self.text


def sentences(actor: Actor, events: Sequence[Event]) -> list[Sentence]:
    """One sentence for each event, in their order."""
    known = titles_and_values(actor, events)
    return [_sentence(one, known, _changes(actor, one, known.values)) for one in events]


def _changes(actor: Actor, event: Event, values: Values) -> list[ValueChange]:
    fields, version = changed_fields(actor, event), event["record_version"] or 0
    of_record = event["type"], event["record_id"]
    before, after = (values.get((*of_record, one)) for one in (version - 1, version))
    if before is None or after is None:
        return []
    return [
        ValueChange(
            gettext(one.label),
            *(_value(one, data[one.name]) for data in (before, after)),
        )
        for one in fields
    ]


def _value(field: Field, value: Any) -> Markup:
    """A stored value as HTML: SQLite stores a flag as a number, and times must be distinguishable."""
    is_flag = field.kind.name == "flag" and value is not None
    is_moment = field.kind.name == "time"
    return cell_html(field, bool(value) if is_flag else value, full=is_moment)


def _sentence(event: Event, known: Known, changes: Sequence[ValueChange]) -> Sentence:
    path, id = event["type"], event["record_id"]
    title = known.titles.get((path, id))
    url = record_url(REGISTRY[path], "details_view", id) if title is not None and id else None
    form, values = _form(event, changes)
    subject, names = _subject(event, title or known.former_titles.get((path, id)))
    linked = _isolate(names)
    for name in {"title", "name"} & {*names} if url else ():
        linked[name] = LINK.format(url, names[name])
    who = _who(event)
    return Sentence(
        text=form % {**values, "who": who, "record": subject % names},
        html=_html(form)
        % {**_isolate(values), "who": STRONG.format(who), "record": _html(subject) % linked},
        url=url,
        changes=() if "after" in values or "before" in values else changes,
        when=format_relative(event["created_at"]),
    )


def _html(form: str) -> Markup:
    return Markup(form)  # noqa: S704 - a text of ours; values are escaped where they are put in


def _isolate(values: dict[str, str]) -> dict[str, Markup]:
    """Values as HTML that cannot change each other's text direction."""
    return {name: ISOLATED.format(value) for name, value in values.items()}


def _who(event: Event) -> str:
    """Who did it: someone who was not signed in is unknown, and the program itself has no name."""
    if event["actor"]:
        return small_name(event["actor"], record_of("users"))
    return (
        gettext("Somebody")
        if event["proof"] == "none" and event["door"] in ("site", "api")
        else "Quire"
    )


def _form(event: Event, changes: Sequence[ValueChange]) -> tuple[str, dict[str, str]]:
    """A whole sentence with placeholders for the actor, the record and its other values."""
    record, names = REGISTRY.get(event["type"]), event["fields"]
    if event["action"] != "update" or not names or record is None:
        return sentence(event["action"]), {}
    if len(names) > MAX_NAMED:
        words = plural_translation(
            "%(who)s changed %(num)s field of %(record)s",
            "%(who)s changed %(num)s fields of %(record)s",
            len(names),
        )
        return words, {"num": str(len(names))}
    form, values = _form_with_values(changes) if len(names) == 1 else (CHANGED, {})
    return gettext(form), {**values, "fields": _fields_in_words(record, names)}


def _form_with_values(changes: Sequence[ValueChange]) -> tuple[str, dict[str, str]]:
    """The sentence about a change of one field, with the values if they are known and short."""
    if len(changes) != 1:
        return CHANGED, {}
    before, after = (one.striptags() for one in (changes[0].before, changes[0].after))
    if len(before) > LONGEST_VALUE or len(after) > LONGEST_VALUE:
        return CHANGED, {}
    if not after:
        return EMPTIED, {"before": before}
    return (REPLACED, {"before": before, "after": after}) if before else (FILLED, {"after": after})


def _fields_in_words(record: Record, names: Sequence[str]) -> str:
    """`the title, the text and the slug`."""
    *first, last = (_label(record, name) for name in names)
    return gettext("%(first)s and %(rest)s", first=", ".join(first), rest=last) if first else last


def _label(record: Record, name: str) -> str:
    """The label of a field inside a sentence: abbreviations stay as they are in English."""
    field = record.fields_by_name.get(name)
    label = gettext(field.label) if field else name.replace("_", " ")
    if not is_english():
        return label
    # “the published at” is not English
    return f"“{label}”" if label.endswith((" at", " by")) else f"the {in_sentence(label)}"


def _subject(event: Event, title: str | None) -> tuple[str, dict[str, str]]:
    """What an event is about, with placeholders for its names: `the post “Spring”`."""
    record = REGISTRY.get(event["type"])
    if record is None:
        return "%(name)s", {"name": str(event["type"])}
    if title:
        return gettext("the %(noun)s “%(title)s”"), {"noun": gettext(record.noun), "title": title}
    return "%(name)s", {"name": _fallback_title(event, record)}


def _fallback_title(event: Event, record: Record) -> str:
    """A title for a record whose own title is unknown."""
    id = event["record_id"]
    if not id and event["action"].startswith("sign_in"):
        return gettext("an unknown account")
    return f"{gettext(record.noun)} #{id}" if id else gettext(record.plural_noun)

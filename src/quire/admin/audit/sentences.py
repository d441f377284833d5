"""Events of the audit as sentences: who did what to which record, from which value to which."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from quire.actor import Actor
from quire.admin.audit.lookup import Event, Titles, Values, changed_fields, titles_and_values
from quire.admin.format import cell_html, quoted, small_name
from quire.admin.local_time import format_relative
from quire.admin.past_tense import ABOUT_NOTHING, sentence
from quire.admin.urls import record_url
from quire.declare.fields import Field
from quire.declare.labels import in_sentence
from quire.declare.record import REGISTRY, Record, record_of
from quire.web.language import gettext, is_english, ngettext

LONGEST_VALUE = 60
"""Characters of a value that still fits into a sentence."""
MOST_NAMED = 3
"""Fields that are named; of more, their number is told."""


@dataclass(frozen=True)
class ValueChange:
    """What a change has made of one field; both values as HTML."""

    label: str
    before: Markup
    after: Markup


@dataclass(frozen=True)
class Sentence:
    """What happened: `who` did `what` to `target`, which is at `url`, the `values` in words, and the `rest`.

    `changes` are the values before and after that do not stand in the sentence itself.
    """

    who: str
    what: str
    target: str
    url: str | None
    values: str
    rest: str
    changes: Sequence[ValueChange]
    when: Markup

    def __str__(self) -> str:
        target = quoted(self.target) if self.url and self.target else self.target
        return " ".join(filter(None, (self.who, self.what, target, self.values, self.rest)))


def sentences(actor: Actor, events: Sequence[Event]) -> list[Sentence]:
    """One sentence for each event, in their order."""
    titles, values = titles_and_values(actor, events)
    return [_sentence(one, titles, _changes(actor, one, values)) for one in events]


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
    """A stored value as HTML: SQLite keeps a flag as a number, and moments must be told apart."""
    is_flag = field.kind.name == "flag" and value is not None
    is_moment = field.kind.name == "time"
    return cell_html(field, bool(value) if is_flag else value, _nowhere, full=is_moment)


def _nowhere(record: Record, id: int) -> None:
    """The address of what is not linked: the words stand inside of a link already."""


def _sentence(event: Event, titles: Titles, changes: Sequence[ValueChange]) -> Sentence:
    path, id = event["type"], event["record_id"]
    title = titles.get((path, id))
    values = _values_in_words(event, changes)
    is_about_nothing = event["action"] in ABOUT_NOTHING
    noun = _noun(path) if title and not is_about_nothing else ""
    before, after = sentence(event["action"])
    return Sentence(
        who=_who(event),
        what=" ".join(filter(None, (before, _fields_in_words(event), noun))),
        target="" if is_about_nothing else title or _fallback_title(event),
        url=record_url(REGISTRY[path], "details_view", id) if title and id else None,
        values=values,
        rest=after,
        changes=() if values else changes,
        when=format_relative(event["created_at"]),
    )


def _noun(path: str) -> str:
    noun = REGISTRY[path].noun
    return f"the {noun}" if is_english() else gettext(noun)


def _who(event: Event) -> str:
    """Whoever did it; nobody knows who was not signed in, and the program itself has no name."""
    if event["actor"]:
        return small_name(event["actor"], record_of("users"))
    return (
        gettext("Somebody")
        if event["proof"] == "none" and event["door"] in ("site", "api")
        else "Quire"
    )


def _fields_in_words(event: Event) -> str:
    """`the title and the slug of`, `5 fields of`, as far as an ordinary change names them."""
    record = REGISTRY.get(event["type"])
    names = event["fields"]
    if event["action"] != "update" or not names or record is None:
        return ""
    if len(names) > MOST_NAMED:
        return ngettext("%(num)s field of", "%(num)s fields of", len(names))
    *first, last = (_label(record, name) for name in names)
    listed = gettext("%(first)s and %(rest)s", first=", ".join(first), rest=last) if first else last
    return gettext("%(fields)s of", fields=listed)


def _label(record: Record, name: str) -> str:
    """The label of a field inside a sentence: abbreviations stay as they are in English."""
    field = record.fields_by_name.get(name)
    label = gettext(field.label) if field else name.replace("_", " ")
    return f"the {in_sentence(label)}" if is_english() else label


def _values_in_words(event: Event, changes: Sequence[ValueChange]) -> str:
    """`from “A” to “B”` where one short value was changed and nothing else."""
    if event["action"] != "update" or len(event["fields"]) != 1 or len(changes) != 1:
        return ""
    before, after = (one.striptags() for one in (changes[0].before, changes[0].after))
    if len(before) > LONGEST_VALUE or len(after) > LONGEST_VALUE:
        return ""
    if not after:
        return gettext("from “%(before)s” to nothing", before=before)
    return (
        gettext("from “%(before)s” to “%(after)s”", before=before, after=after)
        if before
        else gettext("to “%(after)s”", after=after)
    )


def _fallback_title(event: Event) -> str:
    """A title for a record whose own is unknown."""
    path, id = event["type"], event["record_id"]
    record = REGISTRY.get(path)
    if record is None:
        return str(path)
    if not id and event["action"].startswith("sign_in"):
        return gettext("an unknown account")
    return f"{gettext(record.noun)} #{id}" if id else gettext(record.plural_noun)

"""Builds forms from declarations: the widget of a kind becomes a field that converts text to JSON values.

Nothing is validated here: submitted values go to the store, whose errors come back by field name.
"""

from collections.abc import Iterable
from typing import Any

from wtforms import Field as FormField
from wtforms import PasswordField, SelectField, StringField, TextAreaField
from wtforms.form import BaseForm
from wtforms.widgets import TextInput

from quire.actor import Actor
from quire.admin.autocomplete import creation_in_place, key_for
from quire.admin.form.inputs import Checkbox, PointField
from quire.admin.form.times import gap_problem, moment_text, overlap_note, utc_text
from quire.admin.past_tense import word_of, words_for
from quire.declare.fields import Computed, Field
from quire.declare.markdown import takes_pictures
from quire.declare.pydantic_models import NEW, PART, is_required
from quire.declare.record import Record
from quire.declare.settable_fields import is_settable
from quire.declare.text_values import (
    BIG_WIDGETS,
    INPUT_TYPES,
    OMITTED,
    decode_value,
    encode_value,
    is_same_text,
)
from quire.declare.value_kinds import RECORD_TYPE
from quire.errors import ValidationFailed, detail
from quire.translations.languages import LANGUAGES
from quire.translations.messages import Message
from quire.web.language import gettext, language_name, translate, word_label
from quire.web.time_zone import form_zone, zone_name

NO_WORDS = (*INPUT_TYPES, "checkbox", "password", "decimal", "point")
"""Widgets of values that are written from left to right in all languages."""


def settable_fields(record: Record, actor: Actor, *, creating: bool) -> list[Field]:
    """The fields in the form for this actor, without short forms of other fields."""
    return [
        one
        for one in record.fields
        if is_settable(one, actor, NEW if creating else PART) and not isinstance(one, Computed)
    ]


def _text_of(field: Field, value: Any) -> Any:
    return moment_text(value) if field.kind.widget == "datetime" else encode_value(field, value)


def _choices(field: Field) -> list[tuple[str, str]]:
    blank = [("", "–")] if field.nullable else []
    words = [(word, choice_label(field, word)) for word in field.choices]
    return blank + (words or [*words_for(field)])


def choice_label(field: Field, word: str) -> str:
    """The label of a choice; languages by their own names."""
    is_language = field.name == "language" and word in LANGUAGES
    return language_name(word) if is_language else word_of(field, word) or word_label(word)


def _hint(field: Field) -> str:
    hints = {
        "lines": Message("One per line."),
        "pairs": Message("One per line: label = address."),
        "refs": Message("Separate names with commas."),
        "markdown": Message("You can use Markdown."),
    }
    words = translate(field.help or hints.get(field.kind.widget, ""))
    is_time = field.kind.widget == "datetime"
    zone = gettext("Time zone: %(zone)s.", zone=zone_name(form_zone())) if is_time else ""
    return " ".join(filter(None, (words, zone)))


def input_constraints(field: Field) -> dict[str, Any]:
    """HTML attributes that describe valid values: limits of numbers, patterns of texts."""
    kind = field.kind
    if kind.name in ("id", "whole"):
        return {}
    constraints = {
        "min": kind.minimum,
        "max": kind.maximum,
        "step": kind.step,
        "pattern": kind.pattern,
    }
    if kind.example:
        constraints["title"] = gettext("For example %(example)s", example=kind.example)
    return {name: str(value) for name, value in constraints.items() if value is not None}


def _attributes(field: Field, lookup_url: str | None) -> dict[str, Any]:
    widget, kind = field.kind.widget, field.kind
    attributes: dict[str, Any] = {}
    if kind.length and widget not in BIG_WIDGETS:
        attributes["maxlength"] = kind.length
    attributes |= input_constraints(field)
    if widget == "markdown":
        attributes["class"] = "markdown"
        if not takes_pictures(field):
            attributes["data-no-images"] = "1"
    if widget not in NO_WORDS and not field.choices:
        attributes["dir"] = "auto"
    if field.recommended_length:
        attributes["data-recommended-length"] = field.recommended_length
    if lookup_url and field.target:
        attributes |= {
            "data-picker": "many" if field.many else "one",
            "data-url": lookup_url,
            "autocomplete": "off",
        }
    if field.target == "media":
        attributes["data-media-field"] = ""
    return attributes


def _form_field(field: Field, creating: bool, lookup_url: str | None) -> Any:
    widget = field.kind.widget
    common: dict[str, Any] = {
        "label": gettext(field.label),
        "description": _hint(field),
        "id": f"in-{field.name}",
        "render_kw": _attributes(field, lookup_url),
    }
    if widget == "checkbox":
        return Checkbox(**common)
    if widget == "point":
        return PointField(**common)
    if field.choices or field.kind == RECORD_TYPE:
        return SelectField(**common, choices=_choices(field), validate_choice=False)
    if widget == "password":
        common["render_kw"]["autocomplete"] = "new-password" if creating else "off"
        return PasswordField(**common)
    if widget in (*BIG_WIDGETS, "textarea", "lines", "pairs"):
        return TextAreaField(**common)
    return StringField(**common, widget=TextInput(INPUT_TYPES.get(widget)))


def _field_class(record: Record, field: Field) -> str:
    if field.kind.widget == "checkbox":
        return "check"
    return "big" if field.name == record.title_field and field.kind.is_text else ""


class RecordForm:
    """The form of one record for one actor: fields, errors, and submitted values as JSON."""

    def __init__(self, record: Record, actor: Actor, *, creating: bool, lookup_url: Any = None):
        self.record, self.actor, self.creating = record, actor, creating
        self.sent: frozenset[str] = frozenset()
        self.before: dict[str, Any] = {}
        self.declared = {f.name: f for f in settable_fields(record, actor, creating=creating)}
        self.form = BaseForm(
            {
                name: _form_field(one, creating, lookup_url(name) if lookup_url else None)
                for name, one in self.declared.items()
            }
        )
        for name, one in self.declared.items():
            widget_field: Any = self.form[name]
            widget_field.css_class = _field_class(record, one)
            fills_required = creating or one.readable  # an empty secret keeps the stored one
            widget_field.flags.must = (
                fills_required and is_required(one) and one.kind.widget != "checkbox"
            )
            widget_field.render_kw = {**widget_field.render_kw, **creation_in_place(one, actor)}
            if widget_field.flags.must:
                widget_field.render_kw = {**widget_field.render_kw, "data-required": ""}

    def fill(self, state: dict[str, Any]) -> None:
        """Show the values of a record as the API returns them."""
        self.form.process(data=self.texts_of(state))
        self.sent = frozenset(self.declared)

    def texts_of(self, state: dict[str, Any]) -> dict[str, Any]:
        """The values of a record as the form shows them: text, or a bool for a checkbox."""
        return {name: _text_of(one, state.get(name)) for name, one in self.declared.items()}

    def texts_to_show(self, state: dict[str, Any]) -> dict[str, Any]:
        """The same without secrets."""
        return {n: text for n, text in self.texts_of(state).items() if self.declared[n].readable}

    def fill_new(self, defaults: Any) -> None:
        """Show the default values, and those in the URL."""
        self.form.process(data={n: self._start(one, defaults) for n, one in self.declared.items()})

    def _start(self, field: Field, defaults: Any) -> Any:
        if field.name in defaults:
            return defaults[field.name]
        default = getattr(getattr(field.column, "default", None), "arg", None)
        return _text_of(field, None if callable(default) else default)

    def take(self, submitted: Any, state: dict[str, Any] | None = None) -> None:
        """Show what was submitted (a MultiDict), valid or not; everything else from `state`."""
        self.before = {} if state is None else self.texts_of(state)
        self.form.process(formdata=submitted, data=self.before)
        self.sent = frozenset(submitted)
        self._take_names_as_keys()

    def _take_names_as_keys(self) -> None:
        """Replace typed names of records by their keys."""
        for name, field in self.declared.items():
            shown: Any = self.form[name]
            if field.target and name in self.sent and not self._is_unchanged(name):
                shown.data = key_for(self.record, self.actor, field, (shown.data or "").strip())

    def values(self) -> dict[str, Any]:
        """The submitted values as JSON for the store, without fields that were omitted or not changed."""
        names = [n for n in self.declared if n in self.sent and not self._is_unchanged(n)]
        self._refuse_missing_times(names)
        values = {name: self._decode(name, creating=self.creating) for name in names}
        return {name: value for name, value in values.items() if value is not OMITTED}

    def _decode(self, name: str, *, creating: bool) -> Any:
        field, text = self.declared[name], self.form[name].data
        text = utc_text(text or "") if field.kind.widget == "datetime" else text
        return decode_value(field, text, creating=creating)

    def _times(self, names: Iterable[str]) -> dict[str, str]:
        is_time = (n for n in names if self.declared[n].kind.widget == "datetime")
        return {name: self.form[name].data or "" for name in is_time}

    def _refuse_missing_times(self, names: Iterable[str]) -> None:
        problems = {name: gap_problem(text) for name, text in self._times(names).items()}
        details = [detail(name, "invalid", words) for name, words in problems.items() if words]
        if details:
            raise ValidationFailed(details)

    def time_notes(self) -> list[str]:
        """What was assumed about submitted times that are ambiguous."""
        names = [n for n in self.declared if n in self.sent and not self._is_unchanged(n)]
        return [note for text in self._times(names).values() if (note := overlap_note(text))]

    def _is_unchanged(self, name: str) -> bool:
        field = self.declared[name]
        return (
            name in self.before
            and field.readable
            and is_same_text(field, self.form[name].data, self.before[name])
        )

    def value(self, name: str) -> Any:
        """The value of one field, as JSON; None if it is empty or does not exist."""
        if name not in self.declared:
            return None
        value = self._decode(name, creating=False)
        return None if value is OMITTED else value

    def texts(self) -> dict[str, Any]:
        """The submitted values as the form shows them."""
        return {name: self.form[name].data for name in self.declared}

    def readable_values(self) -> dict[str, Any]:
        """The submitted values of fields that can be read."""
        names = (n for n, one in self.declared.items() if n in self.sent and one.readable)
        return {name: self.form[name].data for name in names}

    def show_values(self, texts: dict[str, Any]) -> None:
        """Show `texts` instead of the submitted values."""
        for name, text in texts.items():
            field: Any = self.form[name]
            field.data = text

    def focus_on_title(self) -> None:
        """Focus the title, so that the person can start typing."""
        title: Any = (
            self.form[self.record.title_field] if self.record.title_field in self.declared else None
        )
        if title is not None:
            title.render_kw = {**title.render_kw, "autofocus": True}

    def refuse(self, details: Iterable[dict[str, str]]) -> list[dict[str, str]]:
        """Add errors to their fields; return all of them for the summary above the form."""
        remaining = []
        for item in details:
            name = item["field"].split(".")[0].split("[")[0]
            field: FormField | None = self.form[name] if name in self.declared else None
            message, id, label = translate(item["message"]), "problem", name
            if field is not None:
                field.errors = [*field.errors, message]
                id, label = field.id, field.label.text
            remaining.append({"id": id, "label": label, "message": message})
        return remaining

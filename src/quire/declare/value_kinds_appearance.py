"""Kinds for the appearance of a site: a color, a menu, a language."""

import re
from importlib import import_module
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from sqlalchemy import JSON, String
from sqlalchemy.orm import mapped_column
from typing_extensions import TypedDict

from quire.declare.column_types import TARGET
from quire.declare.value_errors import refusal
from quire.declare.value_kinds import Kind, text_kind
from quire.translations.messages import Message

_WORD: Any = text_kind("entry", 50).accepts
_PLACE: Any = TARGET.accepts


class MenuEntry(TypedDict):
    """An entry of a menu: its label, and a path on this site or a whole URL."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[misc]

    label: _WORD
    url: _PLACE


_ENTRY = {
    "label": Message(
        "entry %(number)s needs a label of at most 50 characters, such as About = /about.", number=0
    ),
    "url": Message(
        "entry %(number)s needs a path such as /about, or a URL that starts with http or https.",
        number=0,
    ),
}


def _entries(value: Any, check: ValidatorFunctionWrapHandler) -> Any:
    """Name the invalid entry, and what is wrong with it."""
    try:
        return check(value)
    except ValidationError as error:
        place = error.errors(include_url=False)[0]["loc"]
        if len(place) < 2 or place[1] not in _ENTRY:
            raise
        words = _ENTRY[str(place[1])].with_values(number=int(place[0]) + 1)
        raise refusal("bad_format", words) from None


def _matches(pattern: str, words: Message) -> BeforeValidator:
    """Refuse text that does not match, with `words` as the message."""

    def check(value: Any) -> Any:
        if isinstance(value, str) and value and not re.fullmatch(pattern, value):
            raise refusal("bad_format", words)
        return value

    return BeforeValidator(check)


def _known_language(value: str) -> str:
    """Accept a language that dates can be written in; Babel takes 40 ms to load, so only on demand."""
    core: Any = import_module("babel.core")
    try:
        core.Locale.parse(value, sep="-")
    except (core.UnknownLocaleError, ValueError):
        raise refusal("bad_format", _LANGUAGES) from None
    return value


_LANGUAGES = Message("must be a language code such as en, de or pt-BR.")
_COLOR, _TAG = r"#[0-9A-Fa-f]{6}", r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,2}"

COLOR = text_kind(
    "color",
    7,
    min_length=0,
    pattern=f"^(?:{_COLOR})?$",
    checks=(_matches(_COLOR, Message("must be a color such as #0b6b5f, or empty.")),),
)
LANGUAGE = text_kind(
    "language",
    20,
    pattern=f"^{_TAG}$",
    checks=(AfterValidator(_known_language), _matches(_TAG, _LANGUAGES)),
)
MENU = Kind(
    "menu", Annotated[list[MenuEntry], Field(max_length=20), WrapValidator(_entries)], "pairs"
)

Color = Annotated[str, mapped_column(String(7), info={"kind": COLOR})]
Language = Annotated[str, mapped_column(String(20), info={"kind": LANGUAGE})]
Menu = Annotated[list[dict[str, str]], mapped_column(JSON(), info={"kind": MENU})]

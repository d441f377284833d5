"""Kinds of what a site's look is made of: a colour, a menu, a language."""

from importlib import import_module
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field
from sqlalchemy import JSON, String
from sqlalchemy.orm import mapped_column
from typing_extensions import TypedDict

from quire.declare.kinds import TARGET
from quire.declare.values import Kind, text_kind

_WORD: Any = text_kind("entry", 50).accepts
_PLACE: Any = TARGET.accepts


class Entry(TypedDict):
    """A word in a menu and where it leads: a path on this site or a whole address."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[misc]

    label: _WORD
    url: _PLACE


def _known(value: str) -> str:
    """A language that dates can be written in; Babel takes 40 ms to load, so only when asked."""
    core: Any = import_module("babel.core")
    try:
        core.Locale.parse(value, sep="-")
    except (core.UnknownLocaleError, ValueError):
        raise ValueError("is no language that is known, such as en, de or pt-BR") from None
    return value


COLOR = text_kind("color", 7, least=0, pattern=r"^(?:#[0-9A-Fa-f]{6})?$")
LANGUAGE = text_kind(
    "language", 20, pattern=r"^[a-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,2}$", checks=(AfterValidator(_known),)
)  # fmt: skip
MENU = Kind("menu", Annotated[list[Entry], Field(max_length=20)], "pairs")

Color = Annotated[str, mapped_column(String(7), info={"kind": COLOR})]
Language = Annotated[str, mapped_column(String(20), info={"kind": LANGUAGE})]
Menu = Annotated[list[dict[str, str]], mapped_column(JSON(), info={"kind": MENU})]

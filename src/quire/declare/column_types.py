"""Column types for the models: `title: Mapped[Title]`, or a function where a kind takes parameters.

Each type is an alias for `Mapped[...]`: it carries the SQL type and the Kind, so that the table,
the validation, the OpenAPI document and the forms all follow from one declaration.
"""

import re
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema
from sqlalchemy import JSON, Boolean, Date, Integer, String, Text
from sqlalchemy.orm import MappedColumn, mapped_column

from quire.declare.sql_types import DecimalNumber, UTCDateTime
from quire.declare.value_errors import refusal
from quire.declare.value_kinds import (
    COUNT,
    DAY,
    EVENT_NAMES,
    FLAG,
    HTML,
    MARKDOWN,
    MAX_ID,
    NAMES,
    NEW_PASSWORD,
    OBJECT,
    RECORD_TYPE,
    SCOPES,
    TIME,
    Kind,
    _only_decimal,
    _only_text,
    text_kind,
    whole_number,
)
from quire.declare.value_kinds_addresses import EMAIL, NETWORKS, URL, URLS
from quire.translations.messages import Message


def _line(name: str, length: int, **more: Any) -> MappedColumn[str]:
    return mapped_column(String(length), info={"kind": text_kind(name, length, **more)})


def _column(sql_type: Any, kind: Kind, **more: Any) -> MappedColumn[Any]:
    return mapped_column(sql_type, info={"kind": kind}, **more)


_NO_SLUG = r"\x00-,/:-@\[-^\x60{-\xbf\u2000-\u206f\u3000\ufeff"
_TARGET = r"^(/|/[^/\\\x00-\x20\x7f-\xa0][^\x00-\x20\x7f-\xa0]*|https?://[^\x00-\x20\x7f-\xa0]+)$"

Title = Annotated[str, _line("title", 200)]
Label = Annotated[str, _line("label", 100)]
Name = Annotated[str, _line("name", 100, min_length=0)]
Slug = Annotated[str, _line("slug", 200, pattern=rf"^[^{_NO_SLUG}.-][^{_NO_SLUG}]*$")]
Summary = Annotated[str, _line("summary", 1000, min_length=0, widget="textarea")]
Reason = Annotated[str, _line("reason", 1000, min_length=0, widget="textarea")]
ShortReason = Annotated[str, _line("reason", 200)]
"""Why something has failed: an English sentence that pages translate."""
SeoTitle = Annotated[str, _line("seo_title", 200, min_length=0)]
SeoDescription = Annotated[str, _line("seo_description", 300, min_length=0, widget="textarea")]
Username = Annotated[str, _line("username", 20, min_length=3, pattern=r"^[A-Za-z0-9_.-]{3,20}$")]
Email = Annotated[str, _column(String(254), EMAIL)]
Url = Annotated[str, _column(String(2000), URL)]
FileName = Annotated[str, _line("file_name", 255)]
MediaType = Annotated[str, _line("media_type", 100, collated=False)]
Path = Annotated[str, _line("path", 500, pattern=r"^/[^\x00-\x20?#\x7f-\xa0]*$")]
TARGET = text_kind("target", 2000, pattern=_TARGET)
Target = Annotated[str, _column(String(2000), TARGET)]
Prose = Annotated[str, _column(Text(), MARKDOWN, sort_order=90)]
Html = Annotated[str, _column(Text(), HTML, sort_order=91)]
Hash = Annotated[str, _column(String(200), NEW_PASSWORD)]
Flag = Annotated[bool, _column(Boolean(), FLAG)]
Whole = Annotated[int, _column(Integer(), whole_number("whole", -(2**31), 2**31 - 1))]
Count = Annotated[int, _column(Integer(), COUNT)]
Bytes = Annotated[int, _column(Integer(), whole_number("bytes", 0, 2**31 - 1))]
Time = Annotated[datetime, _column(UTCDateTime(), TIME)]
Day = Annotated[date, _column(Date(), DAY)]
Urls = Annotated[list[str], _column(JSON(), URLS)]
Names = Annotated[list[str], _column(JSON(), NAMES)]
Scopes = Annotated[list[str], _column(JSON(), SCOPES)]
EventNames = Annotated[list[str], _column(JSON(), EVENT_NAMES)]
RecordType = Annotated[str, _column(String(64), RECORD_TYPE)]
Networks = Annotated[list[str], _column(JSON(), NETWORKS)]
Object = Annotated[dict[str, Any], _column(JSON(), OBJECT)]


def choice(*words: str, default: str | None = None) -> MappedColumn[str]:
    """A column with one of `words`; the first is the default unless another is given."""
    kind = Kind("choice", Literal[words], "select", is_text=True)
    return mapped_column(
        String(32), default=default or words[0], info={"kind": kind, "choices": words}
    )


def text(
    length: int,
    *,
    min_length: int = 1,
    pattern: str | None = None,
    example: str = "",
    **more: Any,
) -> MappedColumn[str]:
    """A line of text of `min_length` to `length` characters that matches `pattern` completely.

    `example` is a text that matches, for the error message. Use only syntax that Rust, ECMAScript and Python
    interpret alike.
    """
    whole_pattern = None if pattern is None else rf"^(?:{pattern})$"
    kind = text_kind("text", length, min_length=min_length, pattern=whole_pattern)
    kind = replace(kind, pattern=pattern, example=example)
    return mapped_column(String(length), info={"kind": kind}, **more)


def number(*, minimum: int = -MAX_ID, maximum: int = MAX_ID, **more: Any) -> MappedColumn[int]:
    """A whole number from `minimum` to `maximum`."""
    kind = whole_number("number", minimum, maximum)
    return mapped_column(Integer(), info={"kind": kind}, **more)


def _decimal_pattern(digits: int, places: int) -> str:
    if not 0 <= places < digits:
        raise ValueError(f"A decimal of {digits} digits cannot have {places} decimal places.")
    integer = f"-?[0-9]{{1,{digits - places}}}"
    return rf"{integer}(\.[0-9]{{1,{places}}})?" if places else integer


def decimal(
    *,
    digits: int = 12,
    places: int = 2,
    minimum: int | Decimal | None = None,
    maximum: int | Decimal | None = None,
    **more: Any,
) -> MappedColumn[Decimal]:
    """A decimal number from `minimum` to `maximum`, exact on both databases; a string in JSON."""
    pattern = _decimal_pattern(digits, places)
    bounds = {"x-minimum": minimum, "x-maximum": maximum}
    schema = {"type": "string", "pattern": f"^{pattern}$"}
    constraints = {name: str(bound) for name, bound in bounds.items() if bound is not None}
    if minimum is not None and minimum >= 0:  # the schema of a text has no other bound
        constraints["pattern"] = f"^{pattern.removeprefix('-?')}$"
    accepts = Annotated[
        Decimal,
        WithJsonSchema(schema | constraints),
        Field(strict=False, max_digits=digits, decimal_places=places, ge=minimum, le=maximum),
        BeforeValidator(_only_decimal),
        BeforeValidator(_only_text),
    ]

    def format_decimal(value: Decimal) -> str:
        return f"{value:.{places}f}"

    def parse_decimal(text: str) -> Decimal:
        if not re.fullmatch(pattern, _only_decimal(text), re.ASCII):
            words = Message(
                "can have %(digits)s digits and %(places)s decimal places.",
                digits=digits - places,
                places=places,
            )
            raise refusal("too_large", words)
        return Decimal(text)

    kind = Kind(
        "decimal", accepts, "decimal", from_text=parse_decimal, value_out=format_decimal, query_schema=schema,
        minimum=minimum, maximum=maximum, step=str(Decimal(1).scaleb(-places)),
    )  # fmt: skip
    return mapped_column(DecimalNumber(digits, places), info={"kind": kind}, **more)

"""A kind of value: what it accepts from outside, how it is shown, which widget edits it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from ipaddress import ip_network
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError
from sqlalchemy.sql.elements import ColumnElement

from quire.declare.clock import rfc3339, to_utc
from quire.declare.sql import date_text, time_text

MARKDOWN_BYTES = 256 * 1024
INT64 = 2**63 - 1
MAX_ID = 2**31 - 1


def _same(value: Any) -> Any:
    return value


@dataclass(frozen=True)
class Kind:
    """A kind of value.

    `accepts` is the pydantic annotation of a value given from outside, `widget` the form control,
    `text` whether text operators apply, `from_text` reads a value in a query string (ValueError
    when it cannot), `column_out` makes the SQL that shows the column, `value_out` a Python value
    as JSON has it, `asked` is the JSON schema of a value in a query string.
    """

    name: str
    accepts: Any
    widget: str = "text"
    text: bool = False
    from_text: Callable[[str], Any] = _same
    column_out: Callable[[ColumnElement[Any]], ColumnElement[Any]] = _same
    value_out: Callable[[Any], Any] = _same
    length: int | None = None
    asked: Mapping[str, Any] = field(default_factory=lambda: {"type": "string"}, hash=False)


def is_printable(value: str) -> bool:
    """PostgreSQL cannot hold NUL, UTF-8 cannot hold lone surrogates: neither may come in."""
    return "\x00" not in value and not any("\ud800" <= char <= "\udfff" for char in value)


def _printable(value: str) -> str:
    if not is_printable(value):
        raise ValueError("contains characters that cannot be stored")
    return value


def _only_text(value: Any) -> Any:
    if not isinstance(value, str):
        raise PydanticCustomError("wrong_type", "must be text.")
    return value


def _only_decimal(value: str) -> str:
    if not re.fullmatch(r"-?\d+(\.\d+)?", value, re.ASCII):
        raise PydanticCustomError("bad_format", "must be a decimal number such as 12.50.")
    return value


def text_kind(
    name: str,
    length: int,
    *,
    least: int = 1,
    pattern: str | None = None,
    widget: str = "text",
    checks: tuple[Any, ...] = (),
) -> Kind:
    """A kind of text of `least` to `length` characters, spaces around it cut off."""
    rules = StringConstraints(min_length=least, max_length=length, pattern=pattern)
    accepts: Any = Annotated[str, rules, AfterValidator(_printable)]
    for check in checks:
        accepts = Annotated[accepts, check]
    schema = WithJsonSchema(_text_schema(length, least, pattern))
    accepts = Annotated[accepts, BeforeValidator(_trimmed(length)), schema]
    return Kind(name, accepts, widget, text=True, from_text=_printable, length=length)


SPACES = " \t\n\v\f\r"
"""What is cut off around texts. Patterns name characters one by one, too: what `\\s` and `\\w` are
differs between Python, Rust and ECMAScript, which validate and generate by the same schema."""


def _trimmed(length: int) -> Callable[[Any], Any]:
    """Cut off the spaces around a text; they count for its length, as the schema says."""

    def trim(value: Any) -> Any:
        if isinstance(value, str) and len(value) > length:
            raise PydanticCustomError("too_long", f"is longer than {length} characters.")
        return value.strip(SPACES) if isinstance(value, str) else value

    return trim


def _text_schema(length: int, least: int, pattern: str | None) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string", "minLength": least, "maxLength": length}
    if pattern is not None:
        schema["pattern"] = rf"^[\t-\r ]*{pattern.removeprefix('^').removesuffix('$')}[\t-\r ]*$"
    elif least:
        schema["pattern"] = r"[^\t-\r ]"
    return schema


def _markdown_fits(value: str) -> str:
    if len(value.encode()) > MARKDOWN_BYTES:
        raise PydanticCustomError("too_long", "is longer than 256 KB.")
    return value


def _flag_from_text(text: str) -> bool:
    return {"true": True, "false": False}[text.lower()]


def _int_from_text(text: str) -> int:
    value = int(text) if text.isascii() and "_" not in text else int("x")
    if abs(value) > INT64:
        raise ValueError("out of range")
    return value


def time_from_text(text: str) -> datetime:
    """A date or a moment in RFC 3339 (any offset; UTC without one), in UTC."""
    if re.fullmatch(_DAY_FORM, text):
        return to_utc(datetime.fromisoformat(text))
    return _time(text.replace(" ", "+"))  # a plus sign that was not escaped


def whole(name: str, least: int = -INT64, most: int = INT64) -> Kind:
    """A kind of whole number within bounds."""
    accepts = Annotated[int, Field(strict=True, ge=least, le=most)]
    return Kind(name, accepts, "number", from_text=_int_from_text, asked=_INTEGER)


_DAY_FORM = r"\d{4}-\d{2}-\d{2}"
_TIME_FORM = _DAY_FORM + r"[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})?"
_INTEGER = {"type": "integer", "minimum": -INT64, "maximum": INT64}


def _time(value: str) -> datetime:
    if not re.fullmatch(_TIME_FORM, value, re.ASCII):
        raise ValueError("must be a moment such as 2026-01-31T12:00:00Z")
    whole_seconds = re.sub(r"\.\d+", "", value.upper())
    try:
        return to_utc(datetime.fromisoformat(whole_seconds))
    except OverflowError:
        raise ValueError("is beyond the years 1 to 9999") from None


def _day(value: str) -> date:
    if not re.fullmatch(_DAY_FORM, value, re.ASCII):
        raise ValueError("must be a date such as 2026-01-31")
    return date.fromisoformat(value)


_TIME_SCHEMA = WithJsonSchema({"type": "string", "format": "date-time"})
_DAY_SCHEMA = WithJsonSchema({"type": "string", "format": "date"})

TEXT = text_kind("text", 1000, least=0)
FLAG = Kind(
    "flag", Annotated[bool, Field(strict=True)], "checkbox",
    from_text=_flag_from_text, asked={"type": "boolean"},
)  # fmt: skip
WHOLE = whole("whole")
ID = whole("id", 1)
RANK = Kind("rank", float, from_text=float)
NOTHING = Kind("nothing", None)
TIME = Kind(
    "time",
    Annotated[
        datetime,
        _TIME_SCHEMA,
        Field(strict=False),
        BeforeValidator(_time),
        BeforeValidator(_only_text),
    ],
    "datetime",
    from_text=time_from_text,
    column_out=time_text,
    value_out=rfc3339,
    asked={
        "anyOf": [{"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}]
    },
)
DAY = Kind(
    "day",
    Annotated[
        date, _DAY_SCHEMA, Field(strict=False), BeforeValidator(_day), BeforeValidator(_only_text)
    ],
    "date",
    from_text=_day,
    column_out=date_text,
    value_out=date.isoformat,
    asked={"type": "string", "format": "date"},
)
MARKDOWN = Kind(
    "markdown",
    Annotated[
        str,
        StringConstraints(min_length=1),
        AfterValidator(_printable),
        AfterValidator(_markdown_fits),
        WithJsonSchema({"type": "string", "minLength": 1, "maxLength": MARKDOWN_BYTES}),
    ],
    "markdown",
    text=True,
    length=MARKDOWN_BYTES,
)
HTML = Kind("html", str, "html", text=True)
URL_PATTERN = (
    r"^[Hh][Tt][Tt][Pp][Ss]?://"
    r"(?:[^\x00-\x20/?#@:\[\]\\\x7f-\xa0]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?"
    r"(?:[/?#][^\x00-\x20\x7f-\xa0]*)?$"
)
URL = text_kind("url", 2000, pattern=URL_PATTERN, widget="url")
_WEB_ADDRESS: Any = URL.accepts
URLS = Kind("urls", Annotated[list[_WEB_ADDRESS], Field(max_length=20)], "lines")
SCOPES = Kind(
    "scopes",
    Annotated[
        list[Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,50}:(read|write)$")]],
        Field(min_length=1, max_length=100),
    ],
    "lines",
)
"""What an API key opens, such as posts:read."""


def _network(value: str) -> str:
    return str(ip_network(value.strip(SPACES), strict=False))


NETWORKS = Kind(
    "networks",
    Annotated[
        list[Annotated[str, StringConstraints(max_length=50), AfterValidator(_network)]],
        Field(max_length=20),
    ],
    "lines",
)
"""Addresses and ranges of them: 192.0.2.7, 192.0.2.0/24, 2001:db8::/32."""
NAMES = Kind("names", list[str], "lines")
OBJECT = Kind("object", dict[str, Any], "json")
# https://html.spec.whatwg.org/multipage/input.html#valid-e-mail-address
EMAIL_PATTERN = (
    r"^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
    r"(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$"
)
EMAIL = text_kind(
    "email", 254, pattern=EMAIL_PATTERN, checks=(AfterValidator(str.lower),), widget="email"
)
PASSWORD = Kind(
    "password",
    Annotated[str, StringConstraints(min_length=1), AfterValidator(_printable)],
    "password",
)
NEW_PASSWORD = Kind(
    "password",
    Annotated[str, StringConstraints(min_length=8, max_length=1024), AfterValidator(_printable)],
    "password",
)
"""Installations may ask for longer ones, never for shorter ones."""

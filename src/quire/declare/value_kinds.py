"""Kinds of values: accepted input, output, and the widget for editing."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError
from sqlalchemy.sql.elements import ColumnElement

from quire.declare.clock import rfc3339, to_utc
from quire.declare.sql_functions import date_text, time_text
from quire.declare.unicode_text import IGNORABLE, strip_invisible
from quire.declare.value_errors import refusal
from quire.translations.messages import Message

MARKDOWN_BYTES = 256 * 1024
INT64 = 2**63 - 1
MAX_ID = 2**31 - 1


def _identity(value: Any) -> Any:
    return value


@dataclass(frozen=True)
class Kind:
    """A kind of value.

    `accepts` is the pydantic annotation of an input value, `widget` the form control, `is_text` whether text
    operators apply, `is_collated` whether it is sorted as in an index, `from_text` parses a value in a query string
    (ValueError if it cannot), `column_out` returns the SQL that shows the column, `value_out` converts a Python
    value to JSON, `query_schema` is the JSON schema of a value in a query string. `minimum`, `maximum`, `step` and
    `pattern` are constraints for forms, `example` is a text that matches the pattern.
    """

    name: str
    accepts: Any
    widget: str = "text"
    is_text: bool = False
    from_text: Callable[[str], Any] = _identity
    column_out: Callable[[ColumnElement[Any]], ColumnElement[Any]] = _identity
    value_out: Callable[[Any], Any] = _identity
    length: int | None = None
    minimum: int | Decimal | None = None
    maximum: int | Decimal | None = None
    step: str | None = None
    pattern: str | None = None
    example: str = ""
    is_collated: bool = False
    query_schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string"}, hash=False)


_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def is_printable(value: str) -> bool:
    """PostgreSQL cannot store NUL, and UTF-8 cannot encode lone surrogates: both are refused."""
    return "\0" not in value if value.isascii() else _UNSTORABLE.search(value) is None


def _printable(value: str) -> str:
    if not is_printable(value):
        raise PydanticCustomError("bad_format", "contains characters that cannot be stored.")
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
    min_length: int = 1,
    pattern: str | None = None,
    widget: str = "text",
    checks: tuple[Any, ...] = (),
    collated: bool = True,
) -> Kind:
    """A kind of text of `min_length` to `length` characters, without surrounding spaces.

    Invisible characters are removed from single-line text.
    """
    clean = _identity if widget == "textarea" else strip_invisible
    rules = StringConstraints(min_length=min_length, max_length=length, pattern=pattern)
    accepts: Any = Annotated[str, rules, AfterValidator(_printable)]
    for check in checks:
        accepts = Annotated[accepts, check]
    schema = WithJsonSchema(_text_schema(length, min_length, pattern))
    accepts = Annotated[accepts, BeforeValidator(_trim_spaces(length, clean)), schema]

    def read(text: str) -> str:
        return str(clean(_printable(text)))

    return Kind(
        name, accepts, widget, is_text=True, from_text=read, length=length, is_collated=collated
    )


SPACES = " \t\n\v\f\r"
r"""Characters that are trimmed. Patterns also name characters one by one: `\s` and `\w` differ between Python, Rust
and ECMAScript, which validate and generate by the same schema.
"""


def _trim_spaces(length: int, clean: Callable[[str], str]) -> Callable[[Any], Any]:
    """Trim a text; its length includes the spaces around it, as the schema says."""

    def trim(value: Any) -> Any:
        if isinstance(value, str) and len(value) > length:
            raise PydanticCustomError(
                "string_too_long", "is longer than {max_length} characters.", {"max_length": length}
            )
        return clean(value).strip(SPACES) if isinstance(value, str) else value

    return trim


def _text_schema(length: int, min_length: int, pattern: str | None) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string", "minLength": min_length, "maxLength": length}
    if pattern is not None:
        schema["pattern"] = rf"^[\t-\r ]*{pattern.removeprefix('^').removesuffix('$')}[\t-\r ]*$"
    elif min_length:
        schema["pattern"] = rf"[^\t-\r {IGNORABLE}]"
    return schema


def _markdown_fits(value: str) -> str:
    if len(value.encode()) > MARKDOWN_BYTES:
        raise PydanticCustomError("too_long", "is longer than 256 KB.")
    return value


def flag_from_text(text: str) -> bool:
    """Parse true or false, in any case."""
    if text.lower() not in ("true", "false"):
        raise PydanticCustomError("wrong_type", "must be true or false.")
    return text.lower() == "true"


def _int_from_text(text: str) -> int:
    if not re.fullmatch(r"\s*[+-]?\d{1,19}\s*", text, re.ASCII) or abs(int(text)) > INT64:
        raise PydanticCustomError("wrong_type", "must be a whole number.")
    return int(text)


def time_from_text(text: str) -> datetime:
    """Parse a date or a time in RFC 3339 (any offset; UTC without one), and return it in UTC."""
    if re.fullmatch(_DAY_FORM, text, re.ASCII):
        return to_utc(datetime.combine(_day(text), time()))
    return _time(text.replace(" ", "+"))  # a plus sign that was not escaped


def whole_number(name: str, minimum: int = -INT64, maximum: int = INT64) -> Kind:
    """A kind of whole number within bounds."""
    accepts = Annotated[int, Field(strict=True, ge=minimum, le=maximum)]
    return Kind(
        name, accepts, "number", from_text=_int_from_text, query_schema=_INTEGER,
        minimum=minimum, maximum=maximum, step="1",
    )  # fmt: skip


_DAY_FORM = r"\d{4}-\d{2}-\d{2}"
_TIME_FORM = _DAY_FORM + r"[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})?"
_NO_TIME = Message("must be a date and time such as 2026-01-31T12:00:00Z.")
_NO_DAY = Message("must be a date such as 2026-01-31.")
_INTEGER = {"type": "integer", "minimum": -INT64, "maximum": INT64}


def _time(value: str) -> datetime:
    if not re.fullmatch(_TIME_FORM, value, re.ASCII):
        raise refusal("bad_format", _NO_TIME)
    whole_seconds = re.sub(r"\.\d+", "", value.upper())
    try:
        return to_utc(datetime.fromisoformat(whole_seconds))
    except ValueError:  # not a date, or not an offset
        raise refusal("bad_format", _NO_TIME) from None
    except OverflowError:
        raise PydanticCustomError("bad_format", "must be between the years 1 and 9999.") from None


def _day(value: str) -> date:
    if not re.fullmatch(_DAY_FORM, value, re.ASCII):
        raise refusal("bad_format", _NO_DAY)
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise refusal("bad_format", _NO_DAY) from None


_TIME_SCHEMA = WithJsonSchema({"type": "string", "format": "date-time"})
_DAY_SCHEMA = WithJsonSchema({"type": "string", "format": "date"})

TEXT = text_kind("text", 1000, min_length=0)
FLAG = Kind(
    "flag", Annotated[bool, Field(strict=True)], "checkbox",
    from_text=flag_from_text, query_schema={"type": "boolean"},
)  # fmt: skip
WHOLE = whole_number("whole")
ID = whole_number("id", 1)
COUNT = whole_number("count", 0, MAX_ID)
RANK = Kind("rank", float, from_text=float)
SORT_KEY = Kind("sort_key", str)
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
    query_schema={
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
    query_schema={"type": "string", "format": "date"},
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
    is_text=True,
    length=MARKDOWN_BYTES,
)
HTML = Kind("html", str, "html", is_text=True)
SCOPES = Kind(
    "scopes",
    Annotated[
        list[Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,50}:(read|write)$")]],
        Field(min_length=1, max_length=100),
    ],
    "lines",
)
"""What an API key may do, such as posts:read."""


EVENT_NAMES = Kind(
    "event_names",
    Annotated[
        list[Annotated[str, StringConstraints(min_length=1, max_length=64)]],
        Field(min_length=1, max_length=100),
    ],
    "lines",
)
"""Events to subscribe to, such as posts.published, posts.* or *."""


RECORD_TYPE = replace(text_kind("record_type", 64, pattern="^[a-z_]+$"), pattern="[a-z_]+")
"""The path of a record type, such as posts."""


NAMES = Kind("names", Annotated[list[str], Field(max_length=100)], "lines")
OBJECT = Kind("object", dict[str, Any], "json")


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
"""Sites can require a longer minimum, but not a shorter one."""

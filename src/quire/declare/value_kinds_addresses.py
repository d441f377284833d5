"""Kinds of addresses: email addresses, URLs, networks."""

from dataclasses import replace
from ipaddress import ip_network
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StringConstraints,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic_core import PydanticCustomError

from quire.declare.email_address import (
    ADDRESS_PATTERN,
    MAX_LENGTH,
    normalize_address,
    parse_address,
)
from quire.declare.value_errors import refusal
from quire.declare.value_kinds import SPACES, Kind, text_kind
from quire.translations.messages import Message

URL_PATTERN = (
    r"^[Hh][Tt][Tt][Pp][Ss]?://"
    r"(?:[^\x00-\x20/?#@:\[\]\\\x7f-\xa0\x22'<>^`{|}\u200b-\u200f\u2028-\u202e\u2060-\u206f]+"
    r"|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?"
    r"(?:[/?#][^\x00-\x20\x7f-\xa0\x22<>\u200e\u200f\u2028-\u202e\u2066-\u2069]*)?$"
)


def _web_address(value: Any, check: ValidatorFunctionWrapHandler) -> Any:
    """Validate a URL and its port; the message shows an example, since the scheme may be missing."""
    no_url = PydanticCustomError("bad_format", "must be a URL such as https://example.org/.")
    try:
        url = check(value)
    except ValidationError as error:
        if error.errors(include_url=False)[0]["type"] != "string_pattern_mismatch":
            raise
        raise no_url from None
    if not _has_valid_port(url):
        raise no_url
    return url


def _has_valid_port(url: str) -> bool:
    try:
        return urlsplit(url).port != 0
    except ValueError:
        return False


_TEXT_OF_URL = text_kind("url", 2000, pattern=URL_PATTERN, widget="url")
_WEB_ADDRESS: Any = Annotated[_TEXT_OF_URL.accepts, WrapValidator(_web_address)]
URL = replace(_TEXT_OF_URL, accepts=_WEB_ADDRESS)
URLS = Kind("urls", Annotated[list[_WEB_ADDRESS], Field(max_length=20)], "lines")


def _network(value: str) -> str:
    try:
        return str(ip_network(value.strip(SPACES), strict=False))
    except ValueError:
        words = Message("must be a network such as 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32.")
        raise refusal("bad_format", words) from None


NETWORKS = Kind(
    "networks",
    Annotated[
        list[Annotated[str, StringConstraints(max_length=50), AfterValidator(_network)]],
        Field(max_length=20),
    ],
    "lines",
)
"""Addresses and ranges: 192.0.2.7, 192.0.2.0/24, 2001:db8::/32."""


def _address(value: Any) -> Any:
    return parse_address(value) if isinstance(value, str) and value else value


EMAIL = replace(
    text_kind(
        "email",
        MAX_LENGTH,
        pattern=ADDRESS_PATTERN,
        checks=(BeforeValidator(_address),),
        widget="email",
    ),
    from_text=normalize_address,
)

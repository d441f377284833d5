"""Kinds of settings: how the text of an environment variable becomes a value, and what is refused."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator
from pydantic_settings import NoDecode


def _split(value: Any) -> Any:
    return re.findall(r"[^,\s]+", value) if isinstance(value, str) else value


def _web_address(value: str) -> str:
    if value and not re.match(r"https?://[^/\s?#]+(/[^\s?#]*)?$", value):
        raise ValueError("must look like https://example.org")
    return value.rstrip("/")


def _exact_origins(value: list[str]) -> list[str]:
    # what browsers send: in small letters, without a path; nothing that stands for many
    for one in value:
        if not re.fullmatch(r"[a-z][a-z0-9+.-]*://[^\s/?#@*A-Z]+", one):
            raise ValueError(f"must name exact origins such as https://app.example.org, not {one}")
    return value


def _rate(value: str) -> str:
    if value and not re.fullmatch(r"[1-9]\d{0,8}/(second|minute|hour|day)", value):
        raise ValueError("must look like 600/minute")
    return value


Words = Annotated[list[str], NoDecode, BeforeValidator(_split)]
"""Words, separated by commas or spaces."""
Origins = Annotated[Words, AfterValidator(_exact_origins)]
"""Origins of web pages."""
Address = Annotated[str, BeforeValidator(_web_address)]
"""Where a site is found, without a slash at its end."""
Rate = Annotated[str, AfterValidator(_rate)]
"""So many in a second, minute, hour or day."""

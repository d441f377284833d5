"""Email addresses: the form in which they are stored and compared, and the one that mail is sent to."""

import re
from typing import Any

from email_validator import EmailNotValidError, validate_email
from pydantic_core import PydanticCustomError

from quire.declare.unicode_text import normalize, strip_invisible
from quire.declare.value_errors import refusal
from quire.translations.messages import Message

MAX_LENGTH = 254
"""The maximum length of an address (RFC 5321)."""
_LOCAL = r"[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}"
_ASCII_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
# https://html.spec.whatwg.org/multipage/input.html#valid-e-mail-address
_ASCII = re.compile(rf"{_LOCAL}@{_ASCII_LABEL}(?:\.{_ASCII_LABEL})*")
_NO_LETTER = r"\x00-,./:-@\[-\x60{-\xa0"
_LABEL = rf"[^{_NO_LETTER}-](?:[^{_NO_LETTER}]{{0,61}}[^{_NO_LETTER}-])?"
ADDRESS_PATTERN = rf"^{_LOCAL}@{_LABEL}(?:\.{_LABEL})*$"
"""The pattern in the API document; IDNA decides about domains in other scripts."""


def parse_address(text: str) -> str:
    """Return the address as accounts store it: in lower case, with a Unicode domain (IDNA 2008).

    So `Ann@BÜCHER.example` and `ann@xn--bcher-kva.example` are the same. Raises PydanticCustomError, a ValueError,
    with a message for people.
    """
    local, _, domain = text.rpartition("@")
    if not local.isascii():
        words = Message("may contain letters such as ä or é only after the @.")
        raise refusal("bad_format", words)
    plain = domain.isascii() and "xn--" not in domain.lower()
    if plain and len(text) <= MAX_LENGTH and _ASCII.fullmatch(text):
        return text.lower()
    if plain:
        raise PydanticCustomError("bad_format", "is not a valid email address.")
    return _validate(text).normalized.lower()


def _validate(text: str) -> Any:
    try:
        return validate_email(
            text, check_deliverability=False, allow_smtputf8=False, globally_deliverable=False
        )
    except EmailNotValidError:
        raise PydanticCustomError("bad_format", "is not a valid email address.") from None


def normalize_address(text: str) -> str:
    """Return an address as accounts store it, however it was typed; anything else in lower case."""
    clean = strip_invisible(normalize(text)).strip()
    try:
        return parse_address(clean)
    except PydanticCustomError:
        return clean.lower()


def is_address(text: str) -> bool:
    """Whether mail can be sent to `text`."""
    try:
        parse_address(text)
    except PydanticCustomError:
        return False
    return True


def ascii_address(text: str) -> str:
    """Return the address with its domain in ASCII, which every mail server understands."""
    return text if text.isascii() else str(_validate(text).ascii_email)

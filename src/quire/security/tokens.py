"""Random secrets for devices and programs: their formats, and the digests that are stored."""

import hashlib
import re
import secrets
import string
import zlib
from typing import Annotated

from sqlalchemy import String
from sqlalchemy.orm import mapped_column

from quire.declare.value_kinds import text_kind

Digest = Annotated[
    str, mapped_column(String(64), info={"kind": text_kind("digest", 64, collated=False)})
]

KEY_START = "qk_"
_LETTERS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_SECRET, _CHECK = 43, 6
"""Characters of a key: 43 out of 62 carry 256 bits; six contain their CRC-32."""


def digest(secret: str) -> str:
    """Return the digest to store of a random secret; a fast SHA-256 is enough, since nobody can guess it."""
    return hashlib.sha256(secret.encode()).hexdigest()


def new_key() -> str:
    """Create an API key: a prefix that identifies the kind of secret, and a checksum at the end."""
    secret = KEY_START + "".join(secrets.choice(_LETTERS) for _ in range(_SECRET))
    return secret + _checksum(secret)


def is_key(text: str) -> bool:
    """Whether `text` has the form of a key; typos are detected without the database."""
    has_form = len(text) == len(KEY_START) + _SECRET + _CHECK and text.isascii()
    return has_form and text.startswith(KEY_START) and _checksum(text[:-_CHECK]) == text[-_CHECK:]


def new_content_key() -> str:
    """Create a key for the Ghost Content API: 26 hexadecimal digits, as its clients require."""
    return secrets.token_hex(13)


def is_content_key(text: str) -> bool:
    """Whether `text` has the form of such a key."""
    return re.fullmatch("[0-9a-f]{26}", text) is not None


def _checksum(text: str) -> str:
    number, letters = zlib.crc32(text.encode()), ""
    for _ in range(_CHECK):
        number, rest = divmod(number, len(_LETTERS))
        letters = _LETTERS[rest] + letters
    return letters


def new_secret() -> str:
    """Create a random secret of 256 bits."""
    return secrets.token_urlsafe(32)

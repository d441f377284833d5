"""Secrets that devices and programs hold: how they look, what is kept of them, how they end."""

import hashlib
import secrets
import string
import zlib
from typing import Annotated

from sqlalchemy import String, and_, delete, update
from sqlalchemy.orm import mapped_column

from quire.declare.record import REGISTRY
from quire.declare.values import text_kind
from quire.store.db import transaction

Digest = Annotated[str, mapped_column(String(64), info={"kind": text_kind("digest", 64)})]

KEY_START = "qk_"
_LETTERS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_SECRET, _CHECK = 43, 6
"""Letters of a key: 43 of 62 are 256 bits; six hold its CRC-32."""


def digest(secret: str) -> str:
    """What is kept of a secret that nobody can guess: SHA-256 is enough, and fast."""
    return hashlib.sha256(secret.encode()).hexdigest()


def new_key() -> str:
    """A new API key: what kind of secret it is stands in front, a checksum behind."""
    secret = KEY_START + "".join(secrets.choice(_LETTERS) for _ in range(_SECRET))
    return secret + _checksum(secret)


def is_key(text: str) -> bool:
    """Whether `text` has the form of a key; typing errors are found without the database."""
    whole = len(text) == len(KEY_START) + _SECRET + _CHECK and text.isascii()
    return whole and text.startswith(KEY_START) and _checksum(text[:-_CHECK]) == text[-_CHECK:]


def _checksum(text: str) -> str:
    number, letters = zlib.crc32(text.encode()), ""
    for _ in range(_CHECK):
        number, rest = divmod(number, len(_LETTERS))
        letters = _LETTERS[rest] + letters
    return letters


def end_session(id: int) -> None:
    """End one session."""
    table = REGISTRY["sessions"].table
    with transaction() as connection:
        connection.execute(delete(table).where(table.c.id == id))


def end_sessions(user_id: int, keep: int | None = None) -> None:
    """End a user's sessions, but `keep`: in the transaction of the change that this follows from."""
    table = REGISTRY["sessions"].table
    others = and_(table.c.user_id == user_id, table.c.id.is_distinct_from(keep))
    with transaction() as connection:
        connection.execute(delete(table).where(others))


def renew_sessions(user_id: int) -> None:
    """Let each of a user's browsers get another secret at its next request."""
    table = REGISTRY["sessions"].table
    with transaction() as connection:
        browsers = and_(table.c.user_id == user_id, table.c.kind == "browser")
        connection.execute(update(table).where(browsers).values(renew=True))


def end_keys(user_id: int) -> None:
    """Revoke a user's API keys."""
    table = REGISTRY["api_keys"].table
    with transaction() as connection:
        connection.execute(delete(table).where(table.c.owner_id == user_id))

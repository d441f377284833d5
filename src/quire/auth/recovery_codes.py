"""Recovery codes: one-time codes for users who have lost their authenticator app."""

import secrets

from sqlalchemy import ColumnElement, and_, delete, func, insert, select, update

from quire.declare.clock import now
from quire.records.accounts.second_factors import RecoveryCode
from quire.security.tokens import digest
from quire.store.db import read_connection, transaction
from quire.store.transactions.advisory_locks import advisory_lock

COUNT = 10
LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"
"""Digits and letters that are hard to confuse with each other."""
GROUPS, GROUP = 4, 4
"""Sixteen of 31 letters are 79 bits: too many to guess, even with the hashes."""

_codes = RecoveryCode.__table__


def regenerate(user_id: int) -> list[str]:
    """Replace all codes with new ones, which cannot be read again later."""
    codes = [_new_code() for _ in range(COUNT)]
    with transaction() as connection:
        advisory_lock(f"second factors of {user_id}")
        connection.execute(delete(_codes).where(_codes.c.user_id == user_id))
        rows = [{"user_id": user_id, "hash": digest(_normalize(code))} for code in codes]
        connection.execute(insert(_codes), rows)
    return codes


def count_unused(user_id: int) -> int:
    """Return how many codes have not been used."""
    unused = and_(_codes.c.user_id == user_id, _codes.c.used_at.is_(None))
    with read_connection() as connection:
        return int(connection.execute(select(func.count()).where(unused)).scalar_one())


def is_unused(user_id: int, text: str) -> bool:
    """Return whether `text` is an unused code."""
    unused = select(_codes.c.id).where(_is_unused_code(user_id, text))
    with read_connection() as connection:
        return connection.execute(unused).first() is not None


def consume(user_id: int, text: str) -> bool:
    """Use up a code; return False if `text` is not an unused code."""
    use = update(_codes).where(_is_unused_code(user_id, text)).values(used_at=now())
    with transaction() as connection:
        return bool(connection.execute(use).rowcount == 1)


def _is_unused_code(user_id: int, text: str) -> ColumnElement[bool]:
    this = and_(_codes.c.user_id == user_id, _codes.c.hash == digest(_normalize(text)))
    return and_(this, _codes.c.used_at.is_(None))


def _new_code() -> str:
    letters = [secrets.choice(LETTERS) for _ in range(GROUPS * GROUP)]
    return "-".join("".join(letters[i : i + GROUP]) for i in range(0, len(letters), GROUP))


def _normalize(text: str) -> str:
    """Return a code in the form that is hashed, however it was typed."""
    return "".join(c for c in text.lower() if c.isalnum())

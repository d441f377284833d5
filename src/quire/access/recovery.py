"""Recovery codes: what opens an account once when the app with the codes is gone."""

import secrets

from sqlalchemy import and_, delete, func, insert, select, update

from quire.declare.clock import now
from quire.store.credentials import digest
from quire.store.db import reading, transaction
from quire.store.second_factors import RecoveryCode

COUNT = 10
LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"
"""Digits and letters that nobody takes for each other."""
GROUPS, GROUP = 4, 4
"""Sixteen of 31 letters are 79 bits: too many to guess, even for who holds the hashes."""

_codes = RecoveryCode.__table__


def renew(user_id: int) -> list[str]:
    """New codes in the place of the old ones; this is the only time that they can be read."""
    codes = [_new_code() for _ in range(COUNT)]
    with transaction() as connection:
        connection.execute(delete(_codes).where(_codes.c.user_id == user_id))
        rows = [{"user_id": user_id, "hash": digest(_bare(code))} for code in codes]
        connection.execute(insert(_codes), rows)
    return codes


def left(user_id: int) -> int:
    """How many codes have not been used."""
    unused = and_(_codes.c.user_id == user_id, _codes.c.used_at.is_(None))
    with reading() as connection:
        return int(connection.execute(select(func.count()).where(unused)).scalar_one())


def spend(user_id: int, text: str) -> bool:
    """Whether `text` was a code that had not been used; now it has."""
    this = and_(_codes.c.user_id == user_id, _codes.c.hash == digest(_bare(text)))
    unused = update(_codes).where(this, _codes.c.used_at.is_(None))
    with transaction() as connection:
        return bool(connection.execute(unused.values(used_at=now())).rowcount == 1)


def _new_code() -> str:
    letters = [secrets.choice(LETTERS) for _ in range(GROUPS * GROUP)]
    return "-".join("".join(letters[i : i + GROUP]) for i in range(0, len(letters), GROUP))


def _bare(text: str) -> str:
    """A code as it is hashed, however it was typed."""
    return "".join(c for c in text.lower() if c.isalnum())

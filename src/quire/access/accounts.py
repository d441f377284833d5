"""Accounts as proofs need them: whose they are, read in the statement that looks up the proof."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from quire.actor import Actor
from quire.declare.record import REGISTRY
from quire.store.db import reading


@dataclass(frozen=True)
class Account:
    """Who an account belongs to."""

    id: int
    username: str
    role: str
    is_active: bool = True

    def actor(self, proof: str, **circumstances: Any) -> Actor:
        """The actor that this account is, once it has been proved."""
        return Actor(self.role, self.id, self.username, proof, **circumstances)


COLUMNS = ("id", "username", "role", "is_active")


def account_columns() -> list[Any]:
    """The columns of users that make an Account, for statements that join them."""
    return [REGISTRY["users"].table.c[name] for name in COLUMNS]


def account_of(row: Sequence[Any]) -> Account:
    """The account whose columns come first in `row`."""
    return Account(*row[: len(COLUMNS)])


def named(username: str) -> Account | None:
    """The account with this username, in any case."""
    folded = REGISTRY["users"].table.c.username_folded
    with reading() as connection:
        row = connection.execute(
            select(*account_columns()).where(folded == username.lower())
        ).first()
    return None if row is None else account_of(row)

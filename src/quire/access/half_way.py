"""Half-way in: who has shown the right password and owes the second proof.

This stands in the signed cookie, opens nothing by itself, and is worth nothing after some minutes or
once the password is another one.
"""

from dataclasses import dataclass

from flask import session
from sqlalchemy import select

from quire.access.accounts import Account, account_columns, account_of
from quire.declare.clock import now
from quire.declare.record import REGISTRY
from quire.store.credentials import digest
from quire.store.db import reading

NAME = "half_way"
SECONDS = 900


@dataclass(frozen=True)
class HalfWay:
    """Whose second proof is awaited, and whether he asked to stay signed in."""

    owner: Account
    mark: str
    remember: bool


def begin(owner: Account, remember: bool) -> None:
    """Note that the password was right; nothing that the browser held before is kept."""
    session.clear()
    found = _known(owner.id, remember)
    if found is not None:
        session[NAME] = [owner.id, found.mark, remember, int(now().timestamp()) + SECONDS]


def present() -> HalfWay | None:
    """Who stands half-way in with this browser."""
    id, mark, remember, until = session.get(NAME) or (0, "", False, 0)
    found = _known(id, remember) if until > now().timestamp() else None
    return found if found is not None and found.mark == mark else None


def _known(id: int, remember: bool) -> HalfWay | None:
    """An active account, with a mark that changes when its password does."""
    users = REGISTRY["users"].table.c
    wanted = select(*account_columns(), users.password).where(users.id == id, users.is_active)
    with reading() as connection:
        row = connection.execute(wanted).first()
    return row and HalfWay(account_of(row), digest(row[-1] or "")[:16], remember)

"""A pending sign-in: the password was right, the second factor is missing.

This stands in the signed cookie, opens nothing by itself, and is worth nothing after some minutes or
once the password is another one.
"""

from dataclasses import dataclass

from flask import session
from sqlalchemy import select

from quire.auth.accounts import Account, account_columns, account_from_row
from quire.declare.clock import now
from quire.declare.record import REGISTRY
from quire.security.tokens import digest
from quire.store.db import read_connection

NAME = "half_way"
SECONDS = 900


@dataclass(frozen=True)
class PendingLogin:
    """Whose second proof is awaited, and whether he asked to stay signed in."""

    owner: Account
    mark: str
    remember: bool


def begin(owner: Account, remember: bool) -> None:
    """Note that the password was right; former session data of the browser is dropped."""
    session.clear()
    login = _load(owner.id, remember)
    if login is not None:
        session[NAME] = [owner.id, login.mark, remember, int(now().timestamp()) + SECONDS]


def current() -> PendingLogin | None:
    """Who stands half-way in with this browser."""
    id, mark, remember, until = session.get(NAME) or (0, "", False, 0)
    login = _load(id, remember) if until > now().timestamp() else None
    return login if login is not None and login.mark == mark else None


def _load(id: int, remember: bool) -> PendingLogin | None:
    """An active account, with a mark that changes when its password does."""
    users = REGISTRY["users"].table.c
    statement = select(*account_columns(), users.password).where(users.id == id, users.is_active)
    with read_connection() as connection:
        row = connection.execute(statement).first()
    return row and PendingLogin(account_from_row(row), digest(row[-1] or "")[:16], remember)

"""A pending sign-in: the password was correct, the second factor is missing.

It is stored in the signed cookie, grants no access, and becomes invalid after a few minutes or a change of password.
"""

from dataclasses import dataclass

from flask import session
from sqlalchemy import select

from quire.auth.accounts import Account, account_columns, account_from_row
from quire.declare.clock import now
from quire.declare.record import REGISTRY
from quire.security.tokens import digest
from quire.store.db import read_connection

NAME = "pending_login"
SECONDS = 900


@dataclass(frozen=True)
class PendingLogin:
    """The user whose second factor is expected, and whether they asked to stay signed in."""

    owner: Account
    mark: str
    remember: bool


def begin(owner: Account, remember: bool) -> None:
    """Record that the password was correct; discard the browser's other session data."""
    session.clear()
    login = _load(owner.id, remember)
    if login is not None:
        session[NAME] = [owner.id, login.mark, remember, int(now().timestamp()) + SECONDS]


def current() -> PendingLogin | None:
    """Return the pending sign-in of this browser."""
    id, mark, remember, until = session.get(NAME) or (0, "", False, 0)
    login = _load(id, remember) if until > now().timestamp() else None
    return login if login is not None and login.mark == mark else None


def _load(id: int, remember: bool) -> PendingLogin | None:
    """Return an active account with a fingerprint that changes with its password."""
    users = REGISTRY["users"].table.c
    statement = select(*account_columns(), users.password).where(users.id == id, users.is_active)
    with read_connection() as connection:
        row = connection.execute(statement).first()
    return row and PendingLogin(account_from_row(row), digest(row[-1] or "")[:16], remember)

"""Accounts for authentication, read in the same statement as the credential."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import current_app
from sqlalchemy import ColumnElement, case, exists, or_, select, true

from quire.actor import Actor
from quire.declare.record import REGISTRY
from quire.records.accounts.second_factors import Passkey, TotpDevice
from quire.store.db import read_connection
from quire.web.language import page_language


@dataclass(frozen=True)
class Account:
    """The owner of a credential; for administrators, `is_secured` tells whether they have a second factor."""

    id: int
    username: str
    role: str
    is_active: bool = True
    language: str = "auto"
    is_secured: bool = True

    @property
    def needs_second_factor(self) -> bool:
        """Whether this administrator lacks a second factor that is required here."""
        return requires_second_factor(self.role) and not self.is_secured

    def actor(self, proof: str, **circumstances: Any) -> Actor:
        """Return the actor for this account after authentication."""
        role = "member" if self.needs_second_factor else self.role
        return Actor(role, self.id, self.username, proof, language=self.language, **circumstances)


def requires_second_factor(role: str) -> bool:
    """Return whether people with this role need a second factor."""
    return role == "admin" and bool(current_app.config["REQUIRE_ADMIN_TWO_FACTOR"])


def language_of_mail(chosen: str = "auto") -> dict[str, str]:
    """Return the values to store for the language of mail: the page's language unless the user has chosen one."""
    code = page_language() if chosen == "auto" else None
    return {"page_language": code} if code else {}


COLUMNS = ("id", "username", "role", "is_active", "language")


def account_columns() -> list[Any]:
    """Return the columns of users that make up an Account, for statements that join them."""
    users = REGISTRY["users"].table.c
    return [
        *(users[name] for name in COLUMNS),
        case((users.role == "admin", _has_second_factor()), else_=true()),
    ]


def _has_second_factor() -> Any:
    """Return the SQL condition that an account has a second factor."""
    users = REGISTRY["users"].table
    devices = (exists().where(model.user_id == users.c.id) for model in (TotpDevice, Passkey))
    return or_(*(one.correlate(users) for one in devices))


def account_from_row(row: Sequence[Any]) -> Account:
    """Return the account whose columns come first in `row`."""
    return Account(*row[: len(COLUMNS) + 1])


def by_username(username: str) -> Account | None:
    """Return the account with this username, ignoring case."""
    return _first(REGISTRY["users"].table.c.username_folded == username)


def by_id(id: int) -> Account | None:
    """Return the account with this id."""
    return _first(REGISTRY["users"].table.c.id == id)


def _first(condition: ColumnElement[bool]) -> Account | None:
    with read_connection() as connection:
        row = connection.execute(select(*account_columns()).where(condition)).first()
    return None if row is None else account_from_row(row)

"""Accounts as proofs need them: one row, read when somebody says who he is."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, select

from quire.actor import SYSTEM, Actor
from quire.declare.clock import now, rfc3339
from quire.declare.record import REGISTRY
from quire.errors import Unproven
from quire.store.db import reading
from quire.store.secrets import password_matches
from quire.store.write import update


@dataclass(frozen=True)
class Account:
    """Who an account belongs to; `epoch` grows when password, role or activity change."""

    id: int
    username: str
    role: str
    is_active: bool
    epoch: int
    password: str | None = None

    def actor(self, proof: str, **circumstances: str | None) -> Actor:
        """The actor that this account is, once it has been proved."""
        return Actor(self.role, self.id, self.username, proof, **circumstances)  # type: ignore[arg-type]


@cache
def _by(name: str) -> Select[Any]:
    columns = REGISTRY["users"].table.c
    wanted = (columns[n] for n in ("id", "username", "role", "is_active", "auth_epoch", "password"))
    return select(*wanted).where(columns[name] == bindparam("value", type_=columns[name].type))


def _select(name: str, value: Any) -> Account | None:
    with reading() as connection:
        row: Any = connection.execute(_by(name), {"value": value}).first()
    return None if row is None else Account(*row)


def account(id: int, epoch: int) -> Account | None:
    """The active account `id`, unless its rights have changed since `epoch`."""
    found = _select("id", id)
    fits = found is not None and found.is_active and found.epoch == epoch
    return found if fits else None


def sign_in(email: str, password: str) -> Account:
    """The account of this address and password. Raises Unproven, which of the two was wrong or
    whether there is such an account is not told, nor does it take another time."""
    found = _select("email", email.strip().lower())
    matches = password_matches(found.password if found else None, password)
    if found is None or not matches or not found.is_active:
        raise Unproven("Invalid email or password", code="invalid_credentials")
    update(REGISTRY["users"], SYSTEM, found.id, {"last_login_at": rfc3339(now())})
    return found

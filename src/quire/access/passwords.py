"""The password as proof: right or wrong, which of its parts was wrong is told by nothing."""

from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, select

from quire.access.accounts import Account, account_columns, account_of
from quire.declare.record import REGISTRY
from quire.errors import Unproven
from quire.store.db import reading
from quire.store.secrets import password_matches


@cache
def _by_email() -> Select[Any]:
    users = REGISTRY["users"].table
    return select(*account_columns(), users.c.password).where(users.c.email == bindparam("email"))


def _known(email: str) -> tuple[Account | None, str | None]:
    """The account of an address, and the hash of its password."""
    with reading() as connection:
        row = connection.execute(_by_email(), {"email": email.strip().lower()}).first()
    return (None, None) if row is None else (account_of(row), row[-1])


def prove(email: str, password: str) -> Account:
    """The active account of this address and password. Raises Unproven: whether there is such an
    account is not told, nor does it take another time."""
    found, stored = _known(email)
    matches = password_matches(stored, password)
    if found is None or not matches or not found.is_active:
        raise Unproven("Invalid email or password", code="invalid_credentials")
    return found

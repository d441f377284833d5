"""The password as proof: right or wrong, which of its parts was wrong is told by nothing."""

from functools import cache
from typing import Any

from sqlalchemy import Select, and_, bindparam, select, update

from quire.access.accounts import Account, account_columns, account_of
from quire.access.request import asker
from quire.access.throttle import guess, normal
from quire.actor import Actor
from quire.declare.record import REGISTRY
from quire.errors import Invalid, Unproven, detail
from quire.records.users import knows_password
from quire.store.audit import note
from quire.store.db import reading, transaction
from quire.store.secrets import hash_password, is_weak, password_matches


@cache
def _by_email() -> Select[Any]:
    users = REGISTRY["users"].table
    return select(*account_columns(), users.c.password).where(users.c.email == bindparam("email"))


def _known(email: str) -> tuple[Account | None, str | None]:
    """The account of an address, and the hash of its password."""
    with reading() as connection:
        row = connection.execute(_by_email(), {"email": email}).first()
    return (None, None) if row is None else (account_of(row), row[-1])


def prove(email: str, password: str) -> Account:
    """The active account of this address and password. Raises Unproven: whether there is such an
    account is not told, nor does it take another time; TooMany before the password is looked at."""
    address = normal(email)
    found, stored = _known(address)
    id = found.id if found is not None else None
    with guess("password", address, id) as it:
        it.right = password_matches(stored, password) and found is not None and found.is_active
    if found is None or not it.right:
        note(asker(), "sign_in_failed", "users", id)
        raise Unproven("Invalid email or password", code="invalid_credentials")
    if stored is not None and is_weak(stored):
        _renew(found.id, stored, password)
    return found


def _renew(id: int, stored: str, password: str) -> None:
    """Store the hash anew, at the cost that is set now, unless there is another password already."""
    users, hashed = REGISTRY["users"].table, hash_password(password)
    this = and_(users.c.id == id, users.c.password == stored)
    with transaction() as connection:
        connection.execute(update(users).where(this).values(password=hashed))


def confirm(actor: Actor, password: str) -> None:
    """Let go on only who knows the actor's present password. Raises Invalid, TooMany."""
    if not knows_password(actor, password):
        message = "Current password is wrong." if password else "Current password is required."
        code = "not_allowed" if password else "required"
        raise Invalid([detail("current_password", code, message)])

"""Authentication by password; errors never tell whether the email or the password was wrong."""

from functools import cache
from typing import Any

from sqlalchemy import Select, and_, bindparam, select, update

from quire.actor import Actor
from quire.auth.accounts import Account, account_columns, account_from_row
from quire.auth.current_actor import anonymous_actor
from quire.auth.rate_limits import count_attempt
from quire.declare.email_address import normalize_address
from quire.declare.record import REGISTRY
from quire.errors import Unauthenticated, ValidationFailed, detail
from quire.monitoring.counters import SIGN_IN_FAILURES, count
from quire.records.accounts.current_password import knows_password
from quire.security.passwords import hash_password, is_weak, password_matches
from quire.store.db import read_connection, transaction
from quire.store.late_audit import record_event_soon


@cache
def _by_email() -> Select[Any]:
    users = REGISTRY["users"].table
    return select(*account_columns(), users.c.password).where(users.c.email == bindparam("email"))


def _load(email: str) -> tuple[Account | None, str | None]:
    """Return the account with this email and its password hash."""
    with read_connection() as connection:
        row = connection.execute(_by_email(), {"email": email}).first()
    return (None, None) if row is None else (account_from_row(row), row[-1])


def authenticate(email: str, password: str) -> Account:
    """Return the active account with this email and password.

    Raises Unauthenticated, after the same time whether or not there is such an account; TooManyRequests before the
    password is checked.
    """
    address = normalize_address(email)
    account, stored = _load(address)
    id = account.id if account is not None else None
    with count_attempt("password", address, id) as it:
        it.right = password_matches(stored, password) and account is not None and account.is_active
    if account is None or not it.right:
        count(SIGN_IN_FAILURES, "password")
        record_event_soon(anonymous_actor(), "sign_in_failed", "users", id)
        raise Unauthenticated("Invalid email or password", code="invalid_credentials")
    if stored is not None and is_weak(stored):
        _rehash(account.id, stored, password)
    return account


def _rehash(id: int, stored: str, password: str) -> None:
    """Store the hash again at the current cost, unless the password has changed meanwhile."""
    users, hashed = REGISTRY["users"].table, hash_password(password)
    this = and_(users.c.id == id, users.c.password == stored)
    with transaction() as connection:
        connection.execute(update(users).where(this).values(password=hashed))


def require_current_password(actor: Actor, password: str) -> None:
    """Require the actor's current password. Raises ValidationFailed, TooManyRequests."""
    if not knows_password(actor, password):
        message = "Current password is wrong." if password else "Current password is required."
        code = "not_allowed" if password else "required"
        raise ValidationFailed([detail("current_password", code, message)])

"""The current password of an account, which users prove they know before important changes."""

from sqlalchemy import select

from quire.actor import Actor
from quire.declare.record import REGISTRY
from quire.records.accounts.revocation import renew_session
from quire.security.login_throttle import count_attempt
from quire.security.passwords import password_matches
from quire.store.db import read_connection
from quire.store.late_audit import record_event_soon


def knows_password(actor: Actor, password: str) -> bool:
    """Whether `password` is the actor's password. Raises TooManyRequests after many wrong ones."""
    return verified_hash(actor, password) is not None


def verified_hash(actor: Actor, password: str) -> str | None:
    """Return the stored hash of the actor's password, or None if `password` is wrong.

    Raises TooManyRequests after many wrong ones.
    """
    email, stored = credentials(actor.user_id)
    with count_attempt("password", email or "", actor, actor.user_id) as attempt:
        attempt.right = password_matches(stored, password)
    if attempt.right:
        renew_session(actor)
        return stored
    record_event_soon(actor, "sign_in_failed", "users", actor.user_id, "current_password")
    return None


def credentials(id: int | None) -> tuple[str | None, str | None]:
    """Return the email address and the password hash of an account."""
    users = REGISTRY["users"].table
    with read_connection() as connection:
        row = connection.execute(
            select(users.c.email, users.c.password).where(users.c.id == id)
        ).first()
    return (row[0], row[1]) if row else (None, None)

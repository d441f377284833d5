"""Ends and renews the sessions and API keys of an account."""

from blinker import Signal
from sqlalchemy import delete, func, select, update

from quire.actor import Actor
from quire.declare.clock import now
from quire.declare.record import REGISTRY
from quire.records.accounts.second_factors import count_factors, delete_factors
from quire.security.tokens import digest, new_secret
from quire.store.db import on_commit, read_connection, transaction
from quire.store.transactions.long_work import delete_in_batches
from quire.translations.messages import Message

session_renewed = Signal(
    "The session with the id `sender` has a new `secret`, which its browser must receive."
)

ENDED_SESSIONS = Message("Ended: %(count)s session.", "Ended: %(count)s sessions.", count=0)
ENDED_KEYS = Message("Ended: %(count)s API key.", "Ended: %(count)s API keys.", count=0)
KEPT_KEYS = Message("Still valid: %(count)s API key.", "Still valid: %(count)s API keys.", count=0)
ENDED_FACTORS = Message(
    "Ended: %(count)s second factor.", "Ended: %(count)s second factors.", count=0
)
KEPT_FACTORS = Message(
    "Still valid: %(count)s second factor.", "Still valid: %(count)s second factors.", count=0
)


def end_session(id: int) -> None:
    """End one session."""
    table = REGISTRY["sessions"].table
    with transaction() as connection:
        connection.execute(delete(table).where(table.c.id == id))


def delete_expired_sessions() -> int:
    """Delete expired sessions; return how many."""
    table = REGISTRY["sessions"].table
    return delete_in_batches(table, table.c.expires_at <= now())


def end_sessions(user_id: int, keep: int | None = None, kind: str | None = None) -> int:
    """End a user's sessions, of one `kind` or all, except `keep`; return how many.

    This happens in the transaction of the change that requires it.
    """
    table = REGISTRY["sessions"].table
    conditions = [table.c.user_id == user_id, table.c.id.is_distinct_from(keep)]
    if kind is not None:
        conditions.append(table.c.kind == kind)
    with transaction() as connection:
        return int(connection.execute(delete(table).where(*conditions)).rowcount)


def end_all_sessions(keep: int | None) -> int:
    """End everyone's sessions, except `keep`; return how many."""
    table = REGISTRY["sessions"].table
    with transaction() as connection:
        others = delete(table).where(table.c.id.is_distinct_from(keep))
        return int(connection.execute(others).rowcount)


def renew_session(actor: Actor) -> None:
    """Replace the secret of the actor's browser session right after they have proven the password.

    The old secret is then invalid, even if someone else has a copy.
    """
    if actor.proof != "session" or actor.session_id is None:
        return
    table, secret = REGISTRY["sessions"].table, new_secret()
    values = {"hash": digest(secret), "former_hash": None}
    with transaction() as connection:
        connection.execute(update(table).where(table.c.id == actor.session_id).values(values))
        on_commit(lambda: session_renewed.send(actor.session_id, secret=secret))


def end_keys(user_id: int) -> int:
    """Revoke a user's API keys; return how many."""
    table = REGISTRY["api_keys"].table
    with transaction() as connection:
        return int(connection.execute(delete(table).where(table.c.owner_id == user_id)).rowcount)


def count_keys(user_id: int) -> int:
    """Return how many API keys a user has."""
    table = REGISTRY["api_keys"].table
    own = select(func.count()).where(table.c.owner_id == user_id)
    with read_connection() as connection:
        return int(connection.execute(own).scalar_one())


def revoke_credentials(
    user_id: int, *, keep_session: int | None, keep_keys: bool, keep_factors: bool
) -> list[str]:
    """End an account's sessions except one, and revoke its keys and second factors unless they are to be kept.

    This happens in the transaction that sets the new password. Returns sentences about what has ended and what is
    still valid.
    """
    with transaction():
        sessions = end_sessions(user_id, keep_session)
        keys = count_keys(user_id) if keep_keys else end_keys(user_id)
        factors = count_factors(user_id)
        if not keep_factors:
            delete_factors(user_id)
    numbers = (
        (ENDED_SESSIONS, sessions),
        (KEPT_KEYS if keep_keys else ENDED_KEYS, keys),
        (KEPT_FACTORS if keep_factors else ENDED_FACTORS, factors),
    )
    return [sentence.with_values(count=number) for sentence, number in numbers if number]

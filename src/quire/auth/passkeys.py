"""Passkeys of accounts: their public keys, names and uses."""

from datetime import datetime
from typing import Any

from sqlalchemy import and_, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from quire.actor import Actor
from quire.auth.account_links import mail_notice
from quire.auth.accounts import account_columns
from quire.declare.clock import now, rfc3339
from quire.declare.record import REGISTRY
from quire.errors import Conflict, NotFound, ValidationFailed, detail
from quire.records.accounts.second_factors import Passkey
from quire.store.audit import record_event
from quire.store.db import read_connection, transaction
from quire.store.transactions.advisory_locks import advisory_lock
from quire.translations.messages import Message

MAX_PASSKEYS = 20
"""The maximum number of passkeys per account."""
LONGEST_NAME = 100
LONGEST_ID = 1400

_keys = Passkey.__table__


def list_passkeys(actor: Actor) -> list[dict[str, Any]]:
    """Return the actor's passkeys, oldest first."""
    columns = (_keys.c[name] for name in ("id", "name", "created_at", "last_used_at"))
    statement = select(*columns).where(_keys.c.user_id == actor.user_id).order_by(_keys.c.id)
    with read_connection() as connection:
        rows = connection.execute(statement).mappings().all()
    return [{name: _as_text(value) for name, value in row.items()} for row in rows]


def _as_text(value: Any) -> Any:
    return rfc3339(value) if isinstance(value, datetime) else value


def get_passkey(actor: Actor, id: int) -> dict[str, Any]:
    """Return one of the actor's passkeys. Raises NotFound."""
    for passkey in list_passkeys(actor):
        if passkey["id"] == id:
            return passkey
    raise NotFound


def credential_ids(user_id: int) -> list[str]:
    """Return the credential ids of a user's passkeys."""
    with read_connection() as connection:
        statement = select(_keys.c.credential_id).where(_keys.c.user_id == user_id)
        return list(connection.execute(statement).scalars())


def store_passkey(
    actor: Actor, name: str, credential_id: str, public_key: bytes, sign_count: int
) -> None:
    """Add a passkey to the actor's account. Raises ValidationFailed if it is known, Conflict."""
    row = {
        "user_id": actor.user_id, "name": _clean(name), "credential_id": credential_id,
        "public_key": public_key, "sign_count": sign_count,
    }  # fmt: skip
    try:
        with transaction() as connection:
            advisory_lock(f"passkeys of {actor.user_id}")
            check_limit(credential_ids(actor.user_id or 0))
            connection.execute(insert(_keys).values(row))
            _audit(actor, "passkey_added")
            mail_notice(actor.user_id or 0, "passkey_added")
    except IntegrityError:
        raise invalid_credential("This passkey has already been added.") from None


def check_limit(ids: list[str]) -> None:
    """Raise Conflict if the user has as many passkeys as are allowed."""
    if len(ids) >= MAX_PASSKEYS:
        raise Conflict(
            Message(
                "An account can have at most %(limit)s passkeys. Remove one first.",
                limit=MAX_PASSKEYS,
            )
        )


def rename(actor: Actor, id: int, name: str) -> None:
    """Rename one of the actor's passkeys. Raises NotFound."""
    with transaction() as connection:
        done = connection.execute(
            update(_keys).where(_own_passkey(actor, id)).values(name=_clean(name))
        )
        if not done.rowcount:
            raise NotFound


def remove(actor: Actor, id: int) -> None:
    """Delete one of the actor's passkeys. Raises NotFound."""
    with transaction() as connection:
        if not connection.execute(delete(_keys).where(_own_passkey(actor, id))).rowcount:
            raise NotFound
        _audit(actor, "passkey_removed")


def find_by_credential(credential_id: Any) -> Any:
    """Return the passkey with this credential id and its active account; None if unknown."""
    if not isinstance(credential_id, str) or "\x00" in credential_id:
        return None
    users = REGISTRY["users"].table
    more = (_keys.c[name] for name in ("credential_id", "public_key", "sign_count"))
    statement = (
        select(*account_columns(), _keys.c.id.label("passkey_id"), *more)
        .join_from(_keys, users, users.c.id == _keys.c.user_id)
        .where(_keys.c.credential_id == credential_id, users.c.is_active)
    )
    with read_connection() as connection:
        return connection.execute(statement).first()


def record_use(id: int, sign_count: int, given_at: datetime) -> bool:
    """Record that a passkey has signed a challenge; return False if the challenge is an old one.

    A copied cookie could replay an answered challenge, so a challenge is valid only if the passkey has not been used
    since it was issued.
    """
    unused = or_(_keys.c.last_used_at.is_(None), _keys.c.last_used_at < given_at)
    values = {"sign_count": sign_count, "last_used_at": now()}
    with transaction() as connection:
        done = connection.execute(update(_keys).where(_keys.c.id == id, unused).values(values))
    return bool(done.rowcount == 1)


def invalid_credential(message: str) -> ValidationFailed:
    """Return the error for an invalid response of an authenticator."""
    return ValidationFailed([detail("credential", "not_allowed", message)])


def _audit(actor: Actor, action: str) -> None:
    assert actor.user_id is not None
    record_event(actor, action, "users", actor.user_id)


def _own_passkey(actor: Actor, id: int) -> Any:
    return and_(_keys.c.id == id, _keys.c.user_id == actor.user_id)


def _clean(name: str) -> str:
    """Return the name in a form that can be stored and shown."""
    return "".join(c for c in name if c.isprintable()).strip()[:LONGEST_NAME] or "Passkey"

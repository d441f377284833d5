"""Passkeys: key pairs of devices that sign people in; which ones are known, their names and uses."""

from datetime import datetime
from typing import Any

from sqlalchemy import and_, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from quire.access.accounts import account_columns
from quire.access.links import mail_notice
from quire.actor import Actor
from quire.declare.clock import now, rfc3339
from quire.declare.record import REGISTRY
from quire.errors import Invalid, Missing, detail
from quire.store.audit import note
from quire.store.credentials import renew_sessions
from quire.store.db import reading, transaction
from quire.store.second_factors import Passkey

MOST = 20
"""Passkeys of one account."""
LONGEST_NAME = 100
LONGEST_ID = 1400

_keys = Passkey.__table__


def of(actor: Actor) -> list[dict[str, Any]]:
    """The actor's passkeys, oldest first."""
    columns = (_keys.c[name] for name in ("id", "name", "created_at", "last_used_at"))
    wanted = select(*columns).where(_keys.c.user_id == actor.user_id).order_by(_keys.c.id)
    with reading() as connection:
        rows = connection.execute(wanted).mappings().all()
    return [{name: _shown(value) for name, value in row.items()} for row in rows]


def _shown(value: Any) -> Any:
    return rfc3339(value) if isinstance(value, datetime) else value


def one(actor: Actor, id: int) -> dict[str, Any]:
    """One of the actor's passkeys. Raises Missing."""
    for found in of(actor):
        if found["id"] == id:
            return found
    raise Missing


def ids_of(user_id: int) -> list[str]:
    """How devices know somebody's passkeys."""
    with reading() as connection:
        wanted = select(_keys.c.credential_id).where(_keys.c.user_id == user_id)
        return list(connection.execute(wanted).scalars())


def keep(actor: Actor, name: str, credential_id: str, public_key: bytes, sign_count: int) -> None:
    """Add one to the actor's passkeys. Raises Invalid when it is somebody's already."""
    row = {
        "user_id": actor.user_id, "name": _clean(name), "credential_id": credential_id,
        "public_key": public_key, "sign_count": sign_count,
    }  # fmt: skip
    try:
        with transaction() as connection:
            connection.execute(insert(_keys).values(row))
            _rights_changed(actor, "passkey_added")
            mail_notice(actor.user_id or 0, "passkey_added")
    except IntegrityError:
        raise refused("This passkey is known already.") from None


def rename(actor: Actor, id: int, name: str) -> None:
    """Give one of the actor's passkeys another name. Raises Missing."""
    with transaction() as connection:
        done = connection.execute(update(_keys).where(_own(actor, id)).values(name=_clean(name)))
        if not done.rowcount:
            raise Missing


def remove(actor: Actor, id: int) -> None:
    """Forget one of the actor's passkeys: it signs nobody in any more. Raises Missing."""
    with transaction() as connection:
        if not connection.execute(delete(_keys).where(_own(actor, id))).rowcount:
            raise Missing
        _rights_changed(actor, "passkey_removed")


def known(credential_id: Any) -> Any:
    """The passkey with this id, behind the active account that it belongs to; None for others."""
    if not isinstance(credential_id, str) or "\x00" in credential_id:
        return None
    users = REGISTRY["users"].table
    more = (_keys.c[name] for name in ("credential_id", "public_key", "sign_count"))
    wanted = (
        select(*account_columns(), _keys.c.id.label("passkey_id"), *more)
        .join_from(_keys, users, users.c.id == _keys.c.user_id)
        .where(_keys.c.credential_id == credential_id, users.c.is_active)
    )
    with reading() as connection:
        return connection.execute(wanted).first()


def use(id: int, sign_count: int, given_at: datetime) -> bool:
    """Note that a passkey has signed a challenge; False where that challenge is an old one.

    A copied cookie would bring a challenge back that has been answered: it counts only if the
    passkey has not been used since it was given out.
    """
    unused = or_(_keys.c.last_used_at.is_(None), _keys.c.last_used_at < given_at)
    values = {"sign_count": sign_count, "last_used_at": now()}
    with transaction() as connection:
        done = connection.execute(update(_keys).where(_keys.c.id == id, unused).values(values))
    return bool(done.rowcount == 1)


def refused(message: str) -> Invalid:
    """What a device has answered is not taken."""
    return Invalid([detail("credential", "not_allowed", message)])


def _rights_changed(actor: Actor, action: str) -> None:
    assert actor.user_id is not None
    note(actor, action, "users", actor.user_id)
    renew_sessions(actor.user_id)


def _own(actor: Actor, id: int) -> Any:
    return and_(_keys.c.id == id, _keys.c.user_id == actor.user_id)


def _clean(name: str) -> str:
    """A name that can be kept and shown, whatever was typed."""
    return "".join(c for c in name if c.isprintable()).strip()[:LONGEST_NAME] or "Passkey"

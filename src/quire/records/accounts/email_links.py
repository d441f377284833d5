"""Links in emails: valid once, for a limited time and one purpose; only hashes are stored."""

import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import current_app
from sqlalchemy import ColumnElement, Connection, and_, delete, insert, not_, or_, select, update
from sqlalchemy.orm import Mapped, mapped_column

from quire.declare.clock import now
from quire.declare.column_types import Email, Time
from quire.declare.mixins import HasId
from quire.declare.record import REGISTRY
from quire.declare.references import Ref, reference
from quire.security.tokens import Digest, digest
from quire.store.audit import Word
from quire.store.db import Model, read_connection, transaction
from quire.store.transactions.advisory_locks import advisory_lock

LIFETIMES = {
    "reset": "RESET_LINK_SECONDS",
    "verify": "VERIFY_LINK_SECONDS",
    "email": "VERIFY_LINK_SECONDS",
    "invite": "INVITE_LINK_SECONDS",
}
"""The purposes, and the settings for how long their links are valid."""


class EmailLink(HasId, Model):
    """A secret sent to an email address.

    `purpose` is reset, verify, email (a new address) or invite; `role` is the one of an invited user.
    """

    __tablename__ = "links"

    purpose: Mapped[Word]
    hash: Mapped[Digest] = mapped_column(unique=True)
    user_id: Mapped[Ref | None] = reference("users", on_delete="CASCADE", index=True)
    email: Mapped[Email]
    role: Mapped[Word | None]
    created_at: Mapped[Time] = mapped_column(default=now)
    expires_at: Mapped[Time]
    used_at: Mapped[Time | None]


@dataclass(frozen=True)
class ActiveLink:
    """A valid link: its owner and its purpose."""

    id: int
    purpose: str
    user_id: int | None
    email: str
    role: str | None


_links = EmailLink.__table__


def link_secret(purpose: str, email: str, job: int) -> str:
    """Return the secret of the link in a job's email: the same for each attempt to send it."""
    key, words = str(current_app.config["SECRET_KEY"]).encode(), f"link:{purpose}:{job}:{email}"
    return urlsafe_b64encode(hmac.digest(key, words.encode(), "sha256")).decode().rstrip("=")


def is_used(secret: str) -> bool:
    """Whether the link with this secret has been used or revoked."""
    statement = select(_links.c.used_at).where(_links.c.hash == digest(secret))
    with read_connection() as connection:
        return connection.execute(statement).scalar() is not None


def create_link(
    purpose: str,
    email: str,
    user_id: int | None = None,
    role: str | None = None,
    secret: str | None = None,
) -> str:
    """Create a link and return its secret; revoke older ones for the same purpose."""
    secret = secret or secrets.token_urlsafe(32)
    lifetime = timedelta(seconds=current_app.config[LIFETIMES[purpose]])
    owner = _links.c.email == email if user_id is None else _links.c.user_id == user_id
    with transaction() as connection:
        advisory_lock(f"links of {user_id or email}")
        moment = now()
        superseded = and_(_links.c.purpose == purpose, owner)
        connection.execute(delete(_links).where(or_(superseded, _links.c.expires_at <= moment)))
        values = {"hash": digest(secret), "created_at": moment, "expires_at": moment + lifetime}
        more = {"purpose": purpose, "email": email, "user_id": user_id, "role": role}
        connection.execute(insert(_links).values(**values, **more))
    return secret


def find_active(secret: str, *purposes: str) -> ActiveLink | None:
    """Return the link with this secret if it is neither used nor expired, and its account and address are still
    current.
    """
    users = REGISTRY["users"].table
    columns = (_links.c[name] for name in ("id", "purpose", "user_id", "email", "role"))
    # the address of the account, unless the link is for a new one
    same = or_(_links.c.purpose == "email", users.c.email == _links.c.email)
    is_valid = or_(_links.c.user_id.is_(None), and_(users.c.is_active, same))
    statement = (
        select(*columns)
        .join_from(_links, users, users.c.id == _links.c.user_id, isouter=True)
        .where(
            _links.c.hash == digest(secret), _links.c.purpose.in_(purposes), _is_active(), is_valid
        )
    )
    with read_connection() as connection:
        row = connection.execute(statement).first()
    return None if row is None else ActiveLink(*row)


def consume(link: ActiveLink) -> bool:
    """Mark a link as used, in the transaction of its effect; return False if another request used it first."""
    with transaction() as connection:
        is_this_one = and_(_links.c.id == link.id, _is_active())
        cursor = connection.execute(update(_links).where(is_this_one).values(used_at=now()))
        return cursor.rowcount == 1


def revoke(user_id: int, *purposes: str) -> None:
    """Revoke the links of an account, in the transaction of the change that requires it."""
    with transaction() as connection:
        of_purposes = and_(_links.c.user_id == user_id, _links.c.purpose.in_(purposes))
        connection.execute(update(_links).where(of_purposes, _is_active()).values(used_at=now()))


def delete_expired(connection: Connection) -> int:
    """Delete used and expired links in the open transaction; return how many."""
    return connection.execute(delete(_links).where(not_(_is_active()))).rowcount


def list_active(purpose: str) -> Sequence[Any]:
    """Return the valid links for one purpose, newest first: `email`, `role`, `expires_at`."""
    columns = (_links.c.email, _links.c.role, _links.c.expires_at)
    statement = select(*columns).where(_links.c.purpose == purpose, _is_active())
    with read_connection() as connection:
        return connection.execute(statement.order_by(_links.c.id.desc()).limit(100)).all()


def _is_active() -> ColumnElement[bool]:
    return and_(_links.c.used_at.is_(None), _links.c.expires_at > now())

"""Links that are sent by mail: good once, for a while, for one purpose; only hashes are kept."""

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
from quire.store.advisory_locks import advisory_lock
from quire.store.audit import Word
from quire.store.db import Model, read_connection, transaction

LIFETIMES = {
    "reset": "RESET_LINK_SECONDS",
    "verify": "VERIFY_LINK_SECONDS",
    "email": "VERIFY_LINK_SECONDS",
    "invite": "INVITE_LINK_SECONDS",
}
"""The purposes, and the settings that say for how long such a link is good."""


class EmailLink(HasId, Model):
    """A secret that was sent to an address.

    `purpose` is reset, verify, email (a new address) or invite; `role` is what an invitation makes.
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
    """A link that is good now: whose it is, and what it may do."""

    id: int
    purpose: str
    user_id: int | None
    email: str
    role: str | None


_links = EmailLink.__table__


def link_secret(purpose: str, email: str, job: int) -> str:
    """The secret of the link in the email of a job: the same at each attempt."""
    key, words = str(current_app.config["SECRET_KEY"]).encode(), f"link:{purpose}:{job}:{email}"
    return urlsafe_b64encode(hmac.digest(key, words.encode(), "sha256")).decode().rstrip("=")


def is_used(secret: str) -> bool:
    """Whether the link with this secret was followed, or has become worthless."""
    wanted = select(_links.c.used_at).where(_links.c.hash == digest(secret))
    with read_connection() as connection:
        return connection.execute(wanted).scalar() is not None


def create_link(
    purpose: str,
    email: str,
    user_id: int | None = None,
    role: str | None = None,
    secret: str | None = None,
) -> str:
    """The secret of a new link; older ones for the same are worthless from now on."""
    secret = secret or secrets.token_urlsafe(32)
    lifetime = timedelta(seconds=current_app.config[LIFETIMES[purpose]])
    owner = _links.c.email == email if user_id is None else _links.c.user_id == user_id
    with transaction() as connection:
        advisory_lock(f"links of {user_id or email}")
        moment = now()
        older = and_(_links.c.purpose == purpose, owner)
        connection.execute(delete(_links).where(or_(older, _links.c.expires_at <= moment)))
        values = {"hash": digest(secret), "created_at": moment, "expires_at": moment + lifetime}
        more = {"purpose": purpose, "email": email, "user_id": user_id, "role": role}
        connection.execute(insert(_links).values(**values, **more))
    return secret


def find_active(secret: str, *purposes: str) -> ActiveLink | None:
    """The good link whose secret this is: not used, not outdated, its account and address the same."""
    users = REGISTRY["users"].table
    columns = (_links.c[name] for name in ("id", "purpose", "user_id", "email", "role"))
    # the address of the account, but where the link brings another one
    same = or_(_links.c.purpose == "email", users.c.email == _links.c.email)
    fits = or_(_links.c.user_id.is_(None), and_(users.c.is_active, same))
    wanted = (
        select(*columns)
        .join_from(_links, users, users.c.id == _links.c.user_id, isouter=True)
        .where(_links.c.hash == digest(secret), _links.c.purpose.in_(purposes), _is_active(), fits)
    )
    with read_connection() as connection:
        row = connection.execute(wanted).first()
    return None if row is None else ActiveLink(*row)


def consume(link: ActiveLink) -> bool:
    """Use a link up, in the transaction of what it is good for; False when somebody was faster."""
    with transaction() as connection:
        mine = and_(_links.c.id == link.id, _is_active())
        used = connection.execute(update(_links).where(mine).values(used_at=now()))
        return used.rowcount == 1


def revoke(user_id: int, *purposes: str) -> None:
    """Make the links of an account worthless, in the transaction of the change that does it."""
    with transaction() as connection:
        theirs = and_(_links.c.user_id == user_id, _links.c.purpose.in_(purposes))
        connection.execute(update(_links).where(theirs, _is_active()).values(used_at=now()))


def delete_expired(connection: Connection) -> int:
    """Remove links that are used or outdated, in the open transaction; how many."""
    return connection.execute(delete(_links).where(not_(_is_active()))).rowcount


def list_active(purpose: str) -> Sequence[Any]:
    """Good links for one purpose, the newest first: `email`, `role`, `expires_at`."""
    columns = (_links.c.email, _links.c.role, _links.c.expires_at)
    wanted = select(*columns).where(_links.c.purpose == purpose, _is_active())
    with read_connection() as connection:
        return connection.execute(wanted.order_by(_links.c.id.desc()).limit(100)).all()


def _is_active() -> ColumnElement[bool]:
    return and_(_links.c.used_at.is_(None), _links.c.expires_at > now())

"""Sessions as they are held: the row behind a secret, with the account that it belongs to."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from flask import current_app, request
from sqlalchemy import Select, and_, bindparam, delete, or_, select

from quire.access.accounts import Account, account_columns, account_of
from quire.declare.clock import now, rfc3339
from quire.declare.record import REGISTRY
from quire.declare.sql import NOW
from quire.records.sessions import AGENT_LENGTH
from quire.store.counters import mark
from quire.store.credentials import digest
from quire.store.db import reading, transaction
from quire.store.write import create

GRACE_SECONDS = 10
"""How long a secret that has been replaced is still good: parallel requests may carry it."""
SEEN_SECONDS = 60
"""How exact the time of the last use is."""
MOST = 100
"""Sessions of one user; older ones end."""


@dataclass(frozen=True)
class Held:
    """A session that is good now."""

    id: int
    account: Account
    former: bool
    renew: bool
    remember: bool
    seen: datetime

    def touch(self) -> None:
        """Note that it was used, once a minute."""
        if self.seen < now() - timedelta(seconds=SEEN_SECONDS):
            mark("sessions", self.id, last_seen_at=now(), ip=request.remote_addr)


def open_session(
    owner: Account, kind: str, secret: str, seconds: int, remember: bool = False
) -> int:
    """Keep a new session of `owner`, good for `seconds`; its id."""
    with transaction():
        _make_room(owner.id)
        raw = {
            "user": owner.id,
            "kind": kind,
            "hash": digest(secret),
            "remember": remember,
            "expires_at": rfc3339(now() + timedelta(seconds=seconds)),
            "ip": request.remote_addr if request else None,
            "agent": request.user_agent.string[:AGENT_LENGTH].strip() if request else "",
        }
        return create(REGISTRY["sessions"], owner.actor(kind).as_system(), _printable(raw)).id


def _printable(raw: dict[str, Any]) -> dict[str, Any]:
    return {**raw, "agent": "".join(c for c in raw["agent"] if c.isprintable())}


def _make_room(user_id: int) -> None:
    """Remove what has expired, and the oldest where there are too many."""
    table = REGISTRY["sessions"].table
    own = table.c.user_id == user_id
    kept = select(table.c.id).where(own).order_by(table.c.id.desc()).limit(MOST - 1)
    with transaction() as connection:
        gone = or_(table.c.expires_at <= now(), table.c.id.not_in(kept))
        connection.execute(delete(table).where(own, gone))


@cache
def _good(by: str) -> Select[Any]:
    """Sessions that are good, with their accounts, found by `hash` or by `id`."""
    table, users = REGISTRY["sessions"].table.c, REGISTRY["users"].table.c
    former = and_(table.former_hash == bindparam("hash"), table.rotated_at >= bindparam("grace"))
    found = (
        or_(table.hash == bindparam("hash"), former)
        if by == "hash"
        else table.id == bindparam("id")
    )
    more = (table.id, table.hash, table.renew, table.remember, table.last_seen_at, table.kind)
    lasting = or_(table.remember, table.kind == "token", table.last_seen_at > bindparam("idle"))
    return (
        select(*account_columns(), *more)
        .join_from(REGISTRY["users"].table, REGISTRY["sessions"].table, users.id == table.user_id)
        .where(found, users.is_active, table.expires_at > NOW, lasting)
    )


def by_secret(secret: str, kind: str) -> Held | None:
    """The good session whose secret this is, or was some seconds ago."""
    hashed = digest(secret)
    grace = now() - timedelta(seconds=GRACE_SECONDS)
    return _first("hash", kind, {"hash": hashed, "grace": grace}, hashed)


def by_id(id: int, kind: str) -> Held | None:
    """The good session with this id."""
    return _first("id", kind, {"id": id}, None)


def _first(by: str, kind: str, values: dict[str, Any], hashed: str | None) -> Held | None:
    idle = now() - timedelta(seconds=current_app.config["SESSION_IDLE_SECONDS"])
    with reading() as connection:
        row = connection.execute(_good(by), {**values, "idle": idle, "now": now()}).first()
    if row is None or row.kind != kind:
        return None
    id, held, renew, remember, seen, _ = row[-6:]
    former = hashed is not None and held != hashed
    return Held(id, account_of(row), former, renew, remember, seen)


def rotate(id: int, secret: str, successor: str) -> bool:
    """Put `successor` in the place of `secret`; whether that was still the one held."""
    table = REGISTRY["sessions"].table
    values = {
        "hash": digest(successor),
        "former_hash": digest(secret),
        "rotated_at": now(),
        "last_seen_at": now(),
        "renew": False,
    }
    from_here = and_(table.c.id == id, table.c.hash == digest(secret))
    with transaction() as connection:
        return connection.execute(table.update().where(from_here).values(values)).rowcount == 1


def new_secret() -> str:
    """256 bits that nobody guesses."""
    return secrets.token_urlsafe(32)

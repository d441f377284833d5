"""Active sessions: the row that belongs to a secret, with its account."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from flask import current_app, request
from sqlalchemy import and_, bindparam, delete, or_, select

from quire.auth.accounts import Account, account_columns, account_from_row
from quire.declare.clock import now, rfc3339
from quire.declare.record import REGISTRY
from quire.declare.sql_functions import NOW
from quire.records.sessions import AGENT_LENGTH
from quire.security.tokens import digest
from quire.store.counters import touch_if_free
from quire.store.db import credential_connection, transaction
from quire.store.maintenance_mode import CredentialSelect
from quire.store.write import create
from quire.web.current import current_circumstances

GRACE_SECONDS = 10
"""How long a replaced secret stays valid, since parallel requests may still use it."""
SEEN_SECONDS = 60
"""The precision of the time of last use."""
MAX_SESSIONS = 100
"""The maximum number of sessions per user; older ones end."""


@dataclass(frozen=True)
class ActiveSession:
    """A session that is valid now."""

    id: int
    account: Account
    former: bool
    remember: bool
    last_seen: datetime

    def touch(self) -> None:
        """Record a use of the session, at most once a minute."""
        moment = now()
        if self.last_seen < moment - timedelta(seconds=SEEN_SECONDS):
            touch_if_free("sessions", self.id, last_seen_at=moment, ip=request.remote_addr)


def create_session(
    owner: Account, kind: str, secret: str, seconds: int, remember: bool = False
) -> int:
    """Store a new session of `owner`, valid for `seconds`; return its id."""
    with transaction():
        _delete_surplus(owner.id)
        moment = now()
        raw = {
            "user": owner.id,
            "kind": kind,
            "hash": digest(secret),
            "remember": remember,
            "created_at": rfc3339(moment),
            "last_seen_at": rfc3339(moment),
            "expires_at": rfc3339(moment + timedelta(seconds=seconds)),
            "ip": request.remote_addr if request else None,
            "agent": request.user_agent.string[:AGENT_LENGTH].strip() if request else "",
        }
        circumstances = current_circumstances() if request else {}
        actor = owner.actor(kind, **circumstances).as_system()
        return create(REGISTRY["sessions"], actor, _with_printable_agent(raw)).id


def _with_printable_agent(raw: dict[str, Any]) -> dict[str, Any]:
    return {**raw, "agent": "".join(c for c in raw["agent"] if c.isprintable())}


def _delete_surplus(user_id: int) -> None:
    """Delete expired sessions, and the oldest ones if there are too many."""
    table = REGISTRY["sessions"].table
    own = table.c.user_id == user_id
    newest = select(table.c.id).where(own).order_by(table.c.id.desc()).limit(MAX_SESSIONS - 1)
    with transaction() as connection:
        surplus = or_(table.c.expires_at <= now(), table.c.id.not_in(newest))
        connection.execute(delete(table).where(own, surplus))


@cache
def _select_active(by: str) -> CredentialSelect:
    """Select valid sessions with their accounts, by `hash` or by `id`."""
    table, users = REGISTRY["sessions"].table.c, REGISTRY["users"].table.c
    former = and_(table.former_hash == bindparam("hash"), table.rotated_at >= bindparam("grace"))
    same_secret = (
        or_(table.hash == bindparam("hash"), former)
        if by == "hash"
        else table.id == bindparam("id")
    )
    more = (table.id, table.hash, table.remember, table.last_seen_at, table.kind)
    lasting = or_(table.remember, table.kind == "token", table.last_seen_at > bindparam("idle"))
    return CredentialSelect(
        select(*account_columns(), *more)
        .join_from(REGISTRY["users"].table, REGISTRY["sessions"].table, users.id == table.user_id)
        .where(same_secret, users.is_active, table.expires_at > NOW, lasting)
    )


def by_secret(secret: str, kind: str) -> ActiveSession | None:
    """Return the valid session with this secret, or with one that was replaced a few seconds ago."""
    hashed = digest(secret)
    grace = now() - timedelta(seconds=GRACE_SECONDS)
    return _first("hash", kind, {"hash": hashed, "grace": grace}, hashed)


def by_id(id: int, kind: str) -> ActiveSession | None:
    """Return the valid session with this id."""
    return _first("id", kind, {"id": id}, None)


def _first(by: str, kind: str, values: dict[str, Any], hashed: str | None) -> ActiveSession | None:
    idle = now() - timedelta(seconds=current_app.config["SESSION_IDLE_SECONDS"])
    with credential_connection() as connection:
        rows = _select_active(by)(connection, {**values, "idle": idle, "now": now()})
    if not rows or rows[0][-1] != kind:
        return None
    id, stored_hash, remember, last_seen, _ = rows[0][-5:]
    former = hashed is not None and stored_hash != hashed
    return ActiveSession(id, account_from_row(rows[0]), former, remember, last_seen)


def rotate(id: int, secret: str, successor: str) -> bool:
    """Replace `secret` with `successor`; return whether `secret` was still current."""
    table, moment = REGISTRY["sessions"].table, now()
    values = {
        "hash": digest(successor),
        "former_hash": digest(secret),
        "rotated_at": moment,
        "last_seen_at": moment,
    }
    from_here = and_(table.c.id == id, table.c.hash == digest(secret))
    with transaction() as connection:
        return connection.execute(table.update().where(from_here).values(values)).rowcount == 1

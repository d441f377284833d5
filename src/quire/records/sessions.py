"""Sessions: one for each sign-in of a browser, or of a program that uses tokens."""

from typing import Annotated

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from quire.declare.clock import now
from quire.declare.column_types import Flag, Time, choice
from quire.declare.fields import Computed, Shown
from quire.declare.mixins import HasId
from quire.declare.record import Access, Record
from quire.declare.references import Ref, reference
from quire.declare.rules import NOBODY, any_of, owner, role
from quire.declare.sql_functions import SESSION_ID
from quire.declare.value_kinds import FLAG, text_kind
from quire.security.tokens import Digest
from quire.store.audit import Word
from quire.store.db import Model

AGENT_LENGTH = 200
Agent = Annotated[
    str, mapped_column(String(AGENT_LENGTH), info={"kind": text_kind("agent", 200, min_length=0)})
]


class Session(HasId, Model):
    """A device or program that is signed in.

    `hash` is the hash of the device's secret, `former_hash` that of the previous one, which stays valid for a few
    seconds after `rotated_at`.
    """

    __tablename__ = "sessions"

    user_id: Mapped[Ref] = reference("users", on_delete="CASCADE", index=True)
    kind: Mapped[str] = choice("browser", "token")
    hash: Mapped[Digest] = mapped_column(unique=True)
    former_hash: Mapped[Digest | None] = mapped_column(index=True)
    rotated_at: Mapped[Time | None]
    remember: Mapped[Flag] = mapped_column(default=False)
    created_at: Mapped[Time] = mapped_column(default=now)
    last_seen_at: Mapped[Time] = mapped_column(default=now)
    expires_at: Mapped[Time]
    ip: Mapped[Word | None]
    agent: Mapped[Agent] = mapped_column(default="")


_sessions = Session.__table__.c

OWN = owner(_sessions.user_id)
ADMIN = role("admin")

SESSIONS = Record(
    Session,
    path="sessions",
    newest_first=True,
    fields=[
        Shown("id", sort=True, filter=True),
        Shown("kind", filter=True),
        Computed("current", lambda: _sessions.id.is_not_distinct_from(SESSION_ID), FLAG),
        Shown("created_at", sort=True, filter=True),
        Shown("last_seen_at", sort=True),
        Shown("expires_at"),
        Shown("ip", label="IP address"),
        Shown("agent"),
        Shown("user", filter=("id", "username"), read_rule=ADMIN),
        Shown("hash", read_rule=NOBODY),
        Shown("remember", read_rule=NOBODY),
    ],
    access=Access(read=OWN, delete=any_of(OWN, ADMIN), panel=ADMIN),
    title_field="agent",
    section="People",
    api_key_access="",
    exported=False,
)

"""Links that are sent by mail: good once, for a while, for one purpose; only hashes are kept."""

from sqlalchemy.orm import Mapped, mapped_column

from quire.declare.clock import now
from quire.declare.columns import Numbered, Ref, refer
from quire.declare.kinds import Email, Time
from quire.store.audit import Word
from quire.store.credentials import Digest
from quire.store.db import Model


class Link(Numbered, Model):
    """A secret that was sent to an address.

    `purpose` is reset, verify, email (a new address) or invite; `role` is what an invitation makes.
    """

    __tablename__ = "links"

    purpose: Mapped[Word]
    hash: Mapped[Digest] = mapped_column(unique=True)
    user_id: Mapped[Ref | None] = refer("users", on_delete="CASCADE", index=True)
    email: Mapped[Email]
    role: Mapped[Word | None]
    created_at: Mapped[Time] = mapped_column(default=now)
    expires_at: Mapped[Time]
    used_at: Mapped[Time | None]

"""Devices from which an account has been used; its owner is told about new ones."""

from sqlalchemy import insert, select
from sqlalchemy.orm import Mapped, mapped_column

from quire.declare.clock import now
from quire.declare.column_types import Time
from quire.declare.mixins import HasId
from quire.declare.references import Ref, reference
from quire.security.tokens import Digest
from quire.store.db import Model, transaction
from quire.store.transactions.advisory_locks import advisory_lock


class KnownDevice(HasId, Model):
    """A program on a network, identified by a hash of both."""

    __tablename__ = "devices"

    user_id: Mapped[Ref] = reference("users", on_delete="CASCADE", index=True)
    mark: Mapped[Digest]
    created_at: Mapped[Time] = mapped_column(default=now)


def is_new(user_id: int, mark: str) -> bool:
    """Whether an account that has been used before is now being used from another device.

    The device is stored; the first one of an account does not count as new.
    """
    table = KnownDevice.__table__
    with transaction() as connection:
        advisory_lock(f"devices of {user_id}")
        rows = connection.execute(select(table.c.mark).where(table.c.user_id == user_id))
        marks = set(rows.scalars())
        if mark in marks:
            return False
        connection.execute(insert(table).values(user_id=user_id, mark=mark))
    return bool(marks)

"""Second factors beside the password: codes of an app, recovery codes, passkeys."""

from sqlalchemy import Integer, LargeBinary, String, Text, delete, func, select
from sqlalchemy.orm import Mapped, mapped_column

from quire.declare.clock import now
from quire.declare.column_types import Label, Time
from quire.declare.mixins import HasId
from quire.declare.references import Ref, reference
from quire.security.tokens import Digest
from quire.store.db import Model, read_connection, transaction
from quire.store.transactions.advisory_locks import advisory_lock


class TotpDevice(HasId, Model):
    """An app that shows codes (RFC 6238): its secret, encrypted, and the step it used last."""

    __tablename__ = "totp_devices"

    user_id: Mapped[Ref] = reference("users", on_delete="CASCADE", unique=True)
    secret: Mapped[str] = mapped_column(Text())
    last_step: Mapped[int] = mapped_column(Integer(), default=0)
    created_at: Mapped[Time] = mapped_column(default=now)


class RecoveryCode(HasId, Model):
    """A code for users who have lost their app; valid once."""

    __tablename__ = "recovery_codes"

    user_id: Mapped[Ref] = reference("users", on_delete="CASCADE", index=True)
    hash: Mapped[Digest]
    used_at: Mapped[Time | None]


class Passkey(HasId, Model):
    """A key pair of a device (WebAuthn): its public half."""

    __tablename__ = "passkeys"

    user_id: Mapped[Ref] = reference("users", on_delete="CASCADE", index=True)
    credential_id: Mapped[str] = mapped_column(String(1400), unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary())
    sign_count: Mapped[int] = mapped_column(Integer(), default=0)
    name: Mapped[Label]
    created_at: Mapped[Time] = mapped_column(default=now)
    last_used_at: Mapped[Time | None]


FACTORS = (TotpDevice, RecoveryCode, Passkey)


def delete_factors(user_id: int, *models: type[Model]) -> int:
    """Delete a user's factors of `models`, by default all FACTORS; how many rows."""
    count = 0
    with transaction() as connection:
        advisory_lock(f"second factors of {user_id}")
        for table in (model.__table__ for model in models or FACTORS):
            count += connection.execute(delete(table).where(table.c.user_id == user_id)).rowcount
    return count


def count_factors(user_id: int) -> int:
    """How many apps with codes and passkeys a user has."""
    counts = (
        select(func.count()).where(table.c.user_id == user_id).scalar_subquery()
        for table in (TotpDevice.__table__, Passkey.__table__)
    )
    with read_connection() as connection:
        return sum(connection.execute(select(*counts)).one())

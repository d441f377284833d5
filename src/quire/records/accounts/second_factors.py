"""Second factors: codes from an app, recovery codes and passkeys."""

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
    """An authenticator app (RFC 6238): its encrypted secret and the time step of the last code used."""

    __tablename__ = "totp_devices"

    user_id: Mapped[Ref] = reference("users", on_delete="CASCADE", unique=True)
    secret: Mapped[str] = mapped_column(Text())
    last_step: Mapped[int] = mapped_column(Integer(), default=0)
    created_at: Mapped[Time] = mapped_column(default=now)


class RecoveryCode(HasId, Model):
    """A single-use code for users who have lost their app."""

    __tablename__ = "recovery_codes"

    user_id: Mapped[Ref] = reference("users", on_delete="CASCADE", index=True)
    hash: Mapped[Digest]
    used_at: Mapped[Time | None]


class Passkey(HasId, Model):
    """A passkey (WebAuthn): the public key of a device."""

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
    """Delete a user's factors of `models`, by default all FACTORS; return the number of rows."""
    count = 0
    with transaction() as connection:
        advisory_lock(f"second factors of {user_id}")
        for table in (model.__table__ for model in models or FACTORS):
            count += connection.execute(delete(table).where(table.c.user_id == user_id)).rowcount
    return count


def count_factors(user_id: int) -> int:
    """Return how many authenticator apps and passkeys a user has."""
    counts = (
        select(func.count()).where(table.c.user_id == user_id).scalar_subquery()
        for table in (TotpDevice.__table__, Passkey.__table__)
    )
    with read_connection() as connection:
        return sum(connection.execute(select(*counts)).one())

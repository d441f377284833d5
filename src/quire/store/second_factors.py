"""What proves a person beside the password: codes of an app, recovery codes, passkeys."""

from sqlalchemy import Integer, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from quire.declare.clock import now
from quire.declare.columns import Numbered, Ref, refer
from quire.declare.kinds import Label, Time
from quire.store.credentials import Digest
from quire.store.db import Model


class TotpDevice(Numbered, Model):
    """An app that shows codes (RFC 6238): its secret, encrypted, and the step it used last."""

    __tablename__ = "totp_devices"

    user_id: Mapped[Ref] = refer("users", on_delete="CASCADE", unique=True)
    secret: Mapped[str] = mapped_column(Text())
    last_step: Mapped[int] = mapped_column(Integer(), default=0)
    created_at: Mapped[Time] = mapped_column(default=now)


class RecoveryCode(Numbered, Model):
    """A code for the day when the app is gone; good once."""

    __tablename__ = "recovery_codes"

    user_id: Mapped[Ref] = refer("users", on_delete="CASCADE", index=True)
    hash: Mapped[Digest]
    used_at: Mapped[Time | None]


class Passkey(Numbered, Model):
    """A key pair of a device (WebAuthn): its public half."""

    __tablename__ = "passkeys"

    user_id: Mapped[Ref] = refer("users", on_delete="CASCADE", index=True)
    credential_id: Mapped[str] = mapped_column(String(1400), unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary())
    sign_count: Mapped[int] = mapped_column(Integer(), default=0)
    name: Mapped[Label]
    created_at: Mapped[Time] = mapped_column(default=now)
    last_used_at: Mapped[Time | None]

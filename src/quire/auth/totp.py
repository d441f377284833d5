"""Two-factor authentication with time-based one-time codes (TOTP, RFC 6238)."""

from datetime import datetime

from pyotp import TOTP, random_base32
from pyotp.exceptions import OTPVerificationError
from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from quire.actor import Actor
from quire.auth import recovery_codes
from quire.auth.account_links import mail_notice
from quire.auth.accounts import Account, requires_second_factor
from quire.errors import Conflict, ValidationFailed, detail
from quire.records.accounts.second_factors import RecoveryCode, TotpDevice, delete_factors
from quire.security.encryption import seal, unseal
from quire.store.audit import record_event
from quire.store.db import read_connection, transaction
from quire.store.transactions.advisory_locks import advisory_lock

DIGITS = 6
WINDOW = 1
"""Allowed clock skew of a phone, in steps of 30 seconds."""

_devices = TotpDevice.__table__


def generate_secret() -> str:
    """Return a new secret for an authenticator app: 160 random bits in base 32."""
    return random_base32()


def provisioning_uri(seed: str, username: str, site: str) -> str:
    """Return the URI in the QR code, from which apps read the secret."""
    return TOTP(seed, name=username, issuer=site).provisioning_uri()


def is_enabled(user_id: int) -> bool:
    """Return whether a code is required after the password."""
    statement = select(_devices.c.id).where(_devices.c.user_id == user_id)
    with read_connection() as connection:
        return connection.execute(statement).first() is not None


def is_required_for(owner: Account) -> bool:
    """Return whether this account needs more than its password to sign in.

    That includes administrators who need two factors but have passkeys only.
    """
    return is_enabled(owner.id) or (requires_second_factor(owner.role) and owner.is_secured)


def enable(actor: Actor, seed: str, code: str, moment: datetime) -> list[str]:
    """Require codes from now on; return the recovery codes. Raises ValidationFailed for a wrong code, Conflict."""
    step = _step(seed, code, moment)
    if step is None:
        wrong = "This code is wrong. Enter the code that the app shows now."
        raise ValidationFailed([detail("otp", "not_allowed", wrong)])
    id = _own_id(actor)
    row = {"user_id": id, "secret": seal(seed, _encryption_context(id)), "last_step": step}
    try:
        with transaction() as connection:
            connection.execute(insert(_devices).values(row))
            record_event(actor, "two_factor_on", "users", id, "totp")
            mail_notice(id, "two_factor_on")
            return recovery_codes.regenerate(id)
    except IntegrityError:
        raise Conflict("Two-factor authentication is already on.") from None


def renew_codes(actor: Actor) -> list[str]:
    """Return new recovery codes. Raises Conflict without two-factor authentication."""
    id = _own_id(actor)
    with transaction():
        advisory_lock(f"second factors of {id}")
        if not is_enabled(id):
            raise Conflict("Set up an authenticator app before you create recovery codes.")
        record_event(actor, "recovery_codes_renewed", "users", id)
        return recovery_codes.regenerate(id)


def disable(actor: Actor) -> None:
    """Stop requiring codes."""
    id = _own_id(actor)
    with transaction():
        delete_factors(id, TotpDevice, RecoveryCode)
        record_event(actor, "two_factor_off", "users", id, "totp")
        mail_notice(id, "two_factor_off")


def reset(actor: Actor, user_id: int) -> None:
    """Remove all second factors of an account: codes and passkeys."""
    with transaction():
        delete_factors(user_id)
        record_event(actor, "two_factor_reset", "users", user_id)
        mail_notice(user_id, "two_factor_off")


def is_valid(user_id: int, text: str, moment: datetime) -> bool:
    """Return whether `verify` would accept `text` now; this only reads, so that wrong codes do not wait for a lock."""
    bare = "".join(text.split())
    if len(bare) != DIGITS:
        return recovery_codes.is_unused(user_id, text)
    return _unused_step(user_id, bare, moment) is not None


def verify(user_id: int, text: str, moment: datetime) -> str | None:
    """Use up `text` and return which proof it is, `totp` or `recovery_code`; None for a wrong code."""
    bare = "".join(text.split())
    if len(bare) != DIGITS:
        return "recovery_code" if recovery_codes.consume(user_id, text) else None
    return "totp" if _verify_code(user_id, bare, moment) else None


def _verify_code(user_id: int, code: str, moment: datetime) -> bool:
    with transaction() as connection:
        step = _unused_step(user_id, code, moment)
        if step is None:
            return False
        later = update(_devices).where(_devices.c.user_id == user_id, _devices.c.last_step < step)
        return bool(connection.execute(later.values(last_step=step)).rowcount == 1)


def _unused_step(user_id: int, code: str, moment: datetime) -> int | None:
    """Return the time step of this code, unless that or a later one was used (RFC 6238, section 5.2)."""
    own = select(_devices.c.secret, _devices.c.last_step).where(_devices.c.user_id == user_id)
    with read_connection() as connection:
        row = connection.execute(own).first()
    seed = unseal(row.secret, _encryption_context(user_id)) if row is not None else None
    step = _step(seed, code, moment) if seed else None
    return step if row is not None and step is not None and step > row.last_step else None


def _step(seed: str, code: str, moment: datetime) -> int | None:
    """Return the time step of this code, if it is close to `moment`."""
    bare = "".join(code.split())
    try:
        return TOTP(seed).verify_and_get_timecode(bare, for_time=moment, valid_window=WINDOW)
    except OTPVerificationError:
        return None


def _own_id(actor: Actor) -> int:
    assert actor.user_id is not None
    return actor.user_id


def _encryption_context(user_id: int) -> str:
    """Return the context that binds a secret to its account, so that it is invalid for any other."""
    return f"totp of user {user_id}"

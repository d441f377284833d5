"""The second proof beside a password: a code that an app shows (TOTP, RFC 6238), good once."""

from datetime import datetime
from typing import Any

from pyotp import TOTP, random_base32
from pyotp.exceptions import OTPVerificationError
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from quire.access import recovery
from quire.access.accounts import Account, asks_for_second_factor
from quire.access.links import mail_notice
from quire.access.sealed import seal, unseal
from quire.actor import Actor
from quire.errors import Conflict, Invalid, detail
from quire.store.audit import note
from quire.store.credentials import renew_sessions
from quire.store.db import reading, transaction
from quire.store.second_factors import Passkey, RecoveryCode, TotpDevice

DIGITS = 6
WINDOW = 1
"""Steps of 30 seconds by which the clock of a telephone may be wrong."""

_devices = TotpDevice.__table__


def new_seed() -> str:
    """A secret to share with an app: 160 random bits in base 32."""
    return random_base32()


def app_address(seed: str, username: str, site: str) -> str:
    """What the QR code says: the address by which apps take a secret."""
    return TOTP(seed, name=username, issuer=site).provisioning_uri()


def is_on(user_id: int) -> bool:
    """Whether a code is asked for after the password."""
    found = select(_devices.c.id).where(_devices.c.user_id == user_id)
    with reading() as connection:
        return connection.execute(found).first() is not None


def is_owed_by(owner: Account) -> bool:
    """Whether the password alone does not sign this account in.

    An administrator who has to have two factors and has passkeys only cannot do with one either.
    """
    return is_on(owner.id) or (asks_for_second_factor(owner.role) and owner.is_secured)


def switch_on(actor: Actor, seed: str, code: str, moment: datetime) -> list[str]:
    """Ask for codes from now on; the recovery codes. Raises Invalid for a wrong code, Conflict."""
    step = _step(seed, code, moment)
    if step is None:
        wrong = "This code is not right. Enter the one that the app shows now."
        raise Invalid([detail("otp", "not_allowed", wrong)])
    id = _own_id(actor)
    row = {"user_id": id, "secret": seal(seed, _whose(id)), "last_step": step}
    try:
        with transaction() as connection:
            connection.execute(insert(_devices).values(row))
            note(actor, "two_factor_on", "users", id, "totp")
            mail_notice(id, "two_factor_on")
            renew_sessions(id)
            return recovery.renew(id)
    except IntegrityError:
        raise Conflict("Codes from an app are switched on already.") from None


def renew_codes(actor: Actor) -> list[str]:
    """New recovery codes. Raises Conflict when there is nothing to recover."""
    id = _own_id(actor)
    with transaction():
        if not is_on(id):
            raise Conflict("Recovery codes come with codes from an app; set those up first.")
        note(actor, "recovery_codes_renewed", "users", id)
        return recovery.renew(id)


def switch_off(actor: Actor) -> None:
    """Ask for no codes any more."""
    id = _own_id(actor)
    with transaction():
        _forget(id, TotpDevice, RecoveryCode)
        note(actor, "two_factor_off", "users", id, "totp")
        mail_notice(id, "two_factor_off")
        renew_sessions(id)


def remove_all(actor: Actor, user_id: int) -> None:
    """Let somebody's password alone open his account again: no codes, no passkeys."""
    with transaction():
        _forget(user_id, TotpDevice, RecoveryCode, Passkey)
        note(actor, "two_factor_reset", "users", user_id)
        mail_notice(user_id, "two_factor_off")


def _forget(user_id: int, *models: Any) -> None:
    with transaction() as connection:
        for table in (model.__table__ for model in models):
            connection.execute(delete(table).where(table.c.user_id == user_id))


def spend(user_id: int, text: str, moment: datetime) -> str | None:
    """Which proof `text` was, `totp` or `recovery_code`, used up by this; None for a wrong one."""
    bare = "".join(text.split())
    if len(bare) != DIGITS:
        return "recovery_code" if recovery.spend(user_id, text) else None
    return "totp" if _spend_code(user_id, bare, moment) else None


def _spend_code(user_id: int, code: str, moment: datetime) -> bool:
    own = _devices.c.user_id == user_id
    with transaction() as connection:
        sealed = connection.execute(select(_devices.c.secret).where(own)).scalar()
        seed = unseal(sealed, _whose(user_id)) if sealed else None
        step = _step(seed, code, moment) if seed else None
        if step is None:
            return False
        # not only this step: RFC 6238 section 5.2 wants no code accepted twice, nor an older one
        later = update(_devices).where(own, _devices.c.last_step < step)
        return bool(connection.execute(later.values(last_step=step)).rowcount == 1)


def _step(seed: str, code: str, moment: datetime) -> int | None:
    """The time step whose code this is, when that is not far from `moment`."""
    bare = "".join(code.split())
    try:
        return TOTP(seed).verify_and_get_timecode(bare, for_time=moment, valid_window=WINDOW)
    except OTPVerificationError:
        return None


def _own_id(actor: Actor) -> int:
    assert actor.user_id is not None
    return actor.user_id


def _whose(user_id: int) -> str:
    """What a seed is bound to, so that nobody's seed opens another account."""
    return f"totp of user {user_id}"

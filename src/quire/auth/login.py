"""Sign-in, the same for every interface: which credentials are checked, and what is recorded.

All changes of a sign-in are one transaction, from the one-time code to the session that `begin`
creates. Failures are recorded and counted outside of it, so that they are not rolled back.
"""

from collections.abc import Callable
from typing import TypeVar

from quire.actor import Actor
from quire.auth import passwords, totp, webauthn
from quire.auth.account_links import require_verified_address
from quire.auth.accounts import Account
from quire.auth.current_actor import anonymous_actor
from quire.auth.new_device_notice import notify_of_new_device
from quire.auth.rate_limits import count_attempt
from quire.declare.clock import now
from quire.errors import Unauthenticated, detail
from quire.monitoring.counters import SIGN_IN_FAILURES, count
from quire.store.audit import record_event
from quire.store.counters import touch
from quire.store.db import transaction

OpenedSession = TypeVar("OpenedSession")
Begin = Callable[[Account], OpenedSession]
"""Creates a session for an authenticated account, in the current transaction."""


def with_password(
    email: str, password: str, otp: str | None, begin: Begin[OpenedSession]
) -> OpenedSession:
    """Sign in with an email address, a password and, if required, a code. Raises Unauthenticated."""
    account = check_password(email, password)
    if not totp.is_required_for(account):
        return record_login(account, begin, "password")
    if not otp:
        message = (
            "This account uses two-factor authentication. Enter a code from the app or a "
            "recovery code."
        )
        raise Unauthenticated(message, details=[detail("otp", "required", message)])
    return check_second_factor(account, otp, begin)[1]


def check_password(email: str, password: str) -> Account:
    """The account with this email and password; a second factor may be required. Raises
    Unauthenticated."""
    account = passwords.authenticate(email, password)
    require_verified_address(account)
    return account


def check_second_factor(
    owner: Account, otp: str, begin: Begin[OpenedSession]
) -> tuple[str, OpenedSession]:
    """Sign in with a code after the password; returns the kind of proof and the session of `begin`.
    Raises Unauthenticated."""
    with count_attempt("code", str(owner.id), owner.id) as attempt, transaction():
        proof = totp.verify(owner.id, otp, now())
        if proof is not None:
            opened = record_login(owner, begin, "password", proof)
            attempt.right = True
            return proof, opened
    count(SIGN_IN_FAILURES, "code")
    record_event(_actor_here(owner), "second_factor_failed", "users", owner.id)
    message = "This code is wrong or has already been used."
    wrong = [detail("otp", "not_allowed", message)]
    raise Unauthenticated(message, code="invalid_credentials", details=wrong)


def with_passkey(answer: str, begin: Begin[OpenedSession]) -> OpenedSession:
    """Sign in with a passkey's assertion. Raises Unauthenticated."""
    signed = webauthn.authenticate(answer)
    if signed is not None:
        require_verified_address(signed.owner)
        with transaction():
            if signed.use():
                return record_login(signed.owner, begin, "passkey")
    count(SIGN_IN_FAILURES, "passkey")
    record_event(anonymous_actor(), "sign_in_failed", "users", None, "passkey")
    message = "The passkey was not accepted. Try again, or sign in with your password."
    raise Unauthenticated(message, code="invalid_credentials")


def record_login(owner: Account, begin: Begin[OpenedSession], *proofs: str) -> OpenedSession:
    """Sign an account in after these proofs; returns the session of `begin`."""
    with transaction():
        touch("users", owner.id, last_login_at=now())
        record_event(_actor_here(owner), "sign_in", "users", owner.id, *proofs)
        notify_of_new_device(owner)
        return begin(owner)


def _actor_here(owner: Account) -> Actor:
    visitor = anonymous_actor()
    return owner.actor("none", door=visitor.door, ip=visitor.ip, request_id=visitor.request_id)

"""Signing in, the same at every interface: the credentials that are checked, and what is recorded.

All that a sign-in changes is one transaction, from the code that is used up to the session: `begin`
opens that in it. What failed is noted and counted outside, so that it stays.
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
from quire.store.audit import record_event
from quire.store.counters import touch
from quire.store.db import transaction

OpenedSession = TypeVar("OpenedSession")
Begin = Callable[[Account], OpenedSession]
"""Opens a session for who has proved himself, in the open transaction."""


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
    """Whose address and password these are; that may not be enough. Raises Unauthenticated."""
    account = passwords.authenticate(email, password)
    require_verified_address(account)
    return account


def check_second_factor(
    owner: Account, otp: str, begin: Begin[OpenedSession]
) -> tuple[str, OpenedSession]:
    """Sign in who has shown the password and now a code; which proof that was, and what `begin` has
    opened. Raises Unauthenticated."""
    with count_attempt("code", str(owner.id), owner.id) as attempt, transaction():
        proof = totp.verify(owner.id, otp, now())
        if proof is not None:
            opened = record_login(owner, begin, "password", proof)
            attempt.right = True
            return proof, opened
    record_event(_actor_here(owner), "second_factor_failed", "users", owner.id)
    message = "This code is wrong or has already been used."
    wrong = [detail("otp", "not_allowed", message)]
    raise Unauthenticated(message, code="invalid_credentials", details=wrong)


def with_passkey(answer: str, begin: Begin[OpenedSession]) -> OpenedSession:
    """Sign in with the passkey that has given this answer. Raises Unauthenticated."""
    signed = webauthn.authenticate(answer)
    if signed is not None:
        require_verified_address(signed.owner)
        with transaction():
            if signed.use():
                return record_login(signed.owner, begin, "passkey")
    record_event(anonymous_actor(), "sign_in_failed", "users", None, "passkey")
    message = "The passkey was not accepted. Try again, or sign in with your password."
    raise Unauthenticated(message, code="invalid_credentials")


def record_login(owner: Account, begin: Begin[OpenedSession], *proofs: str) -> OpenedSession:
    """Sign somebody in who has shown these proofs; what `begin` has opened."""
    with transaction():
        touch("users", owner.id, last_login_at=now())
        record_event(_actor_here(owner), "sign_in", "users", owner.id, *proofs)
        notify_of_new_device(owner)
        return begin(owner)


def _actor_here(owner: Account) -> Actor:
    here = anonymous_actor()
    return owner.actor("none", door=here.door, ip=here.ip, request_id=here.request_id)

"""Sign-in, the same for every interface: which credentials are checked, and what is recorded.

All changes of a sign-in are one transaction, from the one-time code to the session that `begin`
creates. Failures are recorded and counted outside of it, so that they are not rolled back.
"""

import re
from collections.abc import Callable
from typing import TypeVar

from flask import request

from quire.actor import Actor
from quire.auth import passwords, totp, webauthn
from quire.auth.account_links import mail_notice, require_verified_address
from quire.auth.accounts import Account, language_of_mail
from quire.auth.current_actor import anonymous_actor
from quire.auth.rate_limits import count_attempt
from quire.declare.clock import now, rfc3339
from quire.errors import Unauthenticated, detail
from quire.monitoring.counters import SIGN_IN_FAILURES, count
from quire.records.accounts import known_devices
from quire.security.client_network import client_network
from quire.security.tokens import digest
from quire.store.audit import record_event
from quire.store.counters import touch
from quire.store.db import transaction
from quire.store.late_audit import record_event_soon

OpenedSession = TypeVar("OpenedSession")
Begin = Callable[[Account], OpenedSession]
"""Creates a session for an authenticated account, in the current transaction."""
_NUMBERS = re.compile(r"[\d._]+")
LONGEST_AGENT = 200
"""Characters of a program's name that are quoted in an email."""


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
    """Return the account with this email and password; a second factor may still be required. Raises
    Unauthenticated."""
    account = passwords.authenticate(email, password)
    require_verified_address(account)
    return account


def check_second_factor(
    owner: Account, otp: str, begin: Begin[OpenedSession]
) -> tuple[str, OpenedSession]:
    """Sign in with a code after the password; return the kind of proof and the session of `begin`. Raises
    Unauthenticated."""
    with count_attempt("code", str(owner.id), owner.id) as attempt:
        used = totp.is_valid(owner.id, otp, now()) and _use_second_factor(owner, otp, begin)
        attempt.right = bool(used)
    if used:
        return used
    count(SIGN_IN_FAILURES, "code")
    record_event_soon(_actor_here(owner), "second_factor_failed", "users", owner.id)
    message = "This code is wrong or has already been used."
    wrong = [detail("otp", "not_allowed", message)]
    raise Unauthenticated(message, code="invalid_credentials", details=wrong)


def _use_second_factor(
    owner: Account, otp: str, begin: Begin[OpenedSession]
) -> tuple[str, OpenedSession] | None:
    with transaction():
        proof = totp.verify(owner.id, otp, now())
        return (proof, record_login(owner, begin, "password", proof)) if proof else None


def with_passkey(answer: str, begin: Begin[OpenedSession]) -> OpenedSession:
    """Sign in with a passkey's assertion. Raises Unauthenticated."""
    signed = webauthn.authenticate(answer)
    if signed is not None:
        require_verified_address(signed.owner)
        with transaction():
            if signed.use():
                return record_login(signed.owner, begin, "passkey")
    count(SIGN_IN_FAILURES, "passkey")
    record_event_soon(anonymous_actor(), "sign_in_failed", "users", None, "passkey")
    message = "The passkey was not accepted. Try again, or sign in with your password."
    raise Unauthenticated(message, code="invalid_credentials")


def record_login(owner: Account, begin: Begin[OpenedSession], *proofs: str) -> OpenedSession:
    """Sign an account in after these proofs; return the session of `begin`."""
    with transaction():
        touch("users", owner.id, last_login_at=now(), **language_of_mail(owner.language))
        record_event(_actor_here(owner), "sign_in", "users", owner.id, *proofs)
        _notify_of_new_device(owner)
        return begin(owner)


def _actor_here(owner: Account) -> Actor:
    visitor = anonymous_actor()
    return owner.actor("none", door=visitor.door, ip=visitor.ip, request_id=visitor.request_id)


def _notify_of_new_device(owner: Account) -> None:
    """Record the device of this request; email administrators if it is new.

    A device is a program in a network. Versions do not count, since browsers get a new one each month.
    """
    if owner.role != "admin":
        return
    agent = "".join(c for c in request.user_agent.string[:LONGEST_AGENT] if c.isprintable())
    mark = digest(f"{_NUMBERS.sub('', agent)}\n{client_network(request.remote_addr)}")
    if known_devices.is_new(owner.id, mark):
        words = {"agent": agent or "unknown", "ip": request.remote_addr or "unknown"}
        mail_notice(owner.id, "new_device", time=rfc3339(now()), **words)

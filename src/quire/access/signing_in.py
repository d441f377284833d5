"""Signing in, the same at every door: the proofs that are asked for, and what a sign-in leaves behind."""

from quire.access import ceremonies, passwords, two_factor
from quire.access.accounts import Account
from quire.access.devices import tell_of_new
from quire.access.links import refuse_unverified
from quire.access.request import asker
from quire.access.throttle import guess
from quire.actor import SYSTEM, Actor
from quire.declare.clock import now, rfc3339
from quire.declare.record import REGISTRY
from quire.errors import Unproven, detail
from quire.store.audit import note
from quire.store.write import update


def by_password(email: str, password: str, otp: str | None = None) -> Account:
    """Who signs in with this address, password and, where one is owed, code. Raises Unproven."""
    found = first_step(email, password)
    if not two_factor.is_owed_by(found):
        complete(found, "password")
    elif not otp:
        message = "This account needs a code from its app, or a recovery code, as well."
        raise Unproven(message, details=[detail("otp", "required", message)])
    else:
        second_step(found, otp)
    return found


def first_step(email: str, password: str) -> Account:
    """Whose address and password these are; that may not be enough. Raises Unproven."""
    found = passwords.prove(email, password)
    refuse_unverified(found)
    return found


def second_step(owner: Account, otp: str) -> str:
    """Sign in who has shown the password and now a code; which proof that was. Raises Unproven."""
    with guess("code", str(owner.id), owner.id) as attempt:
        proof = two_factor.spend(owner.id, otp, now())
        attempt.right = proof is not None
    if proof is None:
        note(_by(owner), "second_factor_failed", "users", owner.id)
        message = "This code is not right, or was used already."
        wrong = [detail("otp", "not_allowed", message)]
        raise Unproven(message, code="invalid_credentials", details=wrong)
    complete(owner, "password", proof)
    return proof


def by_passkey(answer: str) -> Account:
    """Who signs in with the passkey that has given this answer. Raises Unproven."""
    found = ceremonies.prove(answer)
    if found is None:
        note(asker(), "sign_in_failed", "users", None, "passkey")
        message = "The passkey was not accepted. Try again, or sign in with your password."
        raise Unproven(message, code="invalid_credentials")
    refuse_unverified(found)
    complete(found, "passkey")
    return found


def complete(owner: Account, *proofs: str) -> None:
    """Note that somebody has signed in, and by which proofs."""
    update(REGISTRY["users"], SYSTEM, owner.id, {"last_login_at": rfc3339(now())})
    note(_by(owner), "sign_in", "users", owner.id, *proofs)
    tell_of_new(owner)


def _by(owner: Account) -> Actor:
    here = asker()
    return owner.actor("none", door=here.door, ip=here.ip, request_id=here.request_id)

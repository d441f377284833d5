"""Signing in, the same at every door: the proofs that are asked for, and what a sign-in leaves behind."""

from quire.access import passwords
from quire.access.accounts import Account
from quire.access.request import asker
from quire.actor import SYSTEM
from quire.declare.clock import now, rfc3339
from quire.declare.record import REGISTRY
from quire.store.audit import note
from quire.store.write import update


def by_password(email: str, password: str) -> Account:
    """Who signs in with this address and password. Raises Unproven."""
    found = passwords.prove(email, password)
    complete(found, "password")
    return found


def complete(owner: Account, *proofs: str) -> None:
    """Note that somebody has signed in, and by which proofs."""
    update(REGISTRY["users"], SYSTEM, owner.id, {"last_login_at": rfc3339(now())})
    here = asker()
    by = owner.actor("none", door=here.door, ip=here.ip, request_id=here.request_id)
    note(by, "sign_in", "users", owner.id, *proofs)

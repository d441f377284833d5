"""What links that were sent by mail are good for: a new password, a proof of one's address.

Requests owe the mail and know nothing of its link; the worker makes that. Who asks for a link is
never told whether there is an account.
"""

import re
from typing import Any

from flask import current_app

from quire.access.accounts import Account
from quire.access.throttle import normal, spend
from quire.actor import SYSTEM, Actor
from quire.declare.clock import now, rfc3339
from quire.declare.record import REGISTRY
from quire.declare.values import EMAIL_PATTERN
from quire.errors import Conflict, Invalid, Missing, Unproven, detail
from quire.store import links
from quire.store.audit import note
from quire.store.credentials import end_keys, end_sessions
from quire.store.db import transaction
from quire.store.links import Held
from quire.store.mailbox import owe
from quire.store.read import one
from quire.store.write import update

LONGEST = 254
"""Characters of an address (RFC 5321)."""
DEAD = "This link is used, outdated or incomplete."


def is_address(text: str) -> bool:
    """Whether mail can be sent to `text` at all."""
    return len(text) <= LONGEST and re.fullmatch(EMAIL_PATTERN, text) is not None


def ask_reset(email: str) -> None:
    """Owe a link for a new password to whoever has this address; nothing is looked up here.

    Raises TooMany.
    """
    address = normal(email)
    if is_address(address):
        spend("reset", address)
        owe("reset", email=address)


def ask_new_address(user_id: int, email: str) -> None:
    """Owe the new address a link, which changes it, and the old one a warning.

    Raises Invalid, TooMany.
    """
    address = normal(email)
    if not is_address(address):
        raise Invalid([detail("email", "bad_format", "Email is no address.")])
    spend("verify", address)
    with transaction():
        owe("email", user_id, email=address)
        owe("address_asked", user_id, new=address)


def refuse_unverified(owner: Account) -> None:
    """Keep out a member who owes the proof of his address, and send him the link again.

    He has shown his password, so this tells nobody else of the account. Raises Unproven, TooMany.
    """
    if not current_app.config["REQUIRE_EMAIL_VERIFICATION"] or owner.role != "member":
        return
    user = one(REGISTRY["users"], SYSTEM, owner.id)
    if user["email_verified_at"] is None:
        spend("verify", user["email"])
        owe("verify", owner.id)
        raise Unproven("Verify your address first; we have sent the mail again.")


def mail_notice(user_id: int, kind: str, **words: str) -> None:
    """Tell somebody by mail what has happened to his account; `kind` is one of jobs' NOTICES."""
    owe(kind, user_id, **words)


def opened(token: str, *purposes: str) -> Held:
    """The good link with this secret. Raises Missing, which says nothing of the reason."""
    found = links.find(token, *purposes)
    if found is None:
        raise Missing(DEAD)
    return found


def reset_password(token: str, password: str, by: Actor) -> None:
    """Set a new password; all that opened the account before ends. Raises Missing, Invalid.

    Whoever has read the mail has the address: it is verified.
    """
    link = opened(token, "reset")

    def follow(state: dict[str, Any]) -> None:
        use_up(link)
        end_keys(state["id"])
        note(by, "password_reset", "users", state["id"])

    values = {"password": password, "email_verified_at": rfc3339(now())}
    update(REGISTRY["users"], by.as_system(), _user_id(link), values, also=follow)


def verify(token: str, by: Actor) -> None:
    """Note that an address is somebody's, or give him the one that he wants. Raises Missing.

    Whoever registered with another's address loses what he holds; so does nobody else.
    """
    link = opened(token, "verify", "email")
    with transaction():
        use_up(link)
        id, mine = _user_id(link), by.user_id == link.user_id
        user = one(REGISTRY["users"], SYSTEM, id)
        first = link.purpose == "verify" and user["email_verified_at"] is None
        try:
            values = {"email": link.email, "email_verified_at": rfc3339(now())}
            update(REGISTRY["users"], by.as_system(), id, values)
        except Conflict:  # somebody else has the address by now
            raise Missing(DEAD) from None
        if first:
            owe("welcome", id)
            end_sessions(id, keep=by.session_id if mine else None)
            end_keys(id)
        note(by, "verify", "users", id)


def use_up(link: Held) -> None:
    """Use a link, in the transaction of what it is good for: of two at once, one may. Raises Missing."""
    if not links.use(link):
        raise Missing(DEAD)


def _user_id(link: Held) -> int:
    assert link.user_id is not None
    return link.user_id

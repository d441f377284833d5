"""Joining: an account of one's own, where that is open, or by an invitation."""

from typing import Any

from flask import current_app

from quire.access import links
from quire.access.throttle import normal, spend
from quire.actor import ROLES, SYSTEM, Actor
from quire.declare.clock import now, rfc3339
from quire.declare.record import REGISTRY
from quire.errors import Conflict, Invalid, detail
from quire.store.audit import note
from quire.store.db import transaction
from quire.store.links import mint, waiting
from quire.store.mailbox import owe
from quire.store.read import find_id
from quire.store.write import Saved, create

ON_ITS_WAY = "Almost done: open the link in the mail that we have sent you, then sign in."
STAND_IN = "nobody@taken.invalid"
"""The address of an account that is never kept (RFC 2606)."""

Raw = dict[str, Any]


def register(actor: Actor, raw: Raw) -> Saved | None:
    """Make a member of whoever asks.

    Where addresses are to be verified, the answer is the same for every address and None; the mail
    tells. Raises Unproven, Refused, Invalid, Conflict, TooMany.
    """
    if not current_app.config["REQUIRE_EMAIL_VERIFICATION"]:
        return _member(actor, raw)
    if not _is_taken(raw.get("email")):
        _member(actor, raw)
        return None
    try:
        create(REGISTRY["users"], actor, {**raw, "email": STAND_IN}, also=_undo)
    except _Undone:
        spend("register", raw["email"])
        owe("taken", email=normal(raw["email"]))
    return None


def _member(actor: Actor, raw: Raw) -> Saved:
    # counted with what is made, so that typing errors cost nothing
    return create(
        REGISTRY["users"], actor, raw, also=lambda state: spend("register", state["email"])
    )


def _is_taken(email: Any) -> bool:
    known = isinstance(email, str) and "\x00" not in email
    return known and find_id(REGISTRY["users"], SYSTEM, email=normal(email)) is not None


class _Undone(Exception):
    """An account that was made only to take as long as one that stays, and is gone again."""


def _undo(state: dict[str, Any]) -> None:
    create(REGISTRY["profiles"], SYSTEM, {"user": state["id"]})
    raise _Undone


def invite(email: str, role: str, by: Actor) -> str:
    """The secret of an invitation for an address that has no account. Raises Invalid, Conflict."""
    address = _free(email, role)
    with transaction():
        note(by, "invite", "users", None, role)
        return mint("invite", address, role=role)


def invite_by_mail(email: str, role: str, by: Actor) -> None:
    """Owe an invitation; its link is made when the mail is sent. Raises Invalid, Conflict, TooMany."""
    address = _free(email, role)
    spend("invite", address)
    with transaction():
        note(by, "invite", "users", None, role)
        owe("invite", email=address, role=role)


def _free(email: str, role: str) -> str:
    """The address as accounts have it, if none has it."""
    address = normal(email)
    if not links.is_address(address):
        raise Invalid([detail("email", "bad_format", "Email is no address.")])
    if role not in ROLES:
        raise Invalid([detail("role", "not_allowed", f"Role must be one of: {', '.join(ROLES)}.")])
    if find_id(REGISTRY["users"], SYSTEM, email=address) is not None:
        message = "Somebody with this address has an account already."
        raise Conflict(message, code="duplicate", details=[detail("email", "duplicate", message)])
    return address


def invitations() -> list[dict[str, str]]:
    """Those that can still be accepted: `email`, `role`, and when each `ends`."""
    return [
        {"email": one.email, "role": one.role, "ends": rfc3339(one.expires_at)}
        for one in waiting("invite")
    ]


def accept(token: str, raw: Raw, by: Actor) -> Saved:
    """Make the account that an invitation is for. Raises Missing, Invalid, Conflict."""
    link = links.opened(token, "invite")

    def follow(state: dict[str, Any]) -> None:
        links.use_up(link)
        note(by, "accept_invitation", "users", state["id"])
        owe("welcome", state["id"])

    fixed = {"email": link.email, "role": link.role, "email_verified_at": rfc3339(now())}
    return create(REGISTRY["users"], by.as_system(), {**raw, **fixed}, also=follow)

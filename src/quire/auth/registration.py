"""Registration: creating one's own account, where that is allowed, or accepting an invitation."""

from typing import Any

from flask import current_app

from quire.actor import ROLES, SYSTEM, Actor
from quire.auth import account_links
from quire.auth.accounts import language_of_mail
from quire.auth.rate_limits import consume
from quire.declare.clock import now, rfc3339
from quire.declare.email_address import normalize_address
from quire.declare.record import REGISTRY
from quire.errors import Conflict, ValidationFailed, detail
from quire.records.accounts.email_links import create_link, list_active
from quire.store.audit import record_event
from quire.store.counters import touch
from quire.store.db import transaction
from quire.store.events.mail import enqueue_mail
from quire.store.read import find_id
from quire.store.write import Saved, create
from quire.translations.messages import Message

VERIFICATION_SENT = "Open the link in the email we have sent you, then sign in."
PLACEHOLDER_ADDRESS = "nobody@taken.invalid"
"""The address of an account that is never stored (RFC 2606)."""

Raw = dict[str, Any]


def register(actor: Actor, raw: Raw) -> Saved | None:
    """Create a member's account for the client.

    If addresses must be verified, return None for every address and send the details by email. Raises Unauthenticated,
    PermissionDenied, ValidationFailed, Conflict, TooManyRequests.
    """
    if not current_app.config["REQUIRE_EMAIL_VERIFICATION"]:
        return _create_member(actor, raw)
    if not _is_taken(raw.get("email")):
        _create_member(actor, raw)
        return None
    try:
        create(REGISTRY["users"], actor, {**raw, "email": PLACEHOLDER_ADDRESS}, also=_roll_back)
    except _RollbackForTiming:
        consume("register", raw["email"])
        enqueue_mail("taken", email=normalize_address(raw["email"]))
    return None


def _create_member(actor: Actor, raw: Raw) -> Saved:
    # counted with the account, so that typing errors cost nothing
    def also(state: dict[str, Any]) -> None:
        consume("register", state["email"])
        _store_language(state)

    return create(REGISTRY["users"], actor, raw, also=also)


def _store_language(state: dict[str, Any]) -> None:
    if values := language_of_mail():
        touch("users", state["id"], **values)


def _is_taken(email: Any) -> bool:
    is_address = isinstance(email, str) and "\x00" not in email
    return (
        is_address
        and find_id(REGISTRY["users"], SYSTEM, email=normalize_address(email)) is not None
    )


class _RollbackForTiming(Exception):
    """An exception that rolls back an account created only to take as long as a real one."""


def _roll_back(state: dict[str, Any]) -> None:
    create(REGISTRY["profiles"], SYSTEM, {"user": state["id"]})
    raise _RollbackForTiming


def invite(email: str, role: str, by: Actor) -> str:
    """Create an invitation for an address without an account; return its secret. Raises ValidationFailed, Conflict."""
    address = _require_free_address(email, role)
    with transaction():
        record_event(by, "invite", "users", None, role)
        return create_link("invite", address, role=role)


def invite_by_mail(email: str, role: str, by: Actor, language: str = "") -> None:
    """Enqueue an invitation in `language`, or in the site's language if `language` is empty.

    Its link is created when the email is sent. Raises ValidationFailed, Conflict, TooManyRequests.
    """
    address = _require_free_address(email, role)
    consume("invite", address)
    with transaction():
        record_event(by, "invite", "users", None, role)
        enqueue_mail("invite", email=address, role=role, language=language)


def _require_free_address(email: str, role: str) -> str:
    """Return the address in the form that is stored, if no account has it."""
    address = normalize_address(email)
    account_links.require_valid_address(address)
    if role not in ROLES:
        raise ValidationFailed(
            [
                detail(
                    "role",
                    "not_allowed",
                    Message("Role must be one of: %(roles)s.", roles=", ".join(ROLES)),
                )
            ]
        )
    if find_id(REGISTRY["users"], SYSTEM, email=address) is not None:
        message = "There is already an account with this email address."
        raise Conflict(message, code="duplicate", details=[detail("email", "duplicate", message)])
    return address


def invitations() -> list[dict[str, str]]:
    """Return the invitations that can still be accepted: `email`, `role` and when each one `ends`."""
    return [
        {"email": one.email, "role": one.role, "ends": rfc3339(one.expires_at)}
        for one in list_active("invite")
    ]


def accept_invitation(token: str, raw: Raw, by: Actor) -> Saved:
    """Create the account of an invitation. Raises NotFound, ValidationFailed, Conflict."""
    link = account_links.require_link(token, "invite")

    def follow(state: dict[str, Any]) -> None:
        account_links.consume_link(link)
        record_event(by, "accept_invitation", "users", state["id"])
        _store_language(state)
        enqueue_mail("welcome", state["id"])

    fixed = {"email": link.email, "role": link.role, "email_verified_at": rfc3339(now())}
    return create(REGISTRY["users"], by.as_system(), {**raw, **fixed}, also=follow)

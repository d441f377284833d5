"""Links sent by email: to set a new password, or to verify an email address.

Requests only enqueue the email; the worker creates its link. No response reveals whether an account exists.
"""

from typing import Any

from flask import current_app
from pydantic_core import PydanticCustomError

from quire.actor import SYSTEM, Actor
from quire.auth.accounts import Account
from quire.auth.rate_limits import consume
from quire.declare.clock import now, rfc3339
from quire.declare.email_address import is_address, normalize_address, parse_address
from quire.declare.record import REGISTRY
from quire.errors import Conflict, NotFound, Unauthenticated, ValidationFailed, detail
from quire.records.accounts import email_links
from quire.records.accounts.email_links import ActiveLink
from quire.records.accounts.revocation import end_keys, end_sessions
from quire.store.audit import record_event
from quire.store.db import transaction
from quire.store.events.mail import enqueue_mail
from quire.store.read import get_record
from quire.store.write import update
from quire.translations.messages import Message

INVALID_LINK = Message("This link has been used, has expired or is incomplete.")


def request_password_reset(email: str) -> None:
    """Enqueue an email with a reset link, whether or not the address is known. Raises TooManyRequests."""
    address = normalize_address(email)
    if is_address(address):
        consume("reset", address)
        enqueue_mail("reset", email=address)


def request_email_change(user_id: int, email: str) -> None:
    """Enqueue a confirmation link to the new address and a warning to the old one. Raises ValidationFailed,
    TooManyRequests."""
    address = normalize_address(email)
    require_valid_address(address)
    consume("verify", address)
    with transaction():
        enqueue_mail("email", user_id, email=address)
        enqueue_mail("address_asked", user_id, new=address)


def require_valid_address(text: str) -> None:
    """Raise ValidationFailed, with a message for people, if `text` cannot receive email."""
    try:
        parse_address(text)
    except PydanticCustomError as error:
        message = Message("Email %(problem)s", problem=Message(error.message()))
        raise ValidationFailed([detail("email", "bad_format", message)]) from None


def require_verified_address(owner: Account) -> None:
    """Refuse a member whose address is not verified, and send the link again.

    The member has given the password, so this reveals nothing to strangers. Raises Unauthenticated, TooManyRequests.
    """
    if not current_app.config["REQUIRE_EMAIL_VERIFICATION"] or owner.role != "member":
        return
    user = get_record(REGISTRY["users"], SYSTEM, owner.id)
    if user["email_verified_at"] is None:
        consume("verify", user["email"])
        enqueue_mail("verify", owner.id)
        raise Unauthenticated("Verify your email address first. We have sent you the link again.")


def mail_notice(user_id: int, kind: str, **words: str) -> None:
    """Email a user about an event in their account; `kind` is one of NOTICES in jobs."""
    enqueue_mail(kind, user_id, **words)


def require_link(token: str, *purposes: str) -> ActiveLink:
    """Return the valid link with this secret. Raises NotFound without a reason."""
    link = email_links.find_active(token, *purposes)
    if link is None:
        raise NotFound(INVALID_LINK)
    return link


def reset_password(token: str, password: str, by: Actor) -> None:
    """Set a new password and end all sessions and tokens. Raises NotFound, ValidationFailed.

    Anyone who could read the email owns the address, so this verifies the address too.
    """
    link = require_link(token, "reset")

    def follow(state: dict[str, Any]) -> None:
        consume_link(link)
        end_keys(state["id"])
        record_event(by, "password_reset", "users", state["id"])

    values = {"password": password, "email_verified_at": rfc3339(now())}
    update(REGISTRY["users"], by.as_system(), _user_id(link), values, also=follow)


def verify_address(token: str, by: Actor) -> None:
    """Mark an address as verified, or change it to the requested one. Raises NotFound.

    The first verification ends all other sessions and API keys of the account: somebody else may
    have registered it with this address.
    """
    link = require_link(token, "verify", "email")
    with transaction():
        consume_link(link)
        id, mine = _user_id(link), by.user_id == link.user_id
        user = get_record(REGISTRY["users"], SYSTEM, id)
        first = link.purpose == "verify" and user["email_verified_at"] is None
        try:
            values = {"email": link.email, "email_verified_at": rfc3339(now())}
            update(REGISTRY["users"], by.as_system(), id, values)
        except Conflict:  # someone else has this address now
            raise NotFound(INVALID_LINK) from None
        if first:
            enqueue_mail("welcome", id)
            end_sessions(id, keep=by.session_id if mine else None)
            end_keys(id)
        record_event(by, "verify", "users", id)


def consume_link(link: ActiveLink) -> None:
    """Use up a link in the transaction of its effect, so that only one of two requests succeeds. Raises NotFound."""
    if not email_links.consume(link):
        raise NotFound(INVALID_LINK)


def _user_id(link: ActiveLink) -> int:
    assert link.user_id is not None
    return link.user_id

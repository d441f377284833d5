"""Titles of jobs, in the reader's language."""

from quire.declare.job_registry import job_titles
from quire.store.events.mail import MAIL
from quire.translations.messages import Message
from quire.web.language import gettext, translate

EMAILS = {
    "address_asked": Message("Email about a requested address change"),
    "address_changed": Message("Email about a changed address"),
    "comment": Message("Email about a comment"),
    "digest": Message("Summary email"),
    "email": Message("Email to verify a new address"),
    "invite": Message("Invitation email"),
    "new_device": Message("Email about a new device"),
    "passkey_added": Message("Email about a new passkey"),
    "password_changed": Message("Email about a changed password"),
    "reply": Message("Email about a reply"),
    "reset": Message("Email to reset a password"),
    "taken": Message("Email about an existing account"),
    "two_factor_off": Message("Email about two-factor authentication turned off"),
    "two_factor_on": Message("Email about two-factor authentication turned on"),
    "verify": Message("Email to verify an address"),
    "webhook_disabled": Message("Email about a webhook turned off"),
    "welcome": Message("Welcome email"),
}
"""The names of the kinds of email."""


def job_title(event: str) -> str:
    """Return what a job does about an event, such as `Email about a changed password`."""
    kind, _, detail = event.partition(".")
    if kind == MAIL and detail in EMAILS:
        return translate(EMAILS[detail])
    return ", ".join(gettext(one) for one in job_titles(event))

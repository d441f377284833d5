"""Email about accounts: recipients, and links created just before sending."""

from typing import Any

from flask import current_app
from sqlalchemy import select

from quire.actor import SYSTEM
from quire.declare.job_registry import Job, PermanentFailure
from quire.declare.query import Query
from quire.declare.record import REGISTRY
from quire.jobs.mail.message import WRITERS, MailMessage, mail_language, mail_template, site_root
from quire.jobs.webhooks.outcome import FAILURES
from quire.records.accounts.email_links import LIFETIMES, create_link, is_used, link_secret
from quire.store import read
from quire.store.db import read_connection
from quire.translations.messages import duration_in_words, read_message

NOTICES = (
    "password_changed", "address_asked", "address_changed", "two_factor_on", "two_factor_off",
    "passkey_added", "new_device", "welcome", "webhook_disabled",
)  # fmt: skip
"""Kinds of mail that report an event in an account."""


def write_message(job: Job) -> MailMessage | None:
    """Build the email of a job; None if there is no recipient any more. Raises PermanentFailure."""
    if job.kind not in WRITERS:
        raise PermanentFailure("There is no such email.")
    return WRITERS[job.kind](job)


def invitation(email: str, role: str, path: str, language: str = "") -> MailMessage:
    """Build an invitation to create an account, in `language`, or the site's language if that is ""."""
    words = {"role": role, **_link(path, "invite")}
    return MailMessage(email, "invite", words, language=language)


def _link(path: str, purpose: str) -> dict[str, str]:
    seconds = current_app.config[LIFETIMES[purpose]]
    return {"url": site_root() + path, "lifetime": duration_in_words(seconds)}


def active_user(id: int | None) -> dict[str, Any] | None:
    """Return an account that is active and has an email address; None for others."""
    users = REGISTRY["users"]
    user_id = id and read.find_id(users, SYSTEM, id=id)
    user = (
        read.get_record(users, SYSTEM, user_id, Query(fields=users.field_names))
        if user_id
        else None
    )
    return user if user and user["is_active"] and user["email"] else None


def mail_to(
    user: dict[str, Any], kind: str, words: dict[str, Any], unsubscribe: str = ""
) -> MailMessage:
    """Build an email to an account, in its owner's language."""
    return MailMessage(user["email"], kind, words, unsubscribe, language_of(user))


def language_of(user: dict[str, Any]) -> str:
    """Return the language for mail to a user: the one in their profile, or else of the page of their last sign-in."""
    return mail_language(user["language"], user["page_language"])


def profile_of(user_id: int) -> Any:
    """Return the row of a user's profile, which says what mail they want."""
    profiles = REGISTRY["profiles"].table
    with read_connection() as connection:
        return connection.execute(select(profiles).where(profiles.c.user_id == user_id)).one()


def _with_address(email: str) -> dict[str, Any] | None:
    return active_user(read.find_id(REGISTRY["users"], SYSTEM, email=email))


@mail_template("reset")
def _reset(job: Job) -> MailMessage | None:
    user = _with_address(job.data["email"])
    if user is None:
        return None
    secret = link_secret("reset", user["email"], job.id)
    if is_used(
        secret
    ):  # an earlier attempt has arrived after all, or the password has changed again
        return None
    create_link("reset", user["email"], user["id"], secret=secret)
    words = {"username": user["username"], **_link(f"/auth/reset/{secret}", "reset")}
    return mail_to(user, "reset", words)


@mail_template("invite")
def _invite(job: Job) -> MailMessage | None:
    email, role = job.data["email"], job.data["role"]
    if read.find_id(REGISTRY["users"], SYSTEM, email=email) is not None:
        return None
    secret = create_link("invite", email, role=role, secret=link_secret("invite", email, job.id))
    path = f"/auth/register?invite={secret}"
    return invitation(email, role, path, job.data.get("language", ""))


@mail_template("verify")
def _verify(job: Job) -> MailMessage | None:
    user = active_user(job.record_id)
    if user is None or user["email_verified_at"]:
        return None
    return _to_verify(job, user, user["email"], "verify")


def _to_verify(job: Job, user: dict[str, Any], email: str, template: str) -> MailMessage:
    purpose = job.kind
    secret = create_link(purpose, email, user["id"], secret=link_secret(purpose, email, job.id))
    words = {"username": user["username"], **_link(f"/auth/verify/{secret}", purpose)}
    return mail_to({**user, "email": email}, template, words)


@mail_template("email")
def _email(job: Job) -> MailMessage | None:
    """Build an email to the new address that a user has entered; it may belong to someone already."""
    user, email = active_user(job.record_id), job.data["email"]
    if user is None or user["email"] == email:
        return None
    if read.find_id(REGISTRY["users"], SYSTEM, email=email) is not None:
        return _address_taken(job)
    return _to_verify(job, user, email, "verify_new_email")


@mail_template("taken")
def _address_taken(job: Job) -> MailMessage | None:
    """Build an email to someone whose address was entered for a second account."""
    user = _with_address(job.data["email"])
    return mail_to(user, "already_registered", {"username": user["username"]}) if user else None


@mail_template(*NOTICES)
def _notice(job: Job) -> MailMessage | None:
    """Build a notice to an account's owner; `to` is the address, if not the owner's."""
    user = active_user(job.record_id)
    if user is None:
        return None
    words = {"username": user["username"], **job.data}
    if "reason" in words:
        words["reason"] = read_message(words["reason"], FAILURES)
    return mail_to({**user, "email": words.pop("to", user["email"])}, job.kind, words)

"""Letters about accounts: whom they go to, and their links, made just before they are sent."""

from typing import Any

from flask import current_app
from sqlalchemy import select

from quire.actor import SYSTEM
from quire.declare.jobs import Hopeless, Job
from quire.declare.record import REGISTRY
from quire.jobs.letter import WRITERS, Letter, root, writes
from quire.store import read
from quire.store.db import reading
from quire.store.links import LIFETIMES, is_used, mint, secret_of

NOTICES = (
    "password_changed", "address_asked", "address_changed", "two_factor_on", "two_factor_off",
    "passkey_added", "new_device", "welcome",
)  # fmt: skip
"""Kinds of mail that tell what has happened to an account."""


def write(job: Job) -> Letter | None:
    """The letter that is owed; None when nobody is to get it any more. Raises Hopeless."""
    if job.kind not in WRITERS:
        raise Hopeless("There is no such letter.")
    return WRITERS[job.kind](job)


def invitation(email: str, role: str, path: str) -> Letter:
    """The letter to somebody who may make an account."""
    return Letter(email, "invite", {"role": role, **_link(path, "invite")})


def _link(path: str, purpose: str) -> dict[str, str]:
    seconds = current_app.config[LIFETIMES[purpose]]
    return {"url": root() + path, "lifetime": span(seconds)}


def span(seconds: int) -> str:
    """`1 hour`, `3 days`, `90 minutes`: a time in its largest whole unit."""
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        count, rest = divmod(seconds, size)
        if count and not rest:
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{seconds} seconds"


def user_of(id: int | None) -> dict[str, Any] | None:
    """An account that is in use and has an address; None for all others."""
    known = id and read.find_id(REGISTRY["users"], SYSTEM, id=id)
    user = read.one(REGISTRY["users"], SYSTEM, known) if known else None
    return user if user and user["is_active"] and user["email"] else None


def profile_of(user_id: int) -> Any:
    """The row of somebody's profile, which says what mail he wants."""
    profiles = REGISTRY["profiles"].table
    with reading() as connection:
        return connection.execute(select(profiles).where(profiles.c.user_id == user_id)).one()


def _with_address(email: str) -> dict[str, Any] | None:
    return user_of(read.find_id(REGISTRY["users"], SYSTEM, email=email))


@writes("reset")
def _reset(job: Job) -> Letter | None:
    user = _with_address(job.data["email"])
    if user is None:
        return None
    secret = secret_of("reset", user["email"], job.id)
    if is_used(secret):  # an earlier attempt has arrived after all, or the password is another
        return None
    mint("reset", user["email"], user["id"], secret=secret)
    words = {"username": user["username"], **_link(f"/auth/reset/{secret}", "reset")}
    return Letter(user["email"], "reset", words)


@writes("invite")
def _invite(job: Job) -> Letter | None:
    email, role = job.data["email"], job.data["role"]
    if read.find_id(REGISTRY["users"], SYSTEM, email=email) is not None:
        return None
    secret = mint("invite", email, role=role, secret=secret_of("invite", email, job.id))
    return invitation(email, role, f"/auth/register?invite={secret}")


@writes("verify")
def _verify(job: Job) -> Letter | None:
    user = user_of(job.record_id)
    if user is None or user["email_verified_at"]:
        return None
    return _to_verify(job, user, user["email"])


def _to_verify(job: Job, user: dict[str, Any], email: str) -> Letter:
    purpose = job.kind
    secret = mint(purpose, email, user["id"], secret=secret_of(purpose, email, job.id))
    words = {"username": user["username"], **_link(f"/auth/verify/{secret}", purpose)}
    return Letter(email, purpose, words)


@writes("email")
def _email(job: Job) -> Letter | None:
    """To the address that somebody wants for his account; its owner may have one already."""
    user, email = user_of(job.record_id), job.data["email"]
    if user is None or user["email"] == email:
        return None
    if read.find_id(REGISTRY["users"], SYSTEM, email=email) is not None:
        return _taken(job)
    return _to_verify(job, user, email)


@writes("taken")
def _taken(job: Job) -> Letter | None:
    """To somebody whose address was given for a second account."""
    user = _with_address(job.data["email"])
    return Letter(user["email"], "taken", {"username": user["username"]}) if user else None


@writes(*NOTICES)
def _notice(job: Job) -> Letter | None:
    """Something that an account's owner should know; `to` is where it goes, if not to his address."""
    user = user_of(job.record_id)
    if user is None:
        return None
    words = {"username": user["username"], **job.data}
    return Letter(words.pop("to", user["email"]), job.kind, words)

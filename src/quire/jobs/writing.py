"""What each mail says and whom it goes to; its link is made here, just before it is sent."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import current_app
from jinja2 import Environment, PackageLoader, StrictUndefined

from quire.actor import SYSTEM
from quire.declare.jobs import Hopeless, Job
from quire.declare.record import REGISTRY
from quire.store import read
from quire.store.links import LIFETIMES, mint
from quire.store.site import site_settings


@dataclass(frozen=True)
class Letter:
    """A text for one address; `kind` names its template, `words` fill it."""

    to: str
    kind: str
    words: dict[str, Any]

    def text(self) -> tuple[str, str]:
        """The subject, on one line whatever stands in it, and the body."""
        words = {"site_name": site_settings()["site_name"], "root": root(), **self.words}
        subject, _, body = _templates.get_template(f"{self.kind}.txt").render(words).partition("\n")
        return " ".join(subject.split()), body.lstrip("\n")


# plain text: nothing in it is markup
_templates = Environment(  # noqa: S701
    loader=PackageLoader("quire.jobs", "letters"),
    undefined=StrictUndefined,
    trim_blocks=True,
    keep_trailing_newline=True,
)


def root() -> str:
    """The address of this site, never taken from a request: its sender could name any host."""
    return str(current_app.config["PUBLIC_URL"] or current_app.config["LOCAL_URL"])


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


def _user(id: int | None) -> dict[str, Any] | None:
    """An account that is in use and has an address; None for all others."""
    known = id and read.find_id(REGISTRY["users"], SYSTEM, id=id)
    user = read.one(REGISTRY["users"], SYSTEM, known) if known else None
    return user if user and user["is_active"] and user["email"] else None


def _with_address(email: str) -> dict[str, Any] | None:
    return _user(read.find_id(REGISTRY["users"], SYSTEM, email=email))


def _reset(job: Job) -> Letter | None:
    user = _with_address(job.data["email"])
    if user is None:
        return None
    secret = mint("reset", user["email"], user["id"])
    words = {"username": user["username"], **_link(f"/auth/reset/{secret}", "reset")}
    return Letter(user["email"], "reset", words)


def _verify(job: Job) -> Letter | None:
    user = _user(job.record_id)
    if user is None or user["email_verified_at"]:
        return None
    return _to_verify(user, "verify", user["email"])


def _to_verify(user: dict[str, Any], purpose: str, email: str) -> Letter:
    secret = mint(purpose, email, user["id"])
    words = {"username": user["username"], **_link(f"/auth/verify/{secret}", purpose)}
    return Letter(email, purpose, words)


def _email(job: Job) -> Letter | None:
    """To the address that somebody wants for his account; its owner may have one already."""
    user, email = _user(job.record_id), job.data["email"]
    if user is None or user["email"] == email:
        return None
    if read.find_id(REGISTRY["users"], SYSTEM, email=email) is not None:
        return _taken(job)
    return _to_verify(user, "email", email)


def _taken(job: Job) -> Letter | None:
    """To somebody whose address was given for a second account."""
    user = _with_address(job.data["email"])
    return Letter(user["email"], "taken", {"username": user["username"]}) if user else None


def _notice(job: Job) -> Letter | None:
    """Something that an account's owner should know; `to` is where it goes, if not to his address."""
    user = _user(job.record_id)
    if user is None:
        return None
    words = {"username": user["username"], **job.data}
    return Letter(words.pop("to", user["email"]), job.kind, words)


NOTICES = (
    "password_changed", "address_asked", "address_changed", "two_factor_on", "two_factor_off",
    "passkey_added", "new_device",
)  # fmt: skip
"""Kinds of mail that tell what has happened to an account."""
WRITERS: dict[str, Callable[[Job], Letter | None]] = {
    "reset": _reset, "verify": _verify, "email": _email, "taken": _taken,
    **dict.fromkeys(NOTICES, _notice),
}  # fmt: skip

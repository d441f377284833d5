"""Users: accounts of people, and authors that came with an import and cannot sign in."""

from typing import Any

from flask import current_app
from sqlalchemy import func, select
from sqlalchemy.orm import Mapped, mapped_column

from quire.actor import ROLES, Actor
from quire.declare.change import Change
from quire.declare.columns import (
    Dated,
    Numbered,
    Ref,
    Versioned,
    ignoring_case,
    refer,
    unique,
)
from quire.declare.fields import Derived, Editable, Given, Secret, Shown
from quire.declare.kinds import Email, Flag, Hash, Summary, Time, Username, choice
from quire.declare.record import REGISTRY, Access, Record
from quire.declare.rules import Rule, any_of, owner, role, where
from quire.declare.values import FLAG, PASSWORD
from quire.errors import Conflict, Refused
from quire.store.attempts import guess
from quire.store.audit import note
from quire.store.common_passwords import is_common
from quire.store.credentials import end_keys, end_sessions, renew_sessions
from quire.store.db import Model, reading
from quire.store.links import void
from quire.store.mailbox import owe
from quire.store.pictures import check_picture
from quire.store.secrets import hash_password, password_matches
from quire.store.site import site_settings
from quire.store.write import create, delete

MAX_PASSWORD_BYTES = 1024


class User(Numbered, Dated, Versioned, Model):
    """Somebody with a name, and perhaps an account."""

    __tablename__ = "users"

    username: Mapped[Username]
    username_folded: Mapped[str] = ignoring_case("username", 20)
    email: Mapped[Email | None] = unique()
    password: Mapped[Hash | None]
    role: Mapped[str] = choice(*ROLES)
    is_active: Mapped[Flag] = mapped_column(default=True)
    email_verified_at: Mapped[Time | None]
    last_login_at: Mapped[Time | None]
    bio: Mapped[Summary] = mapped_column(default="")
    avatar_id: Mapped[Ref | None] = refer("media", on_delete="SET NULL", mutual=True, index=True)


ADMIN = role("admin")
SELF = owner(User.id)
PRIVATE = any_of(SELF, ADMIN)
WRITES = where(lambda: User.role.in_(("author", "moderator", "admin")), "to be an author")
REGISTERING = Rule(
    lambda actor: actor.is_anonymous and site_settings()["registration"] == "open",
    "registration to be open",
    lasting=False,
)


def prepare(change: Change) -> None:
    """Passwords, the proof that guarded changes need, the last administrator, the profile."""
    if change.verb == "delete":
        _check_leaving(change)
        return
    _check_proof(change)
    _check_last_admin(change)
    check_picture(change, "avatar", own=True)
    _set_password(change)
    if change.state is not None and change.gives("email"):
        change.values.setdefault("email_verified_at", None)
    change.afterwards(lambda state: _follow(change, state))


def _follow(change: Change, state: dict[str, Any]) -> None:
    """A profile for who is new; the end of what a change of rights makes worthless."""
    if change.state is None:
        _make_profile(change, state)
        if change.actor.is_anonymous:
            owe("verify", state["id"])
    elif change.gives("is_active") and not state["is_active"]:
        end_sessions(state["id"])
        end_keys(state["id"])
    elif "password" in change.values:
        own = change.actor.user_id == state["id"]
        end_sessions(state["id"], keep=change.actor.session_id if own else None)
    if change.state is not None and change.gives("role"):
        renew_sessions(state["id"])
    if change.state is not None and state["is_active"]:
        _tell(change, state)


def _tell(change: Change, state: dict[str, Any]) -> None:
    """Mail about what guards the account; links that were sent before are worthless."""
    id = state["id"]
    if change.gives("email"):
        void(id, "reset", "verify", "email")
        if change.before("email"):
            owe("address_changed", id, to=change.before("email"))
        if state["email"] and not state["email_verified_at"]:
            owe("verify", id)
    if "password" in change.values:
        void(id, "reset", "email")
        owe("password_changed", id)


def _make_profile(change: Change, state: dict[str, Any]) -> None:
    create(REGISTRY["profiles"], change.actor.as_system(), {"user": state["id"]})


def _check_proof(change: Change) -> None:
    """Whoever changes his own address or password knows the present password."""
    given = change.take("current_password")
    own = change.state is not None and change.actor.user_id == change.id
    guarded = [name for name in ("email", "password") if name in change.values]
    if own and any(name == "password" or change.gives(name) for name in guarded):
        if given is None:
            change.refuse("current_password", "required", "Current password is required.")
        elif change.ready.get("proof") is None or change.ready["proof"] != _stored(change.id)[1]:
            change.refuse("current_password", "not_allowed", "Current password is wrong.")


def ahead(actor: Actor, id: int | None, given: dict[str, Any]) -> dict[str, Any]:
    """Compare the present password, hash the new one: neither while the database is locked."""
    ready: dict[str, Any] = {}
    own = id is not None and actor.user_id == id
    current, new = given.get("current_password"), given.get("password")
    entitled = id is None or actor.at_least("admin")
    if own and isinstance(current, str):
        ready["proof"] = _proved(actor, current)
        entitled = ready["proof"] is not None
    if entitled and isinstance(new, str) and 0 < _length(new) <= MAX_PASSWORD_BYTES:
        ready["hash"] = hash_password(new)
    return ready


def _length(password: str) -> int:
    return len(password.encode("utf-8", "replace"))


def knows_password(actor: Actor, password: str) -> bool:
    """Whether `password` is that of the one who asks. Raises TooMany after many wrong ones."""
    return _proved(actor, password) is not None


def _proved(actor: Actor, password: str) -> str | None:
    """The hash that `password` has in the actor's account, None when it is another one."""
    email, stored = _stored(actor.user_id)
    with guess("password", email or "", actor, actor.user_id) as it:
        it.right = password_matches(stored, password)
    if it.right:
        return stored
    note(actor, "sign_in_failed", "users", actor.user_id, "current_password")
    return None


def _stored(id: int | None) -> tuple[str | None, str | None]:
    """Address and hash of an account."""
    with reading() as connection:
        found = connection.execute(select(User.email, User.password).where(User.id == id)).first()
    return (found[0], found[1]) if found else (None, None)


def _set_password(change: Change) -> None:
    password = change.values.get("password")
    if password is None or change.bad:
        return
    least = current_app.config["PASSWORD_MIN_LENGTH"]
    names = {str(change[name] or "").lower() for name in ("username", "email")}
    if len(password) < least:
        change.refuse("password", "too_short", f"Password needs at least {least} characters.")
    elif _length(password) > MAX_PASSWORD_BYTES:
        change.refuse(
            "password", "too_long", f"Password is longer than {MAX_PASSWORD_BYTES} bytes."
        )
    elif current_app.config["PASSWORD_REFUSE_COMMON"] and (
        is_common(password) or password.lower() in names
    ):
        change.refuse("password", "not_allowed", "Password is too easy to guess.")
    else:
        change.set(password=change.ready["hash"])


def _check_last_admin(change: Change) -> None:
    was = change.before("role") == "admin" and change.before("is_active")
    stays = change["role"] == "admin" and change["is_active"]
    if was and not stays and not _other_admins(change.id):
        raise Conflict("The last active administrator must stay one.", code="last_admin")


def _check_leaving(change: Change) -> None:
    if change.actor.user_id == change.id:
        raise Refused("Nobody deletes his own account here.")
    admin = change.before("role") == "admin" and change.before("is_active")
    if admin and not _other_admins(change.id):
        raise Conflict("The last active administrator must stay.", code="last_admin")
    forget_portraits(change.actor, change.id or 0)


def forget_portraits(actor: Actor, id: int) -> None:
    """Delete the pictures of himself that somebody has uploaded, whoever he has become."""
    media = REGISTRY["media"]
    theirs = (media.table.c.owner_id == id, media.table.c.is_avatar)
    with reading() as connection:
        found = connection.execute(select(media.table.c.id).where(*theirs)).scalars().all()
    for one in found:
        delete(media, actor.as_system(), one, permanent=True)


def _other_admins(id: int | None) -> int:
    count = select(func.count()).where(User.role == "admin", User.is_active, User.id != id)
    with reading() as connection:
        return int(connection.execute(count).scalar_one())


USERS = Record(
    User,
    path="users",
    fields=[
        Shown("id", sort=True, filter=True),
        Editable("username", search=True, sort=True, filter=True),
        Editable("email", to=PRIVATE, filter=True, sort=True, required=True),
        Secret("password", required=True),
        Given("current_password", PASSWORD),
        Editable("role", to=PRIVATE, by=ADMIN, filter=True, sort=True),
        Derived("is_admin", lambda: User.role == "admin", FLAG, to=PRIVATE),
        Editable("is_active", to=PRIVATE, by=ADMIN, filter=True, sort=True),
        Shown("email_verified_at", to=PRIVATE),
        Shown("last_login_at", to=PRIVATE, counter=True),
        Editable("bio", search=True),
        Editable("avatar"),
        Shown("created_at", sort=True, filter=True),
        Shown("updated_at", to=PRIVATE),
        Shown("version", to=PRIVATE),
    ],
    access=Access(
        read=any_of(WRITES, SELF, role("moderator")),
        create=any_of(ADMIN, REGISTERING),
        update=any_of(SELF, ADMIN),
        delete=ADMIN,
        panel=ADMIN,
    ),
    before=prepare,
    ahead=ahead,
    key="username",
    small=("id", "username"),
    title="username",
    page="/authors/{username}",
    section="People",
    by_key="read",
)

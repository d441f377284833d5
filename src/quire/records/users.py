"""Users: accounts of people, and imported authors, who cannot sign in."""

from typing import Any

from flask import current_app
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Mapped, mapped_column

from quire.actor import ROLES, Actor
from quire.declare.change import Change
from quire.declare.column_types import Email, Flag, Hash, Summary, Time, Username, choice
from quire.declare.fields import Computed, Editable, InputOnly, Secret, Shown
from quire.declare.mixins import HasId, Timestamped, Versioned
from quire.declare.record import REGISTRY, Access, Record
from quire.declare.references import Ref, case_insensitive, reference, unique
from quire.declare.rules import Rule, any_of, owner, role, where
from quire.declare.value_kinds import FLAG, PASSWORD
from quire.declare.value_kinds_appearance import Language
from quire.errors import Conflict, PermissionDenied
from quire.records.accounts.current_password import credentials, verified_hash
from quire.records.accounts.email_links import revoke
from quire.records.accounts.revocation import end_keys, end_sessions, revoke_credentials
from quire.records.image_references import check_image
from quire.records.site_settings import site_settings
from quire.security.passwords import hash_password, is_common
from quire.store.db import Model, read_connection
from quire.store.events.mail import enqueue_mail
from quire.store.transactions.advisory_locks import advisory_lock
from quire.store.write import create, delete
from quire.translations.languages import LANGUAGES
from quire.translations.messages import Message

MAX_PASSWORD_BYTES = 1024


class User(HasId, Timestamped, Versioned, Model):
    """A person with an account, or an imported author.

    `page_language` is the language of the page of their last sign-in: mail is in that language if they have chosen
    none.
    """

    __tablename__ = "users"

    username: Mapped[Username]
    username_folded: Mapped[str] = case_insensitive("username", 20)
    email: Mapped[Email | None] = unique()
    password: Mapped[Hash | None]
    role: Mapped[str] = choice(*ROLES)
    is_active: Mapped[Flag] = mapped_column(default=True)
    email_verified_at: Mapped[Time | None]
    last_login_at: Mapped[Time | None]
    bio: Mapped[Summary] = mapped_column(default="")
    language: Mapped[str] = choice("auto", *LANGUAGES)
    page_language: Mapped[Language | None]
    avatar_id: Mapped[Ref | None] = reference(
        "media", on_delete="SET NULL", use_alter=True, index=True
    )


_users = User.__table__.c
WRITING_ROLES = ("author", "moderator", "admin")
ADMIN = role("admin")
SELF = owner(_users.id)
PRIVATE = any_of(SELF, ADMIN)
# not a list, since rules are part of compiled statements (store/connections/prepared_statements.py)
IS_WRITER = or_(*(_users.role == one for one in WRITING_ROLES))
WRITES = where(lambda: IS_WRITER, "that their role is author or higher")
REGISTERING = Rule(
    lambda actor: actor.is_anonymous and site_settings()["registration"] == "open",
    "that registration is open",
    cacheable=False,
)


def before_save(change: Change) -> None:
    """Check the current password and that an administrator remains; set the password; create the profile."""
    if change.verb == "delete":
        _check_deletion(change)
        return
    _check_current_password(change)
    _apply_revocation_choices(change)
    _check_last_admin(change)
    check_image(change, "avatar", own=True)
    _set_password(change)
    if change.state is not None and change.changes("email"):
        change.values.setdefault("email_verified_at", None)
    change.after_save(lambda state: _after_save(change, state))


def _after_save(change: Change, state: dict[str, Any]) -> None:
    """Create the profile of a new user; revoke credentials after a change of rights or password."""
    if change.state is None:
        _make_profile(change, state)
        if change.actor.is_anonymous:
            enqueue_mail("verify", state["id"])
    elif change.changes("is_active") and not state["is_active"]:
        end_sessions(state["id"])
        end_keys(state["id"])
    elif "password" in change.values:
        change.notices += revoke_credentials(
            state["id"],
            keep_session=_own_session(change),
            keep_keys=change.prepared["keep_keys"],
            keep_factors=not change.prepared["remove_second_factors"],
        )
    elif change.changes("role") and _rank(state["role"]) > _rank(change.before("role")):
        # a copied cookie would gain the new rights, so browsers have to sign in again
        end_sessions(state["id"], _own_session(change), kind="browser")
    if change.state is not None and state["is_active"]:
        _notify(change, state)


def _rank(role: Any) -> int:
    return ROLES.index(role)


def _own_session(change: Change) -> int | None:
    """Return the session with which the actor changes their own account."""
    return change.actor.session_id if change.actor.user_id == change.id else None


def _notify(change: Change, state: dict[str, Any]) -> None:
    """Send mail about a new email address or password, and revoke links sent earlier."""
    id = state["id"]
    if change.changes("email"):
        revoke(id, "reset", "verify", "email")
        if change.before("email"):
            enqueue_mail("address_changed", id, to=change.before("email"))
        if state["email"] and not state["email_verified_at"]:
            enqueue_mail("verify", id)
    if "password" in change.values:
        revoke(id, "reset", "email")
        enqueue_mail("password_changed", id)


def _make_profile(change: Change, state: dict[str, Any]) -> None:
    create(REGISTRY["profiles"], change.actor.as_system(), {"user": state["id"]})


def _check_current_password(change: Change) -> None:
    """Require the current password from users who change their own email address or password."""
    current_password = change.pop("current_password")
    own = change.state is not None and change.actor.user_id == change.id
    guarded_fields = [name for name in ("email", "password") if name in change.values]
    if own and any(name == "password" or change.changes(name) for name in guarded_fields):
        proof = change.prepared.get("proof")
        if current_password is None:
            change.refuse("current_password", "required", "Current password is required.")
        elif proof is None or proof != credentials(change.id)[1]:
            change.refuse("current_password", "not_allowed", "Current password is wrong.")


def _apply_revocation_choices(change: Change) -> None:
    """Decide which credentials a new password revokes; by default, users keep their own keys."""
    own = change.actor.user_id == change.id
    keep_keys, remove = change.pop("keep_keys"), change.pop("remove_second_factors")
    change.prepared["keep_keys"] = own if keep_keys is None else keep_keys
    change.prepared["remove_second_factors"] = bool(remove)
    if remove and "password" not in change.values:
        change.refuse(
            "remove_second_factors",
            "not_allowed",
            "Second factors are removed only together with a new password.",
        )


def before_transaction(actor: Actor, id: int | None, values: dict[str, Any]) -> dict[str, Any]:
    """Verify the current password and hash the new one, neither while the database is locked."""
    prepared: dict[str, Any] = {}
    own = id is not None and actor.user_id == id
    current, new = values.get("current_password"), values.get("password")
    entitled = id is None or actor.at_least("admin")
    if own and isinstance(current, str):
        prepared["proof"] = verified_hash(actor, current)
        entitled = prepared["proof"] is not None
    if entitled and isinstance(new, str) and 0 < _length(new) <= MAX_PASSWORD_BYTES:
        prepared["hash"] = hash_password(new)
    return prepared


def _length(password: str) -> int:
    return len(password.encode("utf-8", "replace"))


def _set_password(change: Change) -> None:
    password = change.values.get("password")
    if password is None or change.bad_fields:
        return
    min_length = current_app.config["PASSWORD_MIN_LENGTH"]
    names = {str(change[name] or "").lower() for name in ("username", "email")}
    if len(password) < min_length:
        change.refuse(
            "password",
            "too_short",
            Message("Password needs at least %(count)s characters.", count=min_length),
        )
    elif _length(password) > MAX_PASSWORD_BYTES:
        change.refuse(
            "password",
            "too_long",
            Message("Password is longer than %(bytes)s bytes.", bytes=MAX_PASSWORD_BYTES),
        )
    elif current_app.config["PASSWORD_REFUSE_COMMON"] and (
        is_common(password) or password.lower() in names
    ):
        change.refuse(
            "password",
            "not_allowed",
            "Password is too common, too repetitive, or the same as the username or email.",
        )
    else:
        change.set(password=change.prepared["hash"])


def _check_last_admin(change: Change) -> None:
    was_admin = change.before("role") == "admin" and change.before("is_active")
    stays_admin = change["role"] == "admin" and change["is_active"]
    if was_admin and not stays_admin and not _other_admins(change.id):
        raise Conflict("You cannot demote or deactivate the last administrator.", code="last_admin")


def _check_deletion(change: Change) -> None:
    if change.actor.user_id == change.id:
        raise PermissionDenied("You cannot delete your own account here.")
    is_admin = change.before("role") == "admin" and change.before("is_active")
    if is_admin and not _other_admins(change.id):
        raise Conflict("You cannot delete the last active administrator.", code="last_admin")
    delete_avatars(change.actor, change.id or 0)


def delete_avatars(actor: Actor, id: int) -> None:
    """Delete the avatars that a user has uploaded, whatever their role is now."""
    media = REGISTRY["media"]
    conditions = (media.table.c.owner_id == id, media.table.c.is_avatar)
    with read_connection() as connection:
        ids = connection.execute(select(media.table.c.id).where(*conditions)).scalars().all()
    for one in ids:
        delete(media, actor.as_system(), one, permanent=True)


def _other_admins(id: int | None) -> int:
    advisory_lock("administrators")
    count = select(func.count()).where(_users.role == "admin", _users.is_active, _users.id != id)
    with read_connection() as connection:
        return int(connection.execute(count).scalar_one())


USERS = Record(
    User,
    path="users",
    fields=[
        Shown("id", sort=True, filter=True),
        Editable("username", search=True, sort=True, filter=True),
        Editable("email", read_rule=PRIVATE, filter=True, sort=True, required=True),
        Secret("password", required=True),
        InputOnly("current_password", PASSWORD),
        InputOnly("keep_keys", FLAG, label="Keep API keys", help="Otherwise they are revoked."),
        InputOnly(
            "remove_second_factors",
            FLAG,
            write_rule=ADMIN,
            help="Requires a new password. Removes passkeys and two-factor authentication.",
        ),
        Editable("role", read_rule=PRIVATE, write_rule=ADMIN, filter=True, sort=True),
        Computed("is_admin", lambda: _users.role == "admin", FLAG, read_rule=PRIVATE),
        Editable("is_active", read_rule=PRIVATE, write_rule=ADMIN, filter=True, sort=True),
        Shown("email_verified_at", read_rule=PRIVATE),
        Shown("last_login_at", read_rule=PRIVATE, counter=True, label="Last login"),
        Editable("bio", search=True),
        Editable("avatar"),
        Editable("language", read_rule=PRIVATE, on_request=True, help="Of pages and emails."),
        Shown(
            "page_language",
            read_rule=PRIVATE,
            on_request=True,
            counter=True,
            label="Language at the last login",
        ),
        Shown("created_at", sort=True, filter=True),
        Shown("updated_at", read_rule=PRIVATE),
        Shown("version", read_rule=PRIVATE),
    ],
    access=Access(
        read=any_of(WRITES, SELF, role("moderator")),
        create=any_of(ADMIN, REGISTERING),
        update=any_of(SELF, ADMIN),
        delete=ADMIN,
        panel=ADMIN,
    ),
    before_save=before_save,
    before_transaction=before_transaction,
    key="username",
    reference_fields=("id", "username"),
    title_field="username",
    public_path="/authors/{username}",
    section="People",
    api_key_access="read",
    tabs=(("Administrators", "role=admin"), ("Inactive", "is_active=false")),
)

"""API keys: let programs authenticate as a user, with some of that user's rights."""

from sqlalchemy import func, select
from sqlalchemy.orm import Mapped, mapped_column

from quire.actor import Actor
from quire.declare.change import Change, actor_id
from quire.declare.clock import now
from quire.declare.column_types import Label, Networks, Scopes, Time
from quire.declare.fields import Editable, Fixed, Shown, ShownOnce
from quire.declare.mixins import HasId, Timestamped, Versioned
from quire.declare.record import REGISTRY, Access, Record
from quire.declare.references import Ref, reference
from quire.declare.rules import NOBODY, SIGNED_IN, any_of, owner, role
from quire.declare.value_kinds import time_from_text
from quire.errors import Conflict
from quire.security.tokens import Digest, digest, new_content_key, new_key
from quire.store.audit import Word
from quire.store.db import Model, read_connection
from quire.store.transactions.advisory_locks import advisory_lock
from quire.translations.messages import Message

MAX_KEYS_PER_ACCOUNT = 50
"""The maximum number of keys per account."""
PREFIX_LENGTH, CONTENT_PREFIX_LENGTH = 11, 6
"""Characters of a key that are stored in plain text, so that people recognize it."""
CONTENT_SCOPE = "content:read"
"""The scope of keys in another format, for public content through the Ghost Content API only."""


class ApiKey(HasId, Timestamped, Versioned, Model):
    """A secret that lets a program use the API; only its hash is stored."""

    __tablename__ = "api_keys"

    owner_id: Mapped[Ref] = reference("users", on_delete="CASCADE", index=True)
    name: Mapped[Label]
    prefix: Mapped[Word]
    hash: Mapped[Digest] = mapped_column(unique=True)
    scopes: Mapped[Scopes]
    networks: Mapped[Networks] = mapped_column(default=list)
    expires_at: Mapped[Time | None]
    last_used_at: Mapped[Time | None]


_keys = ApiKey.__table__.c

OWN = owner(_keys.owner_id)
ADMIN = role("admin")


def all_scopes() -> list[str]:
    """Return every scope that can be combined with others."""
    return [scope for record in REGISTRY.values() for scope in record.scopes]


def known_scopes() -> list[str]:
    """Return every scope there is."""
    return [*all_scopes(), CONTENT_SCOPE]


def scopes_for(actor: Actor) -> list[str]:
    """Return the scopes that would let `actor` do anything at all."""
    pairs = (pair for record in REGISTRY.values() for pair in record.scopes.items())
    return [scope for scope, rules in pairs if any(rule(actor) is not False for rule in rules)]


def before_save(change: Change) -> None:
    """Check the scopes and the expiry, and generate the secret of a new key."""
    if change.verb == "delete":
        return
    _check_scopes(change)
    ends = change["expires_at"]
    if change.changes("expires_at") and ends and time_from_text(ends) <= now():
        change.refuse("expires_at", "too_small", "Expires at must be in the future.")
    if change.state is None:
        owner = change["owner"]
        change.after_save(lambda _: _check_number(owner))
        _set_key(change)


def _set_key(change: Change) -> None:
    is_content = change["scopes"] == [CONTENT_SCOPE]
    key = new_content_key() if is_content else new_key()
    length = CONTENT_PREFIX_LENGTH if is_content else PREFIX_LENGTH
    change.set(prefix=key[:length], hash=digest(key))
    change.reveal(key=key)


def _check_number(owner: int | None) -> None:
    advisory_lock(f"api keys of {owner}")
    count = select(func.count()).where(_keys.owner_id == owner)
    with read_connection() as connection:
        if connection.execute(count).scalar_one() > MAX_KEYS_PER_ACCOUNT:
            raise Conflict(
                Message(
                    "An account has at most %(limit)s API keys. Delete one first.",
                    limit=MAX_KEYS_PER_ACCOUNT,
                )
            )


def _check_scopes(change: Change) -> None:
    valid_scopes = known_scopes()
    if CONTENT_SCOPE in change["scopes"] and change["scopes"] != [CONTENT_SCOPE]:
        words = Message("%(scope)s cannot be combined with other scopes.", scope=CONTENT_SCOPE)
        change.refuse("scopes", "not_allowed", words)
        return
    unknown = [scope for scope in change["scopes"] if scope not in valid_scopes]
    if unknown:
        words = Message(
            "%(name)s is not a valid scope. Valid scopes: %(scopes)s.",
            name=unknown[0],
            scopes=", ".join(valid_scopes),
        )
        change.refuse("scopes", "not_allowed", words)


API_KEYS = Record(
    ApiKey,
    path="api_keys",
    fields=[
        Shown("id", sort=True, filter=True),
        Editable(
            "name",
            sort=True,
            filter=True,
            example="Build server",
            help="The program that uses the key.",
        ),
        Shown("prefix", computed=True),
        ShownOnce("key", help="The key itself, shown only once, when it is created."),
        Fixed(
            "scopes",
            example=["posts:read"],
            help="What the key may do, such as posts:read. One scope per line. content:read stands "
            "alone: such a key opens public content at the Ghost Content API, and nothing else.",
        ),
        Editable("networks", help="Networks the key may be used from. Leave empty to allow any."),
        Editable("expires_at", help="Leave empty for a key that does not expire."),
        Shown("last_used_at", counter=True),
        Shown("owner", filter=("id", "username"), default_from=actor_id),
        Shown("hash", read_rule=NOBODY, computed=True),
        Shown("created_at", sort=True, filter=True),
        Shown("updated_at"),
        Shown("version"),
    ],
    access=Access(
        read=any_of(OWN, ADMIN),
        create=SIGNED_IN,
        update=any_of(OWN, ADMIN),
        delete=any_of(OWN, ADMIN),
        panel=any_of(OWN, ADMIN),
    ),
    before_save=before_save,
    title_field="name",
    section="People",
    api_key_access="",
    exported=False,
)

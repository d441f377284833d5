"""API keys: how programs prove who sent them, with less than all that he may do."""

from sqlalchemy.orm import Mapped, mapped_column

from quire.actor import Actor
from quire.declare.change import Change
from quire.declare.clock import now
from quire.declare.columns import Dated, Numbered, Ref, Versioned, refer
from quire.declare.fields import Editable, Fixed, Revealed, Shown
from quire.declare.kinds import Label, Networks, Scopes, Time
from quire.declare.record import REGISTRY, Access, Record
from quire.declare.rules import NOBODY, SIGNED_IN, any_of, owner, role
from quire.declare.values import time_from_text
from quire.store.audit import Word
from quire.store.credentials import Digest, digest, new_key
from quire.store.db import Model

SHOWN_PART = 11
"""Characters of a key that are kept readable, so that people know which one it is."""


class ApiKey(Numbered, Dated, Versioned, Model):
    """A secret for a program; only its hash is kept."""

    __tablename__ = "api_keys"

    owner_id: Mapped[Ref] = refer("users", on_delete="CASCADE", index=True)
    name: Mapped[Label]
    prefix: Mapped[Word]
    hash: Mapped[Digest] = mapped_column(unique=True)
    scopes: Mapped[Scopes]
    networks: Mapped[Networks] = mapped_column(default=list)
    expires_at: Mapped[Time | None]
    last_used_at: Mapped[Time | None]


OWN = owner(ApiKey.owner_id)
ADMIN = role("admin")


def all_scopes() -> list[str]:
    """Every scope there is."""
    return [scope for record in REGISTRY.values() for scope in record.scopes]


def scopes_of(actor: Actor) -> list[str]:
    """The scopes that open anything for `actor`."""
    found = (pair for record in REGISTRY.values() for pair in record.scopes.items())
    return [scope for scope, rules in found if any(rule(actor) is not False for rule in rules)]


def prepare(change: Change) -> None:
    """Check scopes and expiry; make the secret of a new key."""
    if change.verb == "delete":
        return
    _check_scopes(change)
    ends = change["expires_at"]
    if change.gives("expires_at") and ends and time_from_text(ends) <= now():
        change.refuse("expires_at", "too_small", "Expires at must be in the future.")
    if change.state is None:
        key = new_key()
        change.set(prefix=key[:SHOWN_PART], hash=digest(key))
        change.reveal(key=key)


def _check_scopes(change: Change) -> None:
    known = all_scopes()
    unknown = [scope for scope in change["scopes"] if scope not in known]
    if unknown:
        words = f"{unknown[0]} is no scope; there are: {', '.join(known)}."
        change.refuse("scopes", "not_allowed", words)


API_KEYS = Record(
    ApiKey,
    path="api_keys",
    fields=[
        Shown("id", sort=True, filter=True),
        Editable("name", sort=True, filter=True),
        Shown("prefix", made=True),
        Revealed("key", help="The key itself: shown this once, when it is made."),
        Fixed("scopes", help="What the key opens, such as posts:read; one on each line."),
        Editable("networks", help="Where it may be used from; empty for anywhere."),
        Editable("expires_at", help="Empty: until it is deleted."),
        Shown("last_used_at", counter=True),
        Shown("owner", filter=("id", "username"), fill=lambda change: change.actor.user_id),
        Shown("hash", to=NOBODY, made=True),
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
    before=prepare,
    title="name",
    section="People",
    by_key="",
    portable=False,
)

"""Webhooks: URLs of other programs that are notified of changes to records."""

import base64
import secrets
from datetime import timedelta
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from flask import current_app
from sqlalchemy import Connection, Text, delete, func, insert, or_, select, update
from sqlalchemy.orm import Mapped, mapped_column
from werkzeug.urls import iri_to_uri

from quire.actor import Actor
from quire.declare.action import Action
from quire.declare.change import Change, actor_id
from quire.declare.clock import now
from quire.declare.column_types import Count, EventNames, Flag, ShortReason, Summary, Time, Url
from quire.declare.event_names import past_verb, subscription_names
from quire.declare.fields import Editable, Shown, ShownOnce
from quire.declare.mixins import HasId, Timestamped, Versioned
from quire.declare.record import REGISTRY, Access, Record
from quire.declare.references import Ref, actor_reference, reference
from quire.declare.rules import NOBODY, role
from quire.errors import Conflict
from quire.security.encryption import seal, unseal
from quire.security.network_addresses import (
    ForbiddenAddress,
    PrivateAddress,
    require_reachable,
    resolve,
)
from quire.store.audit import Word, record_event
from quire.store.db import Model, in_transaction, read_connection, transaction
from quire.store.events.feed_position import current_position, number_commits
from quire.store.events.outbox import event_row, insert_events
from quire.store.transactions.advisory_locks import advisory_lock
from quire.translations.messages import Message

MAX_WEBHOOKS = 50
"""The maximum number of webhooks: each event is compared with all of them."""
SECRET_BYTES = 32
SECRET_PREFIX = "whsec_"  # noqa: S105 - what secrets of Standard Webhooks begin with
FORMER_SECRET_LASTS = timedelta(hours=24)
"""How long the previous secret stays valid beside a new one."""
RESOLVE_SECONDS = 2.0
"""How long saving waits for a host name to resolve; slower ones are only judged when sending."""
TEST_EVENT = "webhooks.tested"


class Webhook(HasId, Timestamped, Versioned, Model):
    """A URL that is sent the events it is subscribed to.

    `position` is the place in the order of commits up to which events have become deliveries, `failing_since` the
    time of the first failure since the last success. `sender` is the job that sends deliveries to it, until
    `sender_until`.
    """

    __tablename__ = "webhooks"

    url: Mapped[Url]
    events: Mapped[EventNames]
    description: Mapped[Summary] = mapped_column(default="")
    owner_id: Mapped[Ref | None] = actor_reference(index=True)
    is_active: Mapped[Flag] = mapped_column(default=True)
    failures: Mapped[Count] = mapped_column(default=0)
    disabled_reason: Mapped[ShortReason | None]
    position: Mapped[Count] = mapped_column(default=0)
    failing_since: Mapped[Time | None]
    sender: Mapped[Word | None]
    sender_until: Mapped[Time | None]


class WebhookSecret(HasId, Model):
    """A secret that signs deliveries, encrypted; a former one is valid until `expires_at`."""

    __tablename__ = "webhook_secrets"

    webhook_id: Mapped[Ref] = reference("webhooks", on_delete="CASCADE", index=True)
    sealed: Mapped[str] = mapped_column(Text())
    expires_at: Mapped[Time | None]


_webhooks, _secrets = Webhook.__table__, WebhookSecret.__table__


@cache
def known_events() -> list[str]:
    """Return the events that a webhook can subscribe to: those of all types that can be changed."""
    changed = (r for r in REGISTRY.values() if r.declared_access.update is not NOBODY)
    return subscription_names(changed)


def signing_secrets(webhook_id: int) -> list[str]:
    """Return the secrets that sign at present, newest first.

    Those encrypted with another SECRET_KEY are omitted.
    """
    valid = or_(_secrets.c.expires_at.is_(None), _secrets.c.expires_at > now())
    statement = select(_secrets.c.sealed).where(_secrets.c.webhook_id == webhook_id, valid)
    with read_connection() as connection:
        sealed = connection.execute(statement.order_by(_secrets.c.id.desc())).scalars().all()
    opened = (unseal(one, _bound_to(webhook_id)) for one in sealed)
    return [one for one in opened if one is not None]


def _bound_to(webhook_id: int) -> str:
    return f"webhook {webhook_id}"


TURNED_OFF = Message("The webhook was turned off.")
"""The reason for deliveries that were cancelled."""


def before_transaction(actor: Actor, id: int | None, values: dict[str, Any]) -> dict[str, Any]:
    """Look up the host of a new URL before the database is locked."""
    if not in_transaction():  # earlier events are not sent
        number_commits()
    url = values.get("url")
    return {"refused": _refusal(url)} if isinstance(url, str) else {}


def _refusal(url: str) -> Message | None:
    """Return why nothing may be sent to a URL, or None if it is allowed, missing, or its host cannot be resolved."""
    try:
        parts = urlsplit(iri_to_uri(url))
        host, port = parts.hostname or "", parts.port or 443
        allow_private = current_app.config["WEBHOOK_PRIVATE_NETWORKS"]
        addresses = resolve(host, port, RESOLVE_SECONDS)
        require_reachable(host, addresses, allow_private=allow_private)
    except PrivateAddress as forbidden:
        setting = Message("Set WEBHOOK_PRIVATE_NETWORKS to allow it.")
        return Message.join([forbidden.message, setting])
    except ForbiddenAddress as forbidden:
        return forbidden.message
    except (OSError, ValueError):
        return None
    return None


def before_save(change: Change) -> None:
    """Check the events and the URL, create the secret of a new webhook, start afresh when it is enabled."""
    if change.verb == "delete":
        return
    _check_events(change)
    if refused := change.prepared.get("refused"):
        change.refuse("url", "not_allowed", refused)
    if change.state is None:
        change.after_save(lambda _: _check_number())
        secret = _reveal_secret(change)
        change.after_save(lambda state: _begin(state["id"], secret))
    elif change.changes("is_active"):
        _turn_on_or_off(change)


def _turn_on_or_off(change: Change) -> None:
    if change["is_active"]:
        change.set(failures=0, disabled_reason=None)
        change.after_save(lambda state: _begin(state["id"]))
    else:
        change.after_save(lambda state: _give_up_deliveries(state["id"]))


def _check_events(change: Change) -> None:
    unknown = [name for name in change["events"] if name not in known_events()]
    if unknown:
        words = Message(
            "%(name)s is not a valid event. Valid events: %(names)s.",
            name=unknown[0],
            names=", ".join(known_events()),
        )
        change.refuse("events", "not_allowed", words)


def _check_number() -> None:
    advisory_lock("webhooks")
    with read_connection() as connection:
        if (
            connection.execute(select(func.count()).select_from(_webhooks)).scalar_one()
            > MAX_WEBHOOKS
        ):
            raise Conflict(
                Message(
                    "There can be at most %(limit)s webhooks. Delete one first.", limit=MAX_WEBHOOKS
                )
            )


def _reveal_secret(change: Change) -> str:
    """Create a secret that is shown only once."""
    secret = SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
    change.reveal(secret=secret)
    return secret


def _store_secret(id: int, secret: str) -> None:
    """Store a new secret; the previous one expires in a day, older ones now."""
    with transaction() as connection:
        own = _secrets.c.webhook_id == id
        connection.execute(delete(_secrets).where(own, _secrets.c.expires_at.is_not(None)))
        ends = now() + FORMER_SECRET_LASTS
        connection.execute(update(_secrets).where(own).values(expires_at=ends))
        sealed = seal(secret, _bound_to(id))
        connection.execute(insert(_secrets).values(webhook_id=id, sealed=sealed))


def _begin(id: int, secret: str | None = None) -> None:
    """Send a webhook the events from now on, signed with `secret` if it is new."""
    if secret is not None:
        _store_secret(id, secret)
    started = {"position": current_position().last, "failing_since": None}
    with transaction() as connection:
        connection.execute(update(_webhooks).where(_webhooks.c.id == id).values(started))


def _give_up_deliveries(id: int) -> None:
    table = REGISTRY["deliveries"].table
    waiting = (table.c.webhook_id == id, table.c.status == "pending")
    given_up = {"status": "failed", "next_attempt_at": None, "error": str(TURNED_OFF)}
    with transaction() as connection:
        connection.execute(update(table).where(*waiting).values(given_up))


def rotate_secret(change: Change) -> None:
    """Create a new secret. The previous one is valid for another 24 hours."""
    state = change.state or {}
    # the record does not change, and its revisions, which can be restored, contain no secret
    with transaction() as connection:
        _store_secret(state["id"], _reveal_secret(change))
        record_event(change.actor, change.verb, WEBHOOKS.path, change.id)
        rotated = event_row(WEBHOOKS, past_verb(WEBHOOKS, change.verb), state, [])
        insert_events(connection, [rotated])


def send_test(change: Change) -> None:
    """Send a test event."""
    if not change.before("is_active"):
        raise Conflict("This webhook is turned off. Turn it on first.")
    event = {"event": TEST_EVENT, "type": WEBHOOKS.path, "record_id": change.id}
    moment = {"event_at": change.moment, "next_attempt_at": change.moment}
    row = {"webhook_id": change.id, "record_version": change.before("version"), **event, **moment}
    with transaction() as connection:
        record_event(change.actor, change.verb, WEBHOOKS.path, change.id)
        change.reveal(delivery=add_deliveries(connection, [row])[0])


def add_deliveries(connection: Connection, rows: list[dict[str, Any]]) -> list[int]:
    """Add deliveries in the open transaction, each with an id for its receiver; return their own ids."""
    table = REGISTRY["deliveries"].table
    with_message_ids = [{"message_id": f"msg_{secrets.token_urlsafe(18)}", **row} for row in rows]
    returning = insert(table).returning(table.c.id, sort_by_parameter_order=True)
    return [int(id) for id in connection.execute(returning, with_message_ids).scalars()]


ADMIN = role("admin")

WEBHOOKS = Record(
    Webhook,
    path="webhooks",
    fields=[
        Shown("id", sort=True, filter=True),
        Editable("url", label="URL", help="Events are sent here by POST, as JSON, with a signature."),
        Editable("events", help="Such as posts.published, posts.* or *. One event per line."),
        Editable("description", help="Any name for the receiver of the events."),
        Editable("owner", filter=("id", "username"), default_from=actor_id,
                 help="Gets an email when the webhook is turned off after failures."),
        Editable("is_active", sort=True, filter=True, help="Nothing is sent while this is off."),
        ShownOnce("secret", help="The signing secret, shown only once, when it is created."),
        Shown("failures", counter=True, help="Failed attempts since the last success."),
        Shown("disabled_reason", help="Why it was turned off automatically."),
        Shown("created_at", sort=True, filter=True),
        Shown("updated_at", sort=True, filter=True),
        Shown("version"),
    ],
    access=Access(read=ADMIN, create=ADMIN, update=ADMIN, delete=ADMIN, panel=ADMIN),
    actions=[
        Action("test", send_test, ADMIN, title="Send a test", available=lambda s: s["is_active"]),
        Action("rotate_secret", rotate_secret, ADMIN, past="secret rotated", reveals=True),
    ],
    before_save=before_save,
    before_transaction=before_transaction,
    reference_fields=("id", "url"),
    title_field="url",
    section="System",
    tabs=(("Turned off", "is_active=false"),),
    api_key_access="",
    exported=False,
)  # fmt: skip

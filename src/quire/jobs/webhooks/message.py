"""The messages to webhooks: each event with its record, signed according to Standard Webhooks 1.0.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from typing import Any

import orjson
from standardwebhooks import Webhook as Signer

from quire.actor import Actor
from quire.config.version import VERSION
from quire.declare.clock import now, rfc3339
from quire.declare.record import REGISTRY
from quire.errors import NotFound
from quire.records.webhooks import signing_secrets
from quire.store.read import get_record

ADMINISTRATOR = Actor("admin")
"""The actor as whom records are read for sending."""


class NoSecret(Exception):
    """The secrets of a webhook are encrypted with another SECRET_KEY."""


def body_of(delivery: Any) -> bytes:
    """Return the body: the record as it is now, or null if it has been deleted."""
    data = {
        "type": delivery.type,
        "id": delivery.record_id,
        "version": delivery.record_version,
        "record": _record(delivery),
    }
    return orjson.dumps(
        {"type": delivery.event, "timestamp": rfc3339(delivery.event_at), "data": data}
    )


def _record(delivery: Any) -> dict[str, Any] | None:
    if delivery.event.endswith(".deleted"):
        return None
    record = REGISTRY[delivery.type]
    try:
        visible = get_record(record, ADMINISTRATOR, delivery.record_id)
    except NotFound:
        return None
    return record.default_values(visible)


def headers_of(delivery: Any, body: bytes) -> dict[str, str]:
    """Return the headers of an attempt, signed with each valid secret. Raises NoSecret."""
    secrets, moment, text = signing_secrets(delivery.webhook_id), now(), body.decode()
    if not secrets:
        raise NoSecret("The secret cannot be read: SECRET_KEY has changed. Rotate the secret.")
    signatures = [Signer(one).sign(delivery.message_id, moment, text) for one in secrets]
    return {
        "Content-Type": "application/json",
        "User-Agent": f"Quire/{VERSION}",
        "webhook-id": delivery.message_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(signatures),
    }

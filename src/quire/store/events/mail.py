"""Queues emails as outbox events with ids and addresses, never a secret.

A request only writes the row, in the transaction that the mail is about; the worker creates the link
in a mail when it sends it.
"""

from quire.store.events import outbox
from quire.store.events.outbox import NOBODY

MAIL = "mail"
"""The type of mail events."""


def enqueue_mail(kind: str, user_id: int = NOBODY, **data: object) -> None:
    """Queue an email, in the open transaction if there is one; NOBODY if only an address is known."""
    outbox.enqueue(f"{MAIL}.{kind}", user_id, **data)

"""Emails to send: outbox events with ids and addresses, never a secret.

A request only writes the row, in the transaction of what the mail is about; the worker makes the link
of a mail when it sends it.
"""

from quire.store import outbox
from quire.store.outbox import NOBODY

MAIL = "mail"
"""The type of rows that are mails."""


def enqueue_mail(kind: str, user_id: int = NOBODY, **data: object) -> None:
    """Owe a mail, in the open transaction if there is one; NOBODY where only an address is known."""
    outbox.enqueue(f"{MAIL}.{kind}", user_id, **data)

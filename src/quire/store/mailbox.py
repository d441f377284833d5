"""Mails that are owed: rows of the outbox, which a worker claims, sends and removes.

A request only writes the row, in the transaction of what the mail is about. Rows hold ids and
addresses, never a secret: the worker makes the link of a mail when it sends it.
"""

import threading
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, literal_column, select, update

from quire.declare.clock import now
from quire.store.db import once_committed, reading, transaction
from quire.store.outbox import MAIL, OutboxEvent, keep

LEASE_SECONDS = 600
"""How long whoever claimed a mail has time to send it, before somebody else may try."""
NOBODY = 0
"""The id in rows about an address, to which perhaps no account belongs."""

owed_here = threading.Event()
"""Set when this process owes a mail: its worker need not wait for its next look."""

_rows = OutboxEvent.__table__
# not a parameter: only with the word itself do databases use the index of mails
_is_mail = _rows.c.type == literal_column(f"'{MAIL}'")


@dataclass(frozen=True)
class Owed:
    """A mail that somebody has claimed: its kind, whom it is about, what else it needs."""

    id: int
    kind: str
    user_id: int
    data: dict[str, Any]
    attempts: int


def owe(kind: str, user_id: int = NOBODY, **data: Any) -> None:
    """Owe a mail, in the open transaction if there is one."""
    row = {
        "event": f"{MAIL}.{kind}",
        "type": MAIL,
        "record_id": user_id,
        "version": None,
        "data": data,
    }
    with transaction() as connection:
        keep(connection, [row])
        once_committed(owed_here.set)


def claim() -> Owed | None:
    """The next mail that is due, which nobody else sends meanwhile; None when there is none."""
    while (row := _next_due()) is not None:
        if _taken(row):
            kind = row.event.removeprefix(f"{MAIL}.")
            return Owed(row.id, kind, row.record_id, row.data, row.attempts + 1)
    return None


def _next_due() -> Any:
    wanted = select(_rows).where(_is_mail, _rows.c.not_before <= now())
    with reading() as connection:
        return connection.execute(wanted.order_by(_rows.c.not_before, _rows.c.id).limit(1)).first()


def _taken(row: Any) -> bool:
    """Whether this worker is the one who claimed it: each claim counts an attempt."""
    here = (_rows.c.id == row.id, _rows.c.attempts == row.attempts)
    values = {"attempts": row.attempts + 1, "not_before": now() + timedelta(seconds=LEASE_SECONDS)}
    with transaction() as connection:
        return connection.execute(update(_rows).where(*here).values(values)).rowcount == 1


def done(owed: Owed) -> None:
    """Forget a mail: it was sent, or will never be."""
    with transaction() as connection:
        connection.execute(delete(_rows).where(_rows.c.id == owed.id))


def postpone(owed: Owed, seconds: int) -> None:
    """Let a mail be tried again later."""
    later = now() + timedelta(seconds=seconds)
    with transaction() as connection:
        connection.execute(update(_rows).where(_rows.c.id == owed.id).values(not_before=later))

"""Preview links: who has one sees a record as it will be, for a while, whoever he is.

A link is signed and names a record and its mark (store/previews.py); with the mark all links end.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import current_app
from itsdangerous import BadData, URLSafeTimedSerializer

from quire.actor import Actor
from quire.declare.clock import now
from quire.declare.record import REGISTRY, Record
from quire.errors import Missing
from quire.store import previews, rows
from quire.store.audit import note
from quire.store.db import reading, transaction
from quire.store.inputs import refuse_trashed
from quire.store.write import pass_door

PATH = "/preview/"
ENDED = "This preview link has ended or is incomplete. Ask whoever sent it for a new one."
QUIET = {"Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex", "Cache-Control": "no-store"}
"""Headers of what such a link opens: the address is the secret."""


@dataclass(frozen=True)
class Link:
    """A new preview link: its path on this site, and when it ends."""

    path: str
    expires_at: datetime


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.config["SECRET_KEY"], salt="quire: preview")


def make(record: Record, actor: Actor, id: int) -> Link:
    """A link to a record. Raises Unproven, Refused, Missing, Conflict (in the trash)."""
    pass_door(record.access.update, actor)
    until = now() + timedelta(seconds=current_app.config["PREVIEW_LINK_SECONDS"])
    with transaction() as connection:
        state = rows.find(connection, record, actor, id, record.access.update).state
        refuse_trashed(record, state)
        mark = previews.marked(connection, record, id, until)
        note(actor, "preview", record.path, id)
    token = _signer().dumps([record.path, id, mark])
    return Link(PATH + str(token), until)


def end(record: Record, actor: Actor, id: int) -> None:
    """End all links to a record. Raises Unproven, Refused, Missing."""
    pass_door(record.access.update, actor)
    with transaction() as connection:
        rows.find(connection, record, actor, id, record.access.update)
        if previews.forget(connection, record, id):
            note(actor, "end_previews", record.path, id)


def opened(token: str) -> tuple[Record, int]:
    """What a good link leads to. Raises Missing for one that has ended, or never was one."""
    try:
        path, id, mark = _signer().loads(token, current_app.config["PREVIEW_LINK_SECONDS"])
    except BadData:
        raise Missing(ENDED, headers=QUIET) from None
    record: Record = REGISTRY[path]
    with reading() as connection:
        if previews.mark_of(connection, record, id) != mark:
            raise Missing(ENDED, headers=QUIET)
    return record, id

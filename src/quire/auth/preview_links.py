"""Preview links: anyone with the link sees the draft of a record until the link expires.

A link is signed and contains the record and its mark (store/preview_links.py); deleting the mark revokes all links.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import current_app
from itsdangerous import BadData, URLSafeTimedSerializer

from quire.actor import Actor
from quire.declare.clock import now
from quire.declare.record import REGISTRY, Record
from quire.declare.rules import require_possible
from quire.errors import NotFound
from quire.store import preview_links
from quire.store.audit import record_event
from quire.store.changes import rows
from quire.store.changes.preconditions import refuse_trashed
from quire.store.db import read_connection, transaction

PATH = "/preview/"
EXPIRED_MESSAGE = (
    "This preview link has expired or is incomplete. Ask the person who sent it for a new one."
)
PRIVATE_HEADERS = {
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
    "Cache-Control": "no-store",
}
"""Headers of a preview: its URL is a secret."""


@dataclass(frozen=True)
class PreviewLink:
    """A new preview link: its path, and when it expires."""

    path: str
    expires_at: datetime


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.config["SECRET_KEY"], salt="quire: preview")


def create_link(record: Record, actor: Actor, id: int) -> PreviewLink:
    """Create a link to a record. Raises Unauthenticated, PermissionDenied, NotFound, Conflict (if in the trash)."""
    require_possible(record.access.update, actor)
    moment = now()
    until = moment + timedelta(seconds=current_app.config["PREVIEW_LINK_SECONDS"])
    with transaction() as connection:
        state = rows.load_for_update(connection, record, actor, id, record.access.update).state
        refuse_trashed(record, state)
        mark = preview_links.extend_mark(connection, record, id, moment, until)
        record_event(actor, "preview", record.path, id)
    token = _signer().dumps([record.path, id, mark])
    return PreviewLink(PATH + str(token), until)


def revoke_links(record: Record, actor: Actor, id: int) -> None:
    """Revoke all links to a record. Raises Unauthenticated, PermissionDenied, NotFound."""
    require_possible(record.access.update, actor)
    with transaction() as connection:
        rows.load_for_update(connection, record, actor, id, record.access.update)
        if preview_links.delete_mark(connection, record, id):
            record_event(actor, "end_previews", record.path, id)


def resolve(token: str) -> tuple[Record, int]:
    """Return the record of a valid link. Raises NotFound if the link is expired or invalid."""
    try:
        path, id, mark = _signer().loads(token, current_app.config["PREVIEW_LINK_SECONDS"])
    except BadData:
        raise NotFound(EXPIRED_MESSAGE, headers=PRIVATE_HEADERS) from None
    record: Record = REGISTRY[path]
    with read_connection() as connection:
        if preview_links.mark_of(connection, record, id) != mark:
            raise NotFound(EXPIRED_MESSAGE, headers=PRIVATE_HEADERS)
    return record, id

"""Revisions: what records held at each of their versions."""

from quire.declare.fields import Shown
from quire.declare.record import Access, Record
from quire.declare.rules import role
from quire.store.revisions import Revision

REVISIONS = Record(
    Revision,
    path="revisions",
    fields=[
        Shown("id", sort=True, filter=True),
        Shown("type", sort=True, filter=True),
        Shown("record_id", sort=True, filter=True),
        Shown("version", sort=True, filter=True),
        Shown("action", filter=True),
        Shown("actor", filter=("id", "username")),
        Shown("created_at", sort=True, filter=True),
        Shown("data"),
    ],
    access=Access(read=role("admin"), panel=role("admin")),
    title="type",
    section="System",
    portable=False,
)

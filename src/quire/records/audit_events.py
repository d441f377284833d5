"""Audit events: who did what, read by administrators, changed by nobody."""

from quire.declare.fields import Shown
from quire.declare.record import Access, Record
from quire.declare.rules import role
from quire.store.audit import AuditEvent

AUDIT_EVENTS = Record(
    AuditEvent,
    path="audit_events",
    fields=[
        Shown("id", sort=True, filter=True),
        Shown("action", sort=True, filter=True),
        Shown("type", sort=True, filter=True),
        Shown("record_id", sort=True, filter=True),
        Shown("actor", filter=("id", "username")),
        Shown("fields"),
        Shown("door", filter=True),
        Shown("proof"),
        Shown("ip", filter=True),
        Shown("request_id"),
        Shown("created_at", sort=True, filter=True),
    ],
    access=Access(read=role("admin"), panel=role("admin")),
    title="action",
    order=("-id",),
    section="System",
    portable=False,
)

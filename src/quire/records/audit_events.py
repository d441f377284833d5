"""Audit events: who did what; administrators read them, and nobody changes them."""

from quire.declare.fields import Shown
from quire.declare.record import Access, Record
from quire.declare.rules import role
from quire.store.audit import AuditEvent

AUDIT_EVENTS = Record(
    AuditEvent,
    path="audit_events",
    newest_first=True,
    fields=[
        Shown("id", sort=True, filter=True),
        Shown("action", sort=True, filter=True),
        Shown("type", sort=True, filter=True, example="posts"),
        Shown("record_id", sort=True, filter=True, label="Record ID"),
        Shown("record_version", on_request=True),
        Shown("actor", filter=("id", "username")),
        Shown("fields"),
        Shown("door", filter=True, label="Interface"),
        Shown("proof", label="Authentication"),
        Shown("ip", filter=True, label="IP address"),
        Shown("request_id", label="Request ID"),
        Shown("created_at", sort=True, filter=True),
    ],
    access=Access(read=role("admin"), panel=role("admin")),
    title_field="action",
    section="System",
    exported=False,
)

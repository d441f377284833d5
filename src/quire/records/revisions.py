"""Revisions: the state of records at each version."""

from typing import Any

from quire.actor import Actor
from quire.declare.fields import Shown
from quire.declare.markdown import plain_words
from quire.declare.record import REGISTRY, Access, Record
from quire.declare.rules import Answer, Rule, all_of, role
from quire.store.revisions import Revision
from quire.translations.messages import Message

_revisions = Revision.__table__.c


def _of_scoped_types(actor: Actor) -> Answer:
    """Revisions show whole records, so an API key sees those of the types in its scopes."""
    if actor.scopes is None:
        return True
    return _revisions.type.in_(
        [t.path for t in REGISTRY.values() if actor.has_scope(t.scope("read"))]
    )


READ = all_of(
    role("admin"), Rule(_of_scoped_types, "a scope for the record’s type", any_scope=True)
)


def title(state: dict[str, Any]) -> str:
    """Return the type and the title that the record has in a revision: `Tag “boats”`."""
    record, data = REGISTRY.get(state.get("type") or ""), state.get("data") or {}
    value = data.get(record.title_field) if record else None
    if record is None or not value or not isinstance(value, str):
        return ""
    if record.field(record.title_field).kind.widget == "markdown":
        value = plain_words(value)
    return Message("%(type)s “%(title)s”", type=Message(record.singular), title=value)


REVISIONS = Record(
    Revision,
    path="revisions",
    newest_first=True,
    fields=[
        Shown("id", sort=True, filter=True),
        Shown("type", sort=True, filter=True, example="posts"),
        Shown("record_id", sort=True, filter=True, label="Record ID"),
        Shown("version", sort=True, filter=True),
        Shown("action", filter=True),
        Shown("actor", filter=("id", "username")),
        Shown("created_at", sort=True, filter=True),
        Shown("data", example={"title": "Hello, world"}),
    ],
    access=Access(read=READ, panel=READ),
    title_field="type",
    title=title,
    section="System",
    exported=False,
)

"""Which fields an actor may set, on creation and on change."""

from functools import lru_cache

from quire.actor import Actor
from quire.declare.fields import Field
from quire.declare.pydantic_models import NEW
from quire.declare.record import Record


def is_settable(field: Field, actor: Actor, form: str) -> bool:
    """Whether `actor` may set `field`; the program itself may set everything stored."""
    if actor.is_system:
        stored = field.is_stored or field.many is not None
        return (stored and field.name not in ("id", "version")) or _is_passed_to_hook(field, form)
    return _is_passed_to_hook(field, form) and field.write_rule(actor) is True


def _is_passed_to_hook(field: Field, form: str) -> bool:
    return field.on_create if form == NEW else field.on_update


@lru_cache(500)
def settable_fields(record: Record, actor: Actor, form: str) -> frozenset[str]:
    """Return the names of the fields that all actors with this one's role and scopes may set."""
    return frozenset(one.name for one in record.fields if is_settable(one, actor, form))

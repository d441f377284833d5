"""A change before it is written: state, new values, actor. Hooks, defaults and actions receive it."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from quire.actor import Actor
from quire.declare.clock import now, rfc3339
from quire.errors import Detail, ValidationFailed, detail

if TYPE_CHECKING:
    from quire.declare.fields import Field
    from quire.declare.record import Record


class Change:
    """A record's state before the change (JSON values, None if it is new) and its new values.

    `verb` is create, update, delete or the name of an action. A hook reads with `change["title"]` (the value after
    the change, as in JSON), sets with `change.set(...)`, rejects a field with `change.refuse(...)`, and continues
    in the same transaction with `change.after_save(...)`; `change.prepared` is what the record's
    `before_transaction` returned. `new_row` contains the columns of a new record once it is inserted.
    """

    def __init__(
        self,
        record: "Record",
        actor: Actor,
        verb: str,
        state: dict[str, Any] | None = None,
        values: dict[str, Any] | None = None,
        prepared: dict[str, Any] | None = None,
        moment: datetime | None = None,
    ):
        self.record, self.actor, self.verb = record, actor, verb
        self.state = state
        self.values = dict(values or {})
        self.prepared = prepared or {}
        self.moment = moment or now()
        self.bad_fields: list[Detail] = []
        self.after_save_callbacks: list[Callable[[Any], object]] = []
        self.revealed_values: dict[str, Any] = {}
        self.notices: list[str] = []
        self.filled_fields: set[str] = set()
        self.id: int | None = state["id"] if state else None
        self.new_row: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        """The value after the change, as in JSON; references are ids or small objects."""
        if name in self.values:
            value = self.values[name]
            return None if value is None else self.record.field(name).kind.value_out(value)
        return self.before(name)

    def before(self, name: str) -> Any:
        """The value before the change; None for a new record."""
        return self.state.get(name) if self.state else None

    def reference(self, name: str) -> int | None:
        """The id in the reference `name` after the change."""
        value = self[name]
        return value["id"] if isinstance(value, dict) else value

    def changes(self, name: str) -> bool:
        """Whether the change gives `name` another value."""
        return name in self.values and self[name] != self.before(name)

    def alters(self, field: "Field") -> bool:
        """Whether any stored field gets another value; secrets always do."""
        if not field.is_stored and field.many is None:
            return False
        if not field.readable:
            return True
        old, new = self.before(field.name), self[field.name]
        if field.many is not None:
            return {one["id"] for one in old or []} != set(self.values[field.name])
        return bool((old["id"] if isinstance(old, dict) and field.target else old) != new)

    def set(self, **values: Any) -> None:
        """Set fields to Python values, as their columns accept them."""
        self.values.update(values)

    def fill(self, name: str) -> None:
        """Set the field `name` to its `default_from` value."""
        self.values[name] = self.record.field(name).default_from(self)  # type: ignore[misc]
        self.filled_fields.add(name)

    def pop(self, name: str) -> Any:
        """Remove and return a new value; None if there is none."""
        return self.values.pop(name, None)

    def reveal(self, **values: Any) -> None:
        """Show values once, in the response to the change, without storing them."""
        self.revealed_values.update(values)

    def refuse(self, field: str, code: str, message: str) -> None:
        """Reject a field; `check` raises all rejections together."""
        self.bad_fields.append(detail(field, code, message))

    def check(self) -> None:
        """Raise ValidationFailed if fields were rejected."""
        if self.bad_fields:
            raise ValidationFailed(self.bad_fields)

    def after_save(self, callback: Callable[[Any], object]) -> None:
        """Call `callback(state)` when this is written, in the same transaction; the state is None after a deletion."""
        self.after_save_callbacks.append(callback)

    @property
    def time(self) -> str:
        """The time of this change, as in JSON."""
        return rfc3339(self.moment)


def actor_id(change: Change) -> int | None:
    """For `default_from`: the user who creates the record."""
    return change.actor.user_id

"""One change on its way: what was, what is asked for, who asks; hooks, fills and actions see this."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from quire.actor import Actor
from quire.declare.clock import now, rfc3339
from quire.errors import Detail, Invalid, detail

if TYPE_CHECKING:
    from quire.declare.record import Record


class Change:
    """A record's state before (JSON values, None when new) and the values it is given.

    `verb` is create, update, delete or the name of an action. A hook reads with `change["title"]`
    (the value after the change, as JSON has it), sets with `change.set(...)`, refuses one field
    with `change.refuse(...)`, and goes on in the same transaction with `change.afterwards(...)`;
    `change.ready` is what the record's `ahead` has made.
    """

    def __init__(
        self,
        record: "Record",
        actor: Actor,
        verb: str,
        state: dict[str, Any] | None = None,
        values: dict[str, Any] | None = None,
        ready: dict[str, Any] | None = None,
    ):
        self.record, self.actor, self.verb = record, actor, verb
        self.state = state
        self.values = dict(values or {})
        self.ready = ready or {}
        self.moment = now()
        self.bad: list[Detail] = []
        self.followups: list[Callable[[Any], object]] = []
        self.revealed: dict[str, Any] = {}
        self.id: int | None = state["id"] if state else None

    def __getitem__(self, name: str) -> Any:
        """The value after the change, as JSON has it; references are ids or small objects."""
        if name in self.values:
            value = self.values[name]
            return None if value is None else self.record.field(name).kind.value_out(value)
        return self.before(name)

    def before(self, name: str) -> Any:
        """The value before the change, None for a new record."""
        return self.state.get(name) if self.state else None

    def reference(self, name: str) -> int | None:
        """The id that the reference `name` holds after the change."""
        value = self[name]
        return value["id"] if isinstance(value, dict) else value

    def gives(self, name: str) -> bool:
        """Whether the change gives `name` a value other than it had."""
        return name in self.values and self[name] != self.before(name)

    def set(self, **values: Any) -> None:
        """Give fields values: Python values, as their columns take them."""
        self.values.update(values)

    def take(self, name: str) -> Any:
        """Remove and return a given value, None when it was not given."""
        return self.values.pop(name, None)

    def reveal(self, **values: Any) -> None:
        """Show values this once, in the answer to the change; they are not stored."""
        self.revealed.update(values)

    def refuse(self, field: str, code: str, message: str) -> None:
        """Note a bad field; all of them are raised together by `check`."""
        self.bad.append(detail(field, code, message))

    def check(self) -> None:
        """Raise Invalid when fields were refused."""
        if self.bad:
            raise Invalid(self.bad)

    def afterwards(self, follow: Callable[[Any], object]) -> None:
        """Call `follow(state)` when this is written, in the same transaction; None when deleted."""
        self.followups.append(follow)

    @property
    def time(self) -> str:
        """The moment of this change as JSON has it."""
        return rfc3339(self.moment)

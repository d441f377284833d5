"""Action: a verb of a record type beyond create, update and delete, declared once for every interface."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from quire.declare.change import Change
from quire.declare.deprecation import Deprecation
from quire.declare.kinds import Kind
from quire.declare.labels import label_of
from quire.declare.rules import Rule


def _always_available(state: dict[str, Any]) -> bool:
    """The `available` of actions that suit every record."""
    return True


@dataclass(frozen=True)
class Action:
    """A verb beyond create, update and delete: a route, a button, an OpenAPI path, an audit word.

    `run(change)` sets values or raises Conflict when the state does not fit; setting nothing means
    there is nothing to do. `inputs` are optional values by name. With `creates` it returns the raw
    values of a new record, made for the actor. With `takes_draft` the values of the record's
    draft, if it has one, are those of the change, and the draft goes. `available(state)`: whether
    it is of use to a record; where not, the panel leaves its button out. `title` is what stands on
    the button, the name by default; `past` what has happened when it is done, where that is not
    `name` with -ed. With `reveals` its answer shows once what the record shows once. `deprecated`:
    that it will go, and what to use instead.
    """

    name: str
    run: Callable[[Change], dict[str, Any] | None]
    allow: Rule
    inputs: tuple[tuple[str, Kind], ...] = ()
    creates: bool = False
    in_trash: bool = False
    takes_draft: bool = False
    available: Callable[[dict[str, Any]], bool] = _always_available
    title: str = ""
    past: str = ""
    reveals: bool = False
    deprecated: Deprecation | None = None

    @property
    def label(self) -> str:
        """What stands on its button."""
        return self.title or label_of(self.name)

    @property
    def summary(self) -> str:
        """The first line of what it does."""
        return (self.run.__doc__ or self.label).strip().splitlines()[0]

    @property
    def past_tense(self) -> str:
        """What has been done to a record, in words: `approved`, `marked as spam`."""
        return self.past or f"{self.name.removesuffix('e')}ed"

    @property
    def event(self) -> str:
        """The same as one word, for the names of events: `marked_as_spam`."""
        return self.past_tense.replace(" ", "_")

"""Action: an operation of a record type beyond create, update and delete, declared once for every interface; and
Moderation: which actions decide about a record.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from quire.declare.change import Change
from quire.declare.deprecation import Deprecation
from quire.declare.labels import label_of
from quire.declare.rules import Rule
from quire.declare.value_kinds import Kind


def _always_available(state: dict[str, Any]) -> bool:
    """The default of `available`: every record is suitable."""
    return True


@dataclass(frozen=True)
class Action:
    """An operation beyond create, update and delete: a route, a button, an OpenAPI path, an audit event.

    `run(change)` sets values, or raises Conflict if the record is in the wrong state; setting nothing
    changes nothing. `inputs` are optional values by name. With `creates`, `run` returns the raw values
    of a new record. With `takes_draft`, the change contains the values of the record's draft, if any,
    which is then deleted. `available(state)` tells whether to offer it on a record. `title` is the text
    of its button, by default the name; `past` is its past tense if that is not `name` with -ed. With
    `takes_seconds`, the panel shows progress and answers other requests meanwhile. With `reveals`, the
    response contains values that are shown once. `deprecated` says what to use instead.
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
    takes_seconds: bool = False
    reveals: bool = False
    deprecated: Deprecation | None = None

    @property
    def label(self) -> str:
        """The text on its button."""
        return self.title or label_of(self.name)

    @property
    def takes_file(self) -> bool:
        """Whether it needs a file, so that a button alone cannot run it."""
        return any(kind.widget == "file" for _, kind in self.inputs)

    @property
    def summary(self) -> str:
        """The first line of its description."""
        return (self.run.__doc__ or self.label).strip().splitlines()[0]

    @property
    def past_tense(self) -> str:
        """What has been done to a record: `approved`, `marked as spam`."""
        return self.past or f"{self.name.removesuffix('e')}ed"

    @property
    def event(self) -> str:
        """The same as one word for names of events: `marked_as_spam`."""
        return self.past_tense.replace(" ", "_")


@dataclass(frozen=True)
class Moderation:
    """How records of a type are moderated; with it, the panel has a queue of them.

    Records whose `status` is `waiting` wait for a decision. `accept` and `reject` are the actions that decide,
    `undecide` the one that returns a record to the queue. `about` is the reference to what a record belongs to,
    `reply_to` the one to the record of its own type that it replies to, `author` the one to its author; `text` is
    the field to read, `html` the same as HTML.
    """

    waiting: str
    accept: str
    reject: str
    undecide: str
    about: str
    reply_to: str
    author: str
    text: str
    html: str

    @property
    def actions(self) -> tuple[str, ...]:
        """The actions that decide."""
        return self.accept, self.reject, self.undecide

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that are needed."""
        return "status", self.about, self.reply_to, self.author, self.text, self.html

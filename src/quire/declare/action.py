"""Action: a verb of a record type beyond create, update and delete, declared once for every interface; and
Moderation: which of them decide about a record."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from quire.declare.change import Change
from quire.declare.deprecation import Deprecation
from quire.declare.labels import label_of
from quire.declare.rules import Rule
from quire.declare.value_kinds import Kind


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
    `name` with -ed. With `takes_seconds` the panel answers others meanwhile, and tells that it works. With `reveals` its answer shows once what the record shows once. `deprecated`:
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
    takes_seconds: bool = False
    reveals: bool = False
    deprecated: Deprecation | None = None

    @property
    def label(self) -> str:
        """What stands on its button."""
        return self.title or label_of(self.name)

    @property
    def takes_file(self) -> bool:
        """Whether it needs a file, so that a button alone cannot run it."""
        return any(kind.widget == "file" for _, kind in self.inputs)

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


@dataclass(frozen=True)
class Moderation:
    """How records of a type wait for a decision; with it the panel has a queue of them.

    Those whose `status` is `waiting` wait. `accept` and `reject` are the actions that decide, `undecide`
    the one that lets a record wait again. `about` is the reference to what it stands under, `reply_to`
    the one to the record of its own type that it answers, `author` the one to who wrote it; `text` is
    the field that is read, `html` the same as HTML.
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

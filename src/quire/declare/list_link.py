"""ListLink: a list of the panel that a record describes, and that its row links to."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from quire.actor import Actor


@dataclass(frozen=True)
class ListLink:
    """A list that a record of another type describes, as a saved view does.

    `label` is the text of the link; `target(actor, state)` returns the path of the type whose list it is, with the
    parameters of its URL, or None if this actor cannot open it.
    """

    label: str
    target: Callable[[Actor, dict[str, Any]], tuple[str, list[tuple[str, str]]] | None]

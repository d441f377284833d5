"""ListLink: a list of the panel that a record stands for, and that opens from its row."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from quire.actor import Actor


@dataclass(frozen=True)
class ListLink:
    """A list that a record of another type opens, as a saved view does.

    `label` is what the link says; `target(actor, state)` is the path of the type whose list it is, with the
    parameters of its address, or None where this actor cannot open it.
    """

    label: str
    target: Callable[[Actor, dict[str, Any]], tuple[str, list[tuple[str, str]]] | None]

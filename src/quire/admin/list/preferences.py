"""A person's preferences for lists: columns, layout, default view, density."""

from dataclasses import dataclass
from typing import Any

from quire.actor import Actor
from quire.declare.query import Query
from quire.declare.query_conditions import Condition
from quire.declare.record import Record
from quire.records import PROFILES
from quire.store import read, write
from quire.store.cache import cached_until_commit

CHOSEN_COLUMNS, DEFAULT_VIEW, LAYOUT = "list_columns", "default_views", "list_layouts"
"""The fields of a profile that store preferences by the path of a record type."""
DENSITY = "density"
"""The field that stores the density of all lists."""
GRID = "grid"


def layouts_of(record: Record) -> tuple[str, ...]:
    """The layouts for a type, the default first; for images also a grid."""
    return ("list", GRID) if "variants" in record.fields_by_name else ("list",)


@dataclass(frozen=True)
class Preferences:
    """The preferences of one person; `profile` is where they are stored, None if there is none."""

    profile: dict[str, Any] | None

    def of_list(self, record: Record, name: str) -> Any:
        """The preferences for the list of a type; None if there are none."""
        stored = (self.profile or {}).get(name)
        return stored.get(record.path) if isinstance(stored, dict) else None

    @property
    def is_compact(self) -> bool:
        """Whether lists are compact."""
        return (self.profile or {}).get(DENSITY) == "compact"

    def layout_of(self, record: Record) -> str:
        """The layout of the list of a type."""
        chosen = self.of_list(record, LAYOUT)
        return chosen if chosen in layouts_of(record) else layouts_of(record)[0]

    def save(self, record: Record, actor: Actor, name: str, value: Any) -> None:
        """Save a preference for the list of a type; None is the default."""
        if self.profile is None:
            return
        stored = {**(self.profile.get(name) or {}), record.path: value}
        kept = {path: one for path, one in stored.items() if one is not None}
        write.update(PROFILES, actor.as_system(), self.profile["id"], {name: kept})

    def save_density(self, actor: Actor, density: str) -> None:
        """Save the density of lists."""
        if self.profile is not None and self.profile.get(DENSITY) != density:
            write.update(PROFILES, actor, self.profile["id"], {DENSITY: density})


def preferences_of(actor: Actor) -> Preferences:
    """The preferences of the current user."""
    mine = (Condition("user", "eq", (actor.user_id,)),)
    fields = ("id", CHOSEN_COLUMNS, DEFAULT_VIEW, LAYOUT, DENSITY)
    query = Query(conditions=mine, fields=fields, per_page=1, count=False)
    rows = cached_until_commit(
        ("choices for lists", actor.user_id),
        lambda: read.list_records(PROFILES, actor, query).rows,
    )
    return Preferences(rows[0] if rows else None)

"""Parses what the records of a list are counted by: a field, or the year, month or day of a time."""

from dataclasses import dataclass

from quire.actor import Actor
from quire.declare.fields import Field
from quire.declare.query_fields import filter_paths
from quire.declare.record import Record, record_of
from quire.errors import invalid_parameter, unknown_parameter

PERIODS = {"year": 4, "month": 7, "day": 10}
"""Periods with the number of leading characters that their times have in common in RFC 3339."""


@dataclass(frozen=True)
class Grouping:
    """A path that can be filtered, such as `author` or `tags.name`, and a word of PERIODS."""

    path: str
    period: str | None = None

    def fields(self, record: Record) -> tuple[Field, Field]:
        """Return the field of `record` that it begins with, and the one whose values it groups by."""
        head, _, sub = self.path.partition(".")
        own = record.field(head)
        return own, record_of(own.target or "").field(sub) if sub else own


def parse_grouping(record: Record, actor: Actor, text: str) -> Grouping:
    """Parse `by`, which may name only what `actor` may filter by. Raises BadRequest."""
    path, mark, period = text.partition(":")
    paths = filter_paths(record, actor)
    if path not in paths:
        raise unknown_parameter(path, "field to count by", paths)
    if not mark:
        return Grouping(path)
    if period not in PERIODS or not has_periods(paths[path]):
        words = " or ".join(f"{name}:month" for name, one in paths.items() if has_periods(one))
        raise invalid_parameter("by", f"by takes a field, or a period such as {words}.")
    return Grouping(path, period)


def has_periods(field: Field) -> bool:
    """Whether its values are times or dates."""
    return field.kind.name in ("time", "day")

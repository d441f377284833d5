"""The conditions of a query: comparisons, and groups of which all, any or none must match."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pydantic_core import PydanticCustomError

from quire.declare.fields import Field
from quire.declare.query_fields import TEXT_OPERATORS, operators_of
from quire.declare.record import record_of
from quire.declare.value_kinds import FLAG, Kind
from quire.errors import BadRequest, invalid_parameter, unknown_parameter

MAX_VALUES = 100


class ConditionShape(NamedTuple):
    """What the SQL of a comparison depends on: `form` is the number of its values; for isnull, whether null is
    wanted.
    """

    path: str
    operator: str
    form: int

    @property
    def field(self) -> str:
        """The name of the record's own field, such as `tags` in `tags.name`."""
        return self.path.partition(".")[0]


class GroupShape(NamedTuple):
    """What the SQL of a group depends on."""

    kind: str
    parts: tuple["ConditionShape | GroupShape", ...]


Shape = ConditionShape | GroupShape
"""What the SQL of a condition depends on: everything except the values."""


@dataclass(frozen=True)
class Condition:
    """One comparison: a path such as `tags.name`, one of OPERATORS, and the values."""

    path: str
    operator: str
    values: tuple[Any, ...]

    @property
    def shape(self) -> ConditionShape:
        """What its SQL depends on."""
        form = self.values[0] if self.operator == "isnull" else len(self.values)
        return ConditionShape(self.path, self.operator, form)


@dataclass(frozen=True)
class Group:
    """Conditions of which all, any or, for `kind` "not", not all must match."""

    kind: str
    parts: tuple["Condition | Group", ...]

    @property
    def shape(self) -> GroupShape:
        """What its SQL depends on."""
        return GroupShape(self.kind, tuple(part.shape for part in self.parts))


def comparisons(conditions: Iterable[Condition | Group]) -> Iterator[Condition]:
    """Return the comparisons in conditions, from left to right."""
    for one in conditions:
        if isinstance(one, Group):
            yield from comparisons(one.parts)
        else:
            yield one


class Comparison(NamedTuple):
    """The parsed name of a filter such as `tags.name__in`: its values are those of `field`."""

    name: str
    path: str
    operator: str
    field: Field

    @property
    def takes_list(self) -> bool:
        """Whether it compares with several values."""
        return self.operator in ("in", "nin")


def parse_name(name: str, paths: Mapping[str, Field], others: Sequence[str]) -> Comparison:
    """Parse a filter's name, which must be one that `paths` allow. Raises BadRequest.

    `others` are the other names that are accepted.
    """
    path, mark, operator = name.partition("__")
    if path not in paths or (mark and not operator):
        raise unknown_parameter(name, "parameter", [*paths, *others])
    comparison = Comparison(name, path, operator or "eq", paths[path])
    allowed = operators_of(comparison.field)
    if comparison.operator not in allowed:
        raise unknown_parameter(name, "filter", (f"{path}__{word}" for word in allowed))
    return comparison


def parse_flag(name: str, text: str) -> bool:
    """Parse a parameter that is true or false. Raises BadRequest."""
    return bool(_parse_value(name, text, FLAG))


def parse_condition(
    comparison: Comparison, texts: Sequence[str], paths: Mapping[str, Field]
) -> Condition:
    """Parse a condition that compares with the values in `texts`. Raises BadRequest."""
    name, path, operator, field = comparison
    if operator == "isnull":
        return Condition(path, operator, (parse_flag(name, texts[0]),))
    if len(texts) > MAX_VALUES:
        raise invalid_parameter(name, f"{name} takes at most {MAX_VALUES} values.")
    try:
        values = tuple(_value(name, operator, part, field) for part in texts)
    except BadRequest as error:
        raise invalid_parameter(name, error.message + _hint(path, field, paths)) from None
    return Condition(path, operator, values)


def _hint(path: str, field: Field, paths: Mapping[str, Field]) -> str:
    """Explain how to name records of another type, if not by id."""
    key = f"{path}.{record_of(field.target).key}" if field.target else ""
    return f" It takes IDs; to filter by name, use {key}." if key in paths else ""


def _value(name: str, operator: str, text: str, field: Field) -> Any:
    value = _parse_value(name, text, field.kind)
    if field.choices and operator not in TEXT_OPERATORS and value not in field.choices:
        raise invalid_parameter(name, f"{name} must be one of: {', '.join(field.choices)}.")
    return value


def _parse_value(name: str, text: str, kind: Kind) -> Any:
    try:
        return kind.from_text(text)
    except PydanticCustomError as error:
        raise invalid_parameter(name, f"{name} {error.message()}") from None
    except ValueError:
        raise invalid_parameter(name, f"{name} cannot be {text[:50]!r}.") from None

"""Filters in NQL, Ghost's query language, as conditions: `tag:news+featured:false,slug:[a,b]`.

`,` means or; `+` means and, and binds more tightly; parentheses group. A value can be preceded by
`-` (not), `>`, `>=`, `<`, `<=`, `~` (contains), `~^` (begins with) or `~$` (ends with).
See https://github.com/TryGhost/NQL.
"""

import re
from collections.abc import Callable, Mapping

from quire.actor import ANONYMOUS
from quire.declare.query_conditions import Condition, Group, parse_condition, parse_name
from quire.declare.query_fields import filter_paths
from quire.declare.record import Record
from quire.errors import BadRequest, invalid_parameter

NAME = "filter"
MAX_COMPARISONS, MAX_DEPTH, MAX_LENGTH = 50, 5, 2000
OPERATORS = {
    "": "eq", "-": "ne", ">": "gt", ">=": "gte", "<": "lt", "<=": "lte",
    "~": "icontains", "~^": "startswith", "~$": "endswith",
}  # fmt: skip
EVERY = Condition("id", "gte", (0,))
"""A condition that holds for every row."""
NONE = Group("not", (EVERY,))
_FIELD = re.compile(r"([A-Za-z_][\w.]*):")
_OPERATOR = re.compile(r"-~[\^$]?|~[\^$]?|-|>=?|<=?|")
_VALUE = re.compile(r"""'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|([^\s,+()\[\]'"]+)""")
_SPACED_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")

Part = Condition | Group


def parse_filter(
    record: Record, names: Mapping[str, str], constants: Mapping[str, str], text: str
) -> Part:
    """Parse `text` into a condition. Raises BadRequest, which names the mistake.

    `names` maps the names used in filters to paths of `record`; `constants` holds the values of fields
    that are the same for all rows.
    """
    if len(text) > MAX_LENGTH or "\x00" in text:
        raise invalid_parameter(NAME, f"{NAME} can have at most {MAX_LENGTH} characters.")
    reader = _Reader(text, record, names, constants)
    part = reader.any_of(1)
    if reader.place < len(text):
        raise reader.problem()
    return part


class _Reader:
    """Reads one filter from left to right."""

    def __init__(
        self, text: str, record: Record, names: Mapping[str, str], constants: Mapping[str, str]
    ):
        self.text, self.place, self.count = text, 0, 0
        self.record, self.names, self.constants = record, names, constants
        self.paths = filter_paths(record, ANONYMOUS)

    def problem(self) -> BadRequest:
        """The error for a filter that cannot be parsed any further."""
        excerpt = self.text[self.place : self.place + 20]
        where = f"at {excerpt!r}" if excerpt else "at its end"
        return invalid_parameter(NAME, f"{NAME} cannot be understood {where}.")

    def takes(self, mark: str) -> bool:
        """Consume `mark` if it comes next, and return whether it did."""
        matches = self.text.startswith(mark, self.place)
        self.place += len(mark) if matches else 0
        return matches

    def match(self, pattern: re.Pattern[str]) -> re.Match[str]:
        """Consume the next token. Raises BadRequest if it does not match `pattern`."""
        token = pattern.match(self.text, self.place)
        if token is None:
            raise self.problem()
        self.place = token.end()
        return token

    def any_of(self, depth: int) -> Part:
        """Parse parts of which one must hold."""
        return self._parts("any", ",", lambda: self.all_of(depth))

    def all_of(self, depth: int) -> Part:
        """Parse parts that must all hold."""
        return self._parts("all", "+", lambda: self.term(depth))

    def _parts(self, kind: str, mark: str, read: Callable[[], Part]) -> Part:
        parts = [read()]
        while self.takes(mark):
            parts.append(read())
        return parts[0] if len(parts) == 1 else Group(kind, tuple(parts))

    def term(self, depth: int) -> Part:
        """Parse a comparison, or a group in parentheses."""
        if not self.takes("("):
            return self.comparison()
        if depth > MAX_DEPTH:
            raise invalid_parameter(NAME, f"{NAME} can be at most {MAX_DEPTH} levels deep.")
        inside = self.any_of(depth + 1)
        if not self.takes(")"):
            raise self.problem()
        return inside

    def comparison(self) -> Part:
        """Parse the comparison of a field with one or several values."""
        self.count += 1
        if self.count > MAX_COMPARISONS:
            raise invalid_parameter(NAME, f"{NAME} can have at most {MAX_COMPARISONS} conditions.")
        name, operator = self.match(_FIELD)[1], self.match(_OPERATOR)[0]
        if self.takes("["):
            return self._comparison(name, operator, self._list(), True)
        return self._comparison(name, operator, [self._value()], False)

    def _list(self) -> list[str]:
        values = [self._value()]
        while self.takes(","):
            values.append(self._value())
        if not self.takes("]"):
            raise self.problem()
        return values

    def _value(self) -> str:
        single, double, bare = self.match(_VALUE).groups()
        return bare or re.sub(r"\\(.)", r"\1", single or double or "")

    def _comparison(self, name: str, operator: str, values: list[str], many: bool) -> Part:
        if name not in self.names and name not in self.constants:
            known_names = ", ".join([*self.names, *self.constants])
            raise invalid_parameter(NAME, f"{NAME} does not know {name}. Known: {known_names}.")
        is_negated = operator.startswith("-")
        if name in self.constants:
            self._require(operator in ("", "-"), name, operator)
            return EVERY if (self.constants[name] in values) is not is_negated else NONE
        if many:
            self._require(operator in ("", "-"), name, f"{operator}[")
            return self._condition(name, "nin" if is_negated else "in", values)
        if operator in ("", "-") and values == ["null"]:
            return Condition(self.names[name], "isnull", (not is_negated,))
        if operator.startswith("-~"):
            return Group("not", (self._condition(name, OPERATORS[operator[1:]], values),))
        return self._condition(name, OPERATORS[operator], values)

    def _require(self, fits: bool, name: str, operator: str) -> None:
        if not fits:
            raise invalid_parameter(NAME, f"{NAME} cannot compare {name} by {operator}.")

    def _condition(self, name: str, operator: str, values: list[str]) -> Condition:
        """The equivalent condition of the API. Raises BadRequest with the filter's own names."""
        path = self.names[name]
        texts = [one.replace(" ", "T") if _SPACED_TIME.match(one) else one for one in values]
        try:
            comparison = parse_name(f"{path}__{operator}", self.paths, ())
            return parse_condition(comparison, texts, self.paths)
        except BadRequest as error:
            message = error.message.replace(f"{path}__{operator}", name)
            raise invalid_parameter(NAME, f"{NAME}: {message}") from None

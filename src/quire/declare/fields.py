"""How a column is seen from outside: Shown, Editable, Fixed, Secret; Derived, Given, Revealed have none.

A fact (type, length, reference) lives on the column, an exposure lives here; what is not listed in
a Record is invisible at every door.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy.sql.elements import ColumnElement

from quire.declare.columns import Many
from quire.declare.rules import ANYONE, Rule
from quire.declare.values import TEXT, Kind

KEPT_BY_STORE = frozenset({"id", "created_at", "updated_at", "version"})


class Field:
    """One name in a record's shape.

    `search`: its text is found by full-text search; `sort`, `filter`: usable in queries (for a
    reference, `filter` may list names of the other record); `to`: who sees it; `by`: who sets it
    (answers of roles only); `fill(change)`: its value when none is given; `counter`: changes
    without a new version and is ignored in bodies; `made`: follows from other fields;
    `create_missing`: unknown names of a reference are created; `required`: people must give it,
    though the column can do without; `seldom`: at the API it is read only when `fields` names it,
    and a PUT without it leaves it as it is; `group`: the part of the form where it stands with
    others, folded away while they are empty; `advised`: how many characters are seen elsewhere;
    `preset`: the value by which the panel filters its lists and pickers until somebody else does.
    """

    readable = True
    on_create = False
    on_update = False

    def __init__(
        self,
        name: str,
        *,
        search: bool = False,
        sort: bool = False,
        filter: bool | tuple[str, ...] = False,
        to: Rule = ANYONE,
        by: Rule = ANYONE,
        fill: Callable[[Any], Any] | None = None,
        counter: bool = False,
        made: bool = False,
        create_missing: bool = False,
        required: bool = False,
        seldom: bool = False,
        group: str = "",
        advised: int | None = None,
        preset: str = "",
        label: str | None = None,
        help: str = "",
    ):
        self.name = name
        self.search, self.sort, self.filter = search, sort, filter
        self.to, self.by, self.fill = to, by, fill
        self.counter, self.made, self.create_missing = counter, made, create_missing
        self.label = label or name.replace("_", " ").capitalize()
        self.help = help
        self.required, self.seldom = required, seldom
        self.group, self.advised, self.preset = group, advised, preset
        self.kind: Kind = None  # type: ignore[assignment]
        self.column: Any = None
        self.many: Many | None = None
        self.target: str | None = None

    def bind(self, model: Any) -> None:
        """Find the column, the link table or the referring column that this name stands for."""
        found = model.__dict__.get(self.name)
        if isinstance(found, Many):
            self.many, self.kind, self.target = found, found.kind, found.target
            return
        columns = model.__mapper__.columns
        column = columns.get(self.name, columns.get(f"{self.name}_id"))
        if column is None:
            raise LookupError(f"{model.__name__} has no column {self.name}")
        if "kind" not in column.info:
            raise LookupError(f"{model.__name__}.{self.name} has no kind")
        self.column, self.kind = column, column.info["kind"]
        self.target = column.info.get("ref")

    @property
    def is_stored(self) -> bool:
        """Whether the value stands in a column of the record's own table."""
        return self.column is not None

    @property
    def nullable(self) -> bool:
        """Whether null is a value of this field."""
        return self.column is not None and bool(self.column.nullable)

    @property
    def choices(self) -> tuple[str, ...]:
        """The words this field can hold; empty when it is no choice."""
        return () if self.column is None else self.column.info.get("choices", ())

    @property
    def has_default(self) -> bool:
        """Whether a new record may leave it out."""
        if self.many is not None or self.fill is not None or self.nullable:
            return True
        return self.column is None or self.column.default is not None

    @property
    def tracked(self) -> bool:
        """Whether a change of it is a change of the record: audited and counted as a version."""
        if self.made or self.counter or self.name in KEPT_BY_STORE:
            return False
        return self.is_stored or self.many is not None


class Shown(Field):
    """Read, never set from outside."""


class Editable(Field):
    """Read, set at creation and later."""

    on_create = True
    on_update = True


class Fixed(Field):
    """Read, set at creation only."""

    on_create = True


class Secret(Field):
    """Set, never shown, never in history."""

    readable = False
    on_create = True
    on_update = True


class Derived(Field):
    """Read from an SQL expression over the table; `settable` ones are handed to the hook."""

    def __init__(
        self,
        name: str,
        sql: Callable[[], ColumnElement[Any]],
        kind: Kind,
        *,
        settable: bool = False,
        words: tuple[str, ...] = (),
        **more: Any,
    ):
        super().__init__(name, **more)
        self.sql, self.kind, self.words = sql, kind, words
        self.on_create = self.on_update = settable

    def bind(self, model: Any) -> None:
        """Nothing to find: the expression says it all."""

    @property
    def choices(self) -> tuple[str, ...]:
        return self.words


class Revealed(Field):
    """Shown once, in the answer to the creation; made by the hook, never stored."""

    readable = False

    def bind(self, model: Any) -> None:
        """Nothing to find: it has no column."""
        self.kind = TEXT


class Given(Field):
    """Accepted beside other values and handed to the hook; never stored, never shown."""

    readable = False

    def __init__(
        self,
        name: str,
        kind: Kind,
        *,
        on_create: bool = False,
        on_update: bool = True,
        **more: Any,
    ):
        super().__init__(name, **more)
        self.kind = kind
        self.on_create, self.on_update = on_create, on_update

    def bind(self, model: Any) -> None:
        """Nothing to find: it has no column."""

"""How a column is exposed: Shown, Editable, Fixed, Secret; without a column Computed, InputOnly, ShownOnce.

A column says what a value is (type, length, reference), a field how it is exposed; what is not
listed in a Record is invisible in every interface.
"""

from collections.abc import Callable
from functools import cache, cached_property
from typing import Any

from sqlalchemy.sql.elements import ColumnElement

from quire.declare.collation import sort_column
from quire.declare.deprecation import Deprecation
from quire.declare.fieldsets import Fieldset
from quire.declare.labels import label_of
from quire.declare.references import Many
from quire.declare.rules import ANYONE, Rule
from quire.declare.value_kinds import TEXT, Kind

STORE_FIELDS = frozenset({"id", "created_at", "updated_at", "version"})


class Field:
    """One field of a record.

    `search`: full-text search covers it; `sort`, `filter`: usable in queries (for a reference, `filter`
    may list fields of the other record); `read_rule`: who sees it; `write_rule`: who sets it (must
    depend on roles only); `default_from(change)`: its value if none is given; `counter`: changes without
    a new version, and is ignored in bodies; `computed`: derived from other fields or set by the program;
    `tracked`: such a field whose change still changes the record; `create_missing`: unknown names of a
    reference are created; `required`: people must give it, although the column has a default;
    `on_request`: the API shows it only if `fields` names it, and a PUT without it leaves it unchanged;
    `fieldset`: its part of the form; `recommended_length`: how many characters other sites show;
    `default_filter`: the value by which the panel's lists and pickers are filtered until the user
    filters by the field; `example`: an example for the documentation, if that of its kind is too vague;
    `rendering`: how its Markdown is converted to HTML, if not as in posts; `deprecated`: what to use
    instead.
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
        read_rule: Rule = ANYONE,
        write_rule: Rule = ANYONE,
        default_from: Callable[[Any], Any] | None = None,
        counter: bool = False,
        computed: bool = False,
        tracked: bool = False,
        create_missing: bool = False,
        required: bool = False,
        on_request: bool = False,
        fieldset: Fieldset | None = None,
        recommended_length: int | None = None,
        default_filter: str = "",
        label: str | None = None,
        help: str = "",
        example: Any = None,
        rendering: Callable[[str], str] | None = None,
        deprecated: Deprecation | None = None,
    ):
        self.name = name
        self.search, self.sort, self.filter = search, sort, filter
        self.read_rule, self.write_rule, self.default_from = read_rule, write_rule, default_from
        self.counter, self.computed, self.create_missing = counter, computed, create_missing
        self.tracked = tracked
        self.label = label or label_of(name)
        self.help, self.example, self.deprecated = help, example, deprecated
        self.required, self.on_request = required, on_request
        self.rendering = rendering
        self.fieldset, self.recommended_length = fieldset, recommended_length
        self.default_filter = default_filter
        self.kind: Kind = None  # type: ignore[assignment]
        self.column: Any = None
        self.many: Many | None = None
        self.target: str | None = None
        self.folded_column: Any = None
        self.sort_key_column: Any = None

    def bind(self, model: Any) -> None:
        """Find the column, the link table or the referring column of this name."""
        attribute = model.__dict__.get(self.name)
        if isinstance(attribute, Many):
            self.many, self.kind, self.target = attribute, attribute.kind, attribute.target
            return
        columns = model.__mapper__.columns
        column = columns.get(self.name, columns.get(f"{self.name}_id"))
        if column is None:
            raise LookupError(f"{model.__name__} has no column {self.name}")
        if "kind" not in column.info:
            raise LookupError(f"{model.__name__}.{self.name} has no kind")
        self.column, self.kind = column, column.info["kind"]
        self.target = column.info.get("ref")
        self.folded_column = columns.get(f"{self.name}_folded")
        if self.kind.is_collated and not self.choices and (self.sort or self.filter is True):
            self.sort_key_column = sort_column(model, column)

    @cached_property
    def order_column(self) -> Any:
        """The column that lists are sorted by; None if the value has no column."""
        return self.column if self.sort_key_column is None else self.sort_key_column

    @cached_property
    def companion_columns(self) -> list[Any]:
        """The hidden columns that the store fills with this field's value."""
        return [
            one
            for one in (self.folded_column, self.sort_key_column)
            if one is not None and not one.computed
        ]

    @cached_property
    def column_names(self) -> tuple[str, ...]:
        """The names of the columns for the value: its own, and its companions."""
        own = [] if self.column is None else [self.column]
        return tuple(one.name for one in [*own, *self.companion_columns])

    @cached_property
    def is_stored(self) -> bool:
        """Whether the value is in a column of the record's own table."""
        return self.column is not None

    @cached_property
    def comparison_column(self) -> Any:
        """The column by which values are compared: without case if the name ignores it."""
        return self.column if self.folded_column is None else self.folded_column

    @cached_property
    def is_unique(self) -> bool:
        """Whether two records cannot have the same value."""
        return self.column is not None and bool(self.column.unique)

    @cached_property
    def nullable(self) -> bool:
        """Whether null is a value of this field."""
        return self.column is not None and bool(self.column.nullable)

    @cached_property
    def choices(self) -> tuple[str, ...]:
        """The values of a choice; empty for other fields."""
        return () if self.column is None else self.column.info.get("choices", ())

    @cached_property
    def is_ignored(self) -> bool:
        """Whether a body may contain any value of it: counts change between a read and a write."""
        return self.counter and self.kind.name == "count"

    @cached_property
    def counts_use(self) -> bool:
        """Whether it counts or dates the use of something, which may be shown with a delay."""
        return self.counter and not self.computed and self.kind.name in ("count", "time")

    @cached_property
    def has_default(self) -> bool:
        """Whether a new record may omit it."""
        if self.many is not None or self.default_from is not None or self.nullable:
            return True
        return self.column is None or self.column.default is not None

    @cached_property
    def is_tracked(self) -> bool:
        """Whether changing it changes the record: it is audited and raises the version."""
        if self.tracked:
            return True
        if self.computed or self.counter or self.name in STORE_FIELDS:
            return False
        return self.is_stored or self.many is not None


class Shown(Field):
    """Visible, never set by clients."""


class Editable(Field):
    """Visible, set on creation and later."""

    on_create = True
    on_update = True


class Fixed(Field):
    """Visible, set on creation only."""

    on_create = True


class Secret(Field):
    """Set by clients, never shown, never in the history."""

    readable = False
    on_create = True
    on_update = True


class Computed(Field):
    """Computed by an SQL expression over the table; `settable` ones are passed to the hook.

    `up_to(limit)` is an expression that stops counting there, for counts that would take long.
    """

    def __init__(
        self,
        name: str,
        sql: Callable[[], ColumnElement[Any]],
        kind: Kind,
        *,
        settable: bool = False,
        choice_words: tuple[str, ...] = (),
        up_to: Callable[[int], ColumnElement[int]] | None = None,
        **more: Any,
    ):
        super().__init__(name, **more)
        self.sql = cache(sql)  # a copy of a table in it takes 60 KB, so all statements share one
        self.kind, self.choice_words, self.up_to = kind, choice_words, up_to
        self.on_create = self.on_update = settable

    def bind(self, model: Any) -> None:
        """Do nothing: the expression names its columns."""

    @cached_property
    def choices(self) -> tuple[str, ...]:
        return self.choice_words


class ShownOnce(Field):
    """Shown once, in the response to the creation; set by the hook, never stored."""

    readable = False

    def bind(self, model: Any) -> None:
        """Do nothing: it has no column."""
        self.kind = TEXT


class InputOnly(Field):
    """Accepted beside other values and passed to the hook; never stored or shown."""

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
        """Do nothing: it has no column."""

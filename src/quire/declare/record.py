"""Record: the declaration of a type, checked on creation, and the registry of all types."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import fields as dataclass_fields
from functools import cached_property
from typing import Any, ClassVar

from quire.actor import Actor
from quire.declare.action import Action, Moderation
from quire.declare.change import Change
from quire.declare.deprecation import Deprecation
from quire.declare.fields import Field, ShownOnce
from quire.declare.labels import Labels
from quire.declare.list_link import ListLink
from quire.declare.record_problems import find_problems
from quire.declare.references import Many
from quire.declare.rules import NOBODY, Answer, Rule, scoped, scopes_of

VERBS = ("read", "create", "update", "delete")


@dataclass(frozen=True)
class Access:
    """Who may do what; operations that are not listed are forbidden.

    `panel` are the rows that an actor sees in the admin panel, `permanent` is who may delete records
    for good rather than move them to the trash.
    """

    read: Rule = NOBODY
    create: Rule = NOBODY
    update: Rule = NOBODY
    delete: Rule = NOBODY
    permanent: Rule = NOBODY
    panel: Rule = NOBODY


def _no_hook(change: Change) -> None:
    """The hook of records that need none."""


def _no_title(state: dict[str, Any]) -> str:
    """The `title` of records that are known by their `title_field`."""
    return ""


def _no_values(actor: Actor, id: int | None, values: dict[str, Any]) -> dict[str, Any]:
    """The `before_transaction` of records that need none."""
    return {}


@dataclass(frozen=True, eq=False)
class Record(Labels):
    """A record type: its table as seen through fields, rules, actions and a hook.

    `key` is the field by which other records can name it, `reference_fields` how they show it, `title_field` the field people know
    it by, `title` builds a title from all values if that field is not enough (without a full stop at the end; empty for the field),
    `list_link` the list that the panel opens for it, `order` the default sort (names, `-` for descending), `newest_first` whether
    the panel lists the newest first, `public_path` the URL of its public page with `{field}` in it, `singleton` a type with exactly
    one row, `section` its place in the panel's menu, `tabs` further tabs of the panel's list, as a label and the parameters of the
    list (for a state: the label of its tab), `nested_under` references under whose URL it is also listed (`/posts/7/comments`),
    `api_key_access` the most that API keys may do ("write", "read" or "" for nothing), `drafts` whether it has drafts and preview
    links, `exported` whether an export of everything includes it, `deprecated` what to use instead, `moderation` how records are
    moderated, `empty_text` what the panel says about an empty list of records that are not created there. `before_transaction(actor, id, values)`
    does slow work before the database is locked; its result is `change.prepared` in the hook `before_save`. `access`
    are the rules narrowed by the scopes of keys, `declared_access` those as declared.
    """

    declared_access: ClassVar[Access]

    model: Any
    path: str
    fields: Sequence[Field]
    access: Access
    actions: Sequence[Action] = ()
    key: str = "id"
    reference_fields: tuple[str, ...] = ("id",)
    title_field: str = "id"
    title: Callable[[dict[str, Any]], str] = _no_title
    list_link: ListLink | None = None
    order: tuple[str, ...] = ("id",)
    newest_first: bool = False
    before_save: Callable[[Change], None] = _no_hook
    before_transaction: Callable[[Actor, int | None, dict[str, Any]], dict[str, Any]] = _no_values
    public_path: str | None = None
    singleton: bool = False
    singular_label: str = ""
    section: str = "Content"
    tabs: tuple[tuple[str, str], ...] = ()
    nested_under: tuple[str, ...] = ()
    history: bool = True
    api_key_access: str = "write"
    drafts: bool = False
    exported: bool = True
    deprecated: Deprecation | None = None
    moderation: Moderation | None = None
    empty_text: str = ""

    def __post_init__(self) -> None:
        for one in self.fields:
            one.bind(self.model)
        for many in self.link_lists:
            many.copy_columns(*self._listing_columns())
        object.__setattr__(self, "declared_access", self.access)
        object.__setattr__(self, "access", self._scoped_access())
        actions = [
            replace(one, allow=scoped(self.scope("update"), one.allow)) for one in self.actions
        ]
        object.__setattr__(self, "actions", actions)
        if self.path in REGISTRY:
            raise LookupError(f"{self.path}: another record has this path")
        for problem in find_problems(self):
            raise LookupError(f"{self.path}: {problem}")
        REGISTRY[self.path] = self

    def _listing_columns(self) -> tuple[list[Any], list[Any]]:
        """Return the columns that lists are sorted by, and those that tell who sees a row, if the model names them."""
        visible_by = [self.table.c[name] for name in getattr(self.model, "__visible_by__", ())]
        if not visible_by:
            return [], []
        order = (self.field(name.removeprefix("-")).order_column for name in self.order)
        return [one for one in order if one is not None and not one.primary_key], visible_by

    def _scoped_access(self) -> Access:
        verbs = (one.name for one in dataclass_fields(Access))
        return Access(**{v: scoped(self.scope(v), getattr(self.access, v)) for v in verbs})

    def scope(self, verb: str) -> str | None:
        """Return the scope that an API key needs for `verb`; None if no key may do it."""
        kind = "read" if verb in ("read", "panel") else "write"
        opens = {"": (), "read": ("read",), "write": ("read", "write")}[self.api_key_access]
        return f"{self.path}:{kind}" if kind in opens else None

    @cached_property
    def _scopes(self) -> frozenset[str] | None:
        return scopes_of(list(self._rules.values()))

    @cached_property
    def _rules(self) -> dict[str, Rule]:
        """The rules of Access and of the actions, by name."""
        rules = {one.name: getattr(self.access, one.name) for one in dataclass_fields(Access)}
        return rules | {one.name: one.allow for one in self.actions}

    def cache_key_actor(self, actor: Actor) -> Actor:
        """Return one actor for all who have the same rights on this type, as a key for caches."""
        return actor.cache_key_actor_for(self._scopes)

    @property
    def scopes(self) -> dict[str, list[Rule]]:
        """The scopes of this type that an API key can have, with the rules that each allows."""
        access = self.declared_access
        writes = [*(getattr(access, v) for v in VERBS[1:]), *(one.allow for one in self.actions)]
        opens = {"read": [access.read], "update": [r for r in writes if r is not NOBODY]}
        pairs = ((self.scope(verb), rules) for verb, rules in opens.items())
        return {scope: rules for scope, rules in pairs if scope and rules}

    @cached_property
    def fields_by_name(self) -> dict[str, Field]:
        """Fields by name, in order."""
        return {one.name: one for one in self.fields}

    def field(self, name: str) -> Field:
        """Return the field called `name`. Raises KeyError."""
        return self.fields_by_name[name]

    @cached_property
    def table(self) -> Any:
        """The SQL table."""
        return self.model.__table__

    @cached_property
    def has_trash(self) -> bool:
        """Whether deleting moves it to the trash first."""
        return "deleted_at" in self.model.__mapper__.columns

    @cached_property
    def is_versioned(self) -> bool:
        """Whether it can change and counts its changes."""
        return "version" in self.model.__mapper__.columns

    @cached_property
    def schedule_columns(self) -> list[Any]:
        """The columns with times at which the audience of a row changes."""
        names = ("published_at", "unpublish_at")
        return [self.table.c[name] for name in names if name in self.table.c]

    @cached_property
    def search_fields(self) -> list[Field]:
        """The fields that full-text search covers, title first."""
        return [one for one in self.fields if one.search]

    @cached_property
    def deprecated_fields(self) -> list[Field]:
        """The deprecated fields."""
        return [one for one in self.fields if one.deprecated is not None]

    @cached_property
    def shown_once_fields(self) -> list[Field]:
        """The fields that are shown once, when a record is created."""
        return [one for one in self.fields if isinstance(one, ShownOnce)]

    def shown_once(self, revealed: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values of those fields among what a change has revealed."""
        if not revealed:
            return {}
        names = [one.name for one in self.shown_once_fields]
        return {name: revealed[name] for name in names if name in revealed}

    @cached_property
    def many_fields(self) -> list[Field]:
        """The fields that are lists of references."""
        return [one for one in self.fields if one.many is not None]

    @cached_property
    def link_lists(self) -> list[Many]:
        """The definitions of those lists."""
        return [one.many for one in self.many_fields if one.many is not None]

    @cached_property
    def generated_fields(self) -> list[Field]:
        """The fields whose value is generated for a new record without one."""
        return [one for one in self.fields if one.default_from is not None]

    @cached_property
    def tracked_fields(self) -> list[Field]:
        """The fields whose change is a change of the record."""
        return [one for one in self.fields if one.is_tracked]

    def allows(self, actor: Actor, verb: str) -> Answer:
        """Return the answer of the rule for `verb` (read, create, update, delete, permanent, panel)."""
        return self.rule(verb)(actor)

    def rule(self, verb: str) -> Rule:
        """Return the rule for `verb`, one of those in Access or an action."""
        return self._rules[verb]

    def action(self, name: str) -> Action | None:
        """Return the action called `name`, if there is one."""
        return next((one for one in self.actions if one.name == name), None)

    @cached_property
    def field_names(self) -> tuple[str, ...]:
        """Return the names of all fields, including those that are only shown on request."""
        return tuple(self.fields_by_name)

    def default_fields(self, names: Iterable[str]) -> list[str]:
        """Return those of `names` that are shown to clients who do not ask for fields by name."""
        return [name for name in names if name not in self._on_request]

    def default_values(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values of a record that are shown to clients who do not ask for fields by name."""
        shown = dict(values)
        for name in self._on_request:
            shown.pop(name, None)
        return shown

    @cached_property
    def _on_request(self) -> frozenset[str]:
        return frozenset(one.name for one in self.fields if one.on_request)

    def visible_fields(self, actor: Actor) -> dict[str, Answer]:
        """Return the readable fields that are not entirely hidden from `actor`, with their rules' answers."""
        answers = {f.name: f.read_rule(actor) for f in self.fields if f.readable}
        return {name: answer for name, answer in answers.items() if answer is not False}


REGISTRY: dict[str, Record] = {}
"""Every record type by its path, in the order of declaration."""


def check_registry() -> None:
    """Refuse to start if a reference points to no record type. Raises LookupError."""
    tables = {record.table.name for record in REGISTRY.values()}
    for record in REGISTRY.values():
        for one in record.fields:
            if one.target is not None and one.target not in tables:
                raise LookupError(
                    f"{record.path}.{one.name} refers to {one.target}: no such record"
                )


def find_record(table: str) -> Record | None:
    """Return the record type of an SQL table; None if it has none."""
    record = REGISTRY.get(table)  # most paths are names of tables
    if record is not None and record.table.name == table:
        return record
    return next((one for one in REGISTRY.values() if one.table.name == table), None)


def record_of(table: str) -> Record:
    """Return the record type of an SQL table that has one. Raises LookupError."""
    record = find_record(table)
    if record is None:
        raise LookupError(f"{table} is the table of no record type")
    return record

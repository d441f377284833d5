"""Record: the declaration of a type, checked when it is made, and the registry of all of them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from dataclasses import fields as dataclass_fields
from functools import cached_property
from typing import Any, ClassVar

from quire.actor import Actor
from quire.declare.change import Change
from quire.declare.fields import Field, Revealed
from quire.declare.rules import NOBODY, Answer, Rule, within
from quire.declare.values import Kind

VERBS = ("read", "create", "update", "delete")


@dataclass(frozen=True)
class Access:
    """Who may do what; what is not said is for nobody.

    `panel` are the rows an actor finds in the admin panel, `permanent` who may delete for good
    what `delete` only puts into the trash.
    """

    read: Rule = NOBODY
    create: Rule = NOBODY
    update: Rule = NOBODY
    delete: Rule = NOBODY
    permanent: Rule = NOBODY
    panel: Rule = NOBODY


def _always(state: dict[str, Any]) -> bool:
    """What is of use to every record."""
    return True


@dataclass(frozen=True)
class Action:
    """A verb beyond create, update and delete: a route, a button, an OpenAPI path, an audit word.

    `run(change)` sets values or raises Conflict when the state does not fit; setting nothing means
    there is nothing to do. `inputs` are optional values by name. With `creates` it returns the raw
    values of a new record, made for the actor. With `takes_draft` the values of the record's draft,
    if it has one, are those of the change, and the draft goes. `fits(state)`: whether it is of any
    use to a record; where not, the panel leaves its button out.
    """

    name: str
    run: Callable[[Change], dict[str, Any] | None]
    allow: Rule
    inputs: tuple[tuple[str, Kind], ...] = ()
    creates: bool = False
    in_trash: bool = False
    takes_draft: bool = False
    fits: Callable[[dict[str, Any]], bool] = _always

    @property
    def label(self) -> str:
        """What stands on its button."""
        return self.name.replace("_", " ").capitalize()

    @property
    def summary(self) -> str:
        """The first line of what it does."""
        return (self.run.__doc__ or self.label).strip().splitlines()[0]


def _nothing(change: Change) -> None:
    """The hook of records that need none."""


def _nothing_ahead(actor: Actor, id: int | None, given: dict[str, Any]) -> dict[str, Any]:
    """The same for what takes long."""
    return {}


@dataclass(frozen=True, eq=False)
class Record:
    """A record type: its table seen through fields, rules, actions and one hook.

    `key` is the field by which other records may name it, `small` how they show it, `title` the
    field people know it by, `order` the default sort (names, `-` for descending), `page` the
    address of its public page with `{field}` in it, `single` a type of exactly one row,
    `section` its place in the panel's menu, `nested` references under whose address it is listed
    too (`/posts/7/comments`), `by_key` what API keys may do at most: "write", "read" or "" for
    nothing, `drafts` whether a draft can stand beside what is live, and be shown to others by
    preview links, `portable` whether an export of everything holds it. `ahead(actor, id, values)`
    does what takes long, before the database is locked, and
    what it returns is `change.ready` in the hook `before`. `access` are the rules narrowed by the
    scopes of keys, `policy` those as declared.
    """

    policy: ClassVar[Access]

    model: Any
    path: str
    fields: Sequence[Field]
    access: Access
    actions: Sequence[Action] = ()
    key: str = "id"
    small: tuple[str, ...] = ("id",)
    title: str = "id"
    order: tuple[str, ...] = ("id",)
    before: Callable[[Change], None] = _nothing
    ahead: Callable[[Actor, int | None, dict[str, Any]], dict[str, Any]] = _nothing_ahead
    page: str | None = None
    single: bool = False
    section: str = "Content"
    nested: tuple[str, ...] = ()
    history: bool = True
    by_key: str = "write"
    drafts: bool = False
    portable: bool = True

    def __post_init__(self) -> None:
        for one in self.fields:
            one.bind(self.model)
        object.__setattr__(self, "policy", self.access)
        object.__setattr__(self, "access", self._scoped())
        actions = [
            replace(one, allow=within(self.scope("update"), one.allow)) for one in self.actions
        ]
        object.__setattr__(self, "actions", actions)
        for problem in self.problems():
            raise LookupError(f"{self.path}: {problem}")
        REGISTRY[self.path] = self

    def _scoped(self) -> Access:
        verbs = (one.name for one in dataclass_fields(Access))
        return Access(**{v: within(self.scope(v), getattr(self.access, v)) for v in verbs})

    def scope(self, verb: str) -> str | None:
        """The scope that an API key needs for `verb`; None when no key may."""
        kind = "read" if verb in ("read", "panel") else "write"
        opens = {"": (), "read": ("read",), "write": ("read", "write")}[self.by_key]
        return f"{self.path}:{kind}" if kind in opens else None

    @property
    def scopes(self) -> dict[str, list[Rule]]:
        """The scopes of this type that an API key can have, with the rules that each opens."""
        writes = [getattr(self.policy, verb) for verb in VERBS[1:]]
        writes += [action.allow for action in self.actions]
        opens = {"read": [self.policy.read], "update": [r for r in writes if r is not NOBODY]}
        named = ((self.scope(verb), rules) for verb, rules in opens.items())
        return {scope: rules for scope, rules in named if scope and rules}

    def problems(self) -> list[str]:
        """What is wrong with this declaration, in sentences."""
        found = []
        if self.path in REGISTRY:
            found.append("another record has this path")
        if len(self.by_name) != len(self.fields):
            found.append("a field is listed twice")
        if "id" not in self.by_name:
            found.append("the field id is not listed")
        if self.access.read is NOBODY:
            found.append("nobody may read it")
        if self.drafts and not (self.versioned and self.page):
            found.append("a draft needs a version it is based on, and a page to be seen on")
        known = set(self.by_name)
        named = {self.key, self.title, *self.small, *(name.lstrip("-") for name in self.order)}
        found += [f"{name} is not a listed field" for name in sorted(named - known)]
        return found + self._unfillable()

    def _unfillable(self) -> list[str]:
        if self.access.create is NOBODY:
            return []
        filled = {
            f.column.key
            for f in self.fields
            if f.column is not None and (f.on_create or f.has_default or f.made)
        }
        return [
            f"{column.key} is required, but nothing sets it"
            for column in self.model.__mapper__.columns
            if not (column.nullable or column.default or column.primary_key or column.computed)
            and column.server_default is None
            and column.key not in filled
        ]

    @cached_property
    def by_name(self) -> dict[str, Field]:
        """Fields by name, in order."""
        return {one.name: one for one in self.fields}

    def field(self, name: str) -> Field:
        """The field called `name`; KeyError when there is none."""
        return self.by_name[name]

    @cached_property
    def table(self) -> Any:
        """The SQL table."""
        return self.model.__table__

    @property
    def label(self) -> str:
        """What people call many of them."""
        return self.path.replace("_", " ").capitalize().replace("Api", "API")

    @property
    def one(self) -> str:
        """What people call one of them: the name of its class, in words."""
        name = self.model.__name__
        return "".join(f" {c.lower()}" if c.isupper() and i else c for i, c in enumerate(name))

    @property
    def summary(self) -> str:
        """The first line of the class's docstring."""
        return (self.model.__doc__ or self.label).strip().splitlines()[0]

    @property
    def trashes(self) -> bool:
        """Whether deleting puts it into the trash first."""
        return "deleted_at" in self.model.__mapper__.columns

    @property
    def versioned(self) -> bool:
        """Whether it can change and counts its changes."""
        return "version" in self.model.__mapper__.columns

    @property
    def schedule(self) -> list[Any]:
        """The columns whose time, when it comes, changes who sees a row."""
        names = ("published_at", "unpublish_at")
        return [self.table.c[name] for name in names if name in self.table.c]

    @property
    def searched(self) -> list[Field]:
        """The fields whose text full-text search finds, title first."""
        return [one for one in self.fields if one.search]

    @property
    def revealed(self) -> list[Field]:
        """The fields that are shown once, when a record is made."""
        return [one for one in self.fields if isinstance(one, Revealed)]

    @property
    def manies(self) -> list[Field]:
        """The fields that are lists of references."""
        return [one for one in self.fields if one.many is not None]

    def allows(self, actor: Actor, verb: str) -> Answer:
        """The answer of the rule for `verb` (read, create, update, delete, permanent, panel)."""
        rule: Rule = getattr(self.access, verb)
        return rule(actor)

    def action(self, name: str) -> Action | None:
        """The action called `name`, if there is one."""
        return next((one for one in self.actions if one.name == name), None)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of all fields: what a query names that wants those read seldom too."""
        return tuple(self.by_name)

    def ordinary(self, names: Iterable[str]) -> list[str]:
        """Those of `names` that are shown to who does not ask for fields by name."""
        return [name for name in names if not self.field(name).seldom]

    def seen_by(self, actor: Actor) -> dict[str, Answer]:
        """The readable fields that are not wholly hidden from `actor`, with their answers."""
        answers = {f.name: f.to(actor) for f in self.fields if f.readable}
        return {name: answer for name, answer in answers.items() if answer is not False}


REGISTRY: dict[str, Record] = {}
"""Every record type by its path, in the order of declaration."""


def check_registry() -> None:
    """Refuse to start when a reference points at no record type. Raises LookupError."""
    tables = {record.table.name for record in REGISTRY.values()}
    for record in REGISTRY.values():
        for one in record.fields:
            if one.target is not None and one.target not in tables:
                raise LookupError(
                    f"{record.path}.{one.name} refers to {one.target}: no such record"
                )


def record_of(table: str) -> Record:
    """The record type of an SQL table."""
    return next(record for record in REGISTRY.values() if record.table.name == table)

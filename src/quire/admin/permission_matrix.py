"""Who may do what: every rule of every declaration, evaluated for each role and described in words."""

from dataclasses import dataclass

from quire.actor import ROLES, Actor
from quire.declare.fields import Field
from quire.declare.labels import capitalize_first
from quire.declare.record import REGISTRY, Record
from quire.declare.rules import NOBODY, Rule
from quire.translations.messages import Message
from quire.web.language import gettext, translate

PEOPLE: dict[str, Actor] = {
    Message("Visitor"): Actor("anonymous"),
    **{role.capitalize(): Actor(role, 0) for role in ROLES},
}
"""One actor for each role, by the heading of its column."""
VERBS: dict[str, str] = {
    "read": Message("Read"),
    "create": Message("Create"),
    "update": Message("Edit"),
    "delete": Message("Delete"),
    "permanent": Message("Delete permanently"),
    "panel": Message("Open in the admin panel"),
}
YES, NO, SOME = "yes", "no", "some"


@dataclass(frozen=True)
class MatrixCell:
    """What one role may do: yes, no, or on some rows, with the condition in words."""

    role: str
    answer: str
    words: str


@dataclass(frozen=True)
class MatrixRow:
    """One verb, or one field, for every role."""

    label: str
    cells: list[MatrixCell]


@dataclass(frozen=True)
class PermissionTable:
    """Everything about one type."""

    record: Record
    verbs: list[MatrixRow]
    fields: list[MatrixRow]


def permission_tables() -> list[PermissionTable]:
    """One for every type, in the order of declaration."""
    return [PermissionTable(one, _verbs(one), _fields(one)) for one in REGISTRY.values()]


def _verbs(record: Record) -> list[MatrixRow]:
    rules = {label: record.rule(verb) for verb, label in VERBS.items()}
    rules |= {one.label: one.allow for one in record.actions}
    return [
        MatrixRow(label, [_cell(gettext(role), rule, actor) for role, actor in PEOPLE.items()])
        for label, rule in rules.items()
        if rule is not NOBODY
    ]


def _cell(role: str, rule: Rule, actor: Actor) -> MatrixCell:
    answer = rule(actor)
    if isinstance(answer, bool):
        return MatrixCell(role, YES if answer else NO, gettext("Yes") if answer else gettext("No"))
    return MatrixCell(
        role, SOME, gettext("Only if %(condition)s", condition=_condition(rule, actor))
    )


def _condition(rule: Rule, actor: Actor) -> str:
    return translate(rule.condition(actor))


def _fields(record: Record) -> list[MatrixRow]:
    return [
        MatrixRow(
            gettext(one.label),
            [_of_field(gettext(role), record, one, actor) for role, actor in PEOPLE.items()],
        )
        for one in record.fields
        if one.read_rule is not NOBODY
    ]


def _of_field(role: str, record: Record, field: Field, actor: Actor) -> MatrixCell:
    """Who can see and set a field, apart from the rules of the record."""
    readable = _readable_by(record, field, actor)
    sets = _sets(record, field, actor)
    words = ", ".join(one for one in (readable, sets) if one)
    answer = NO if not words else YES if sets else SOME
    return MatrixCell(role, answer, capitalize_first(words) if words else gettext("No"))


def _readable_by(record: Record, field: Field, actor: Actor) -> str:
    answer = field.read_rule(actor) if field.readable else False
    if answer is False or record.allows(actor, "read") is False:
        return ""
    condition = "" if answer is True else _condition(field.read_rule, actor)
    if condition:
        return gettext("can see if %(condition)s", condition=condition)
    return gettext("can see")


def _sets(record: Record, field: Field, actor: Actor) -> str:
    if field.write_rule(actor) is False:
        return ""
    new = field.on_create and record.allows(actor, "create") is not False
    later = field.on_update and record.allows(actor, "update") is not False
    return {
        (True, True): gettext("can edit"),
        (True, False): gettext("can set on creation"),
        (False, True): gettext("can edit"),
    }.get((new, later), "")

"""Who may do what: every rule of every declaration, asked for each role and put into words."""

from dataclasses import dataclass

from quire.actor import ROLES, Actor
from quire.declare.fields import Field
from quire.declare.record import REGISTRY, Record
from quire.declare.rules import NOBODY, Rule

PEOPLE: dict[str, Actor] = {
    "Visitor": Actor("anonymous"),
    **{role.capitalize(): Actor(role, 0) for role in ROLES},
}
"""Somebody of each role, by the name of the column."""
VERBS = {
    "read": "Read",
    "create": "Create",
    "update": "Change",
    "delete": "Delete",
    "permanent": "Delete for good",
    "panel": "Find in the panel",
}
YES, NO, SOME = "yes", "no", "some"


@dataclass(frozen=True)
class Cell:
    """What one role may: yes, no, or on some rows, with the condition in words."""

    role: str
    answer: str
    words: str


@dataclass(frozen=True)
class Line:
    """One verb, or one field, for every role."""

    label: str
    cells: list[Cell]


@dataclass(frozen=True)
class Sheet:
    """Everything about one type."""

    record: Record
    verbs: list[Line]
    fields: list[Line]


def sheets() -> list[Sheet]:
    """A sheet for every type, in the order of declaration."""
    return [Sheet(one, _verbs(one), _fields(one)) for one in REGISTRY.values()]


def _verbs(record: Record) -> list[Line]:
    rules = {label: getattr(record.access, verb) for verb, label in VERBS.items()}
    rules |= {one.label: one.allow for one in record.actions}
    return [
        Line(label, [_cell(role, rule, actor) for role, actor in PEOPLE.items()])
        for label, rule in rules.items()
        if rule is not NOBODY
    ]


def _cell(role: str, rule: Rule, actor: Actor) -> Cell:
    answer = rule(actor)
    if isinstance(answer, bool):
        return Cell(role, YES if answer else NO, "Yes" if answer else "No")
    return Cell(role, SOME, f"Needs {rule.condition(actor)}")


def _fields(record: Record) -> list[Line]:
    return [
        Line(one.label, [_of_field(role, record, one, actor) for role, actor in PEOPLE.items()])
        for one in record.fields
        if one.to is not NOBODY
    ]


def _of_field(role: str, record: Record, field: Field, actor: Actor) -> Cell:
    """Who sees it, and who sets it when: what the rule of the row leaves open is not said again."""
    seen = _seen(record, field, actor)
    sets = _sets(record, field, actor)
    words = ", ".join(one for one in (seen, sets) if one)
    answer = NO if not words else YES if sets else SOME
    return Cell(role, answer, words[:1].upper() + words[1:] if words else "No")


def _seen(record: Record, field: Field, actor: Actor) -> str:
    answer = field.to(actor) if field.readable else False
    if answer is False or record.allows(actor, "read") is False:
        return ""
    return "sees" if answer is True else f"sees (needs {field.to.condition(actor)})"


def _sets(record: Record, field: Field, actor: Actor) -> str:
    if field.by(actor) is False:
        return ""
    new = field.on_create and record.allows(actor, "create") is not False
    later = field.on_update and record.allows(actor, "update") is not False
    return {(True, True): "sets", (True, False): "sets when new", (False, True): "changes"}.get(
        (new, later), ""
    )

"""Why: whether somebody may do something, asked of the very rule that decides it."""

from dataclasses import dataclass

from quire.actor import Actor
from quire.declare.record import VERBS, Record
from quire.declare.rules import Rule
from quire.errors import Missing
from quire.store import rows
from quire.store.db import reading

DEEDS = (*VERBS, "permanent")
"""What can be asked about every type, beside its own actions."""
WITHOUT_ROW = ("create", "read")
"""What is done to no record in particular: making one, and listing them."""


@dataclass(frozen=True)
class Verdict:
    """The answer of a rule: its words complete "This needs ..."; `missing` is None when allowed."""

    allowed: bool
    rule: str
    missing: str | None


def rule_of(record: Record, deed: str) -> Rule | None:
    """The rule that decides about `deed`; None when there is no such thing."""
    if deed in DEEDS:
        rule: Rule = getattr(record.access, deed)
        return rule
    action = record.action(deed)
    return None if action is None else action.allow


def _verdict(rule: Rule, actor: Actor, allowed: bool) -> Verdict:
    return Verdict(allowed, rule.words, None if allowed else rule.missing(actor))


def on_type(rule: Rule, actor: Actor) -> Verdict:
    """Whether `actor` may do something at all: to a record that is not there yet, or to some."""
    return _verdict(rule, actor, rule(actor) is not False)


def on_row(record: Record, asker: Actor, actor: Actor, rule: Rule, id: int) -> Verdict:
    """Whether `actor` may do something to one record. Raises Missing where `asker` sees none.

    A type that is closed to the asker is not looked at: the refusal tells nothing of its records.
    """
    if record.allows(asker, "read") is False and rule(actor) is False:
        return _verdict(rule, actor, False)
    with reading() as connection:
        seen = rows.look(connection, record, asker, id, rule)
        found = seen if actor == asker else rows.look(connection, record, actor, id, rule)
    if seen is None or found is None or not (seen.shown or seen.allowed):
        raise Missing(f"There is no such {record.one.lower()}.")
    return _verdict(rule, actor, found.allowed)

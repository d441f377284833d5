"""Why: whether somebody may do something, asked of the very rule that decides it."""

from dataclasses import dataclass

from quire.actor import Actor
from quire.declare.record import VERBS, Record
from quire.declare.rules import Rule
from quire.errors import NotFound
from quire.store import rows
from quire.store.db import read_connection

OPERATIONS = (*VERBS, "permanent")
"""What can be asked about every type, beside its own actions."""
WITHOUT_ROW = ("create", "read")
"""What is done to no record in particular: making one, and listing them."""


@dataclass(frozen=True)
class AccessDecision:
    """The answer of a rule: its words complete "This requires ..."; `missing` is None when allowed."""

    allowed: bool
    rule: str
    missing: str | None


def rule_of(record: Record, operation: str) -> Rule | None:
    """The rule that decides about `operation`; None when there is no such thing."""
    if operation in OPERATIONS:
        rule: Rule = getattr(record.access, operation)
        return rule
    action = record.action(operation)
    return None if action is None else action.allow


def _decision(rule: Rule, actor: Actor, allowed: bool) -> AccessDecision:
    return AccessDecision(allowed, rule.needs, None if allowed else rule.unmet(actor))


def decide_for_type(rule: Rule, actor: Actor) -> AccessDecision:
    """Whether `actor` may do something at all: to a record that is not there yet, or to some."""
    return _decision(rule, actor, rule(actor) is not False)


def decide_for_row(
    record: Record, asker: Actor, actor: Actor, rule: Rule, id: int
) -> AccessDecision:
    """Whether `actor` may do something to one record. Raises NotFound where `asker` sees none.

    A type that is closed to the asker is not looked at: the refusal tells nothing of its records.
    """
    if record.allows(asker, "read") is False and rule(actor) is False:
        return _decision(rule, actor, False)
    with read_connection() as connection:
        seen = rows.load(connection, record, asker, id, rule)
        found = seen if actor == asker else rows.load(connection, record, actor, id, rule)
    if seen is None or found is None or not (seen.shown or seen.allowed):
        raise NotFound(f"There is no such {record.noun}.")
    return _decision(rule, actor, found.allowed)

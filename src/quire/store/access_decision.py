"""Explains whether an actor may do something, using the rule that decides it."""

from dataclasses import dataclass

from quire.actor import Actor
from quire.declare.record import VERBS, Record
from quire.declare.rules import Rule
from quire.errors import no_such
from quire.store.changes import rows
from quire.store.db import read_connection

OPERATIONS = (*VERBS, "permanent")
"""The operations of every type, besides its own actions."""
WITHOUT_ROW = ("create", "read")
"""The operations that concern no particular record: creating one, and listing them."""


@dataclass(frozen=True)
class AccessDecision:
    """The outcome of a rule. `rule` and `missing` complete "This requires ..."; `missing` is None when allowed."""

    allowed: bool
    rule: str
    missing: str | None


def rule_of(record: Record, operation: str) -> Rule | None:
    """The rule that decides about `operation`; None when there is no such operation."""
    is_known = operation in OPERATIONS or record.action(operation) is not None
    return record.rule(operation) if is_known else None


def _decision(rule: Rule, actor: Actor, allowed: bool) -> AccessDecision:
    return AccessDecision(allowed, rule.needs, None if allowed else rule.unmet(actor))


def decide_for_type(rule: Rule, actor: Actor) -> AccessDecision:
    """Whether `actor` may do something at all, to a new record or to some existing ones."""
    return _decision(rule, actor, rule(actor) is not False)


def decide_for_row(
    record: Record, asker: Actor, actor: Actor, rule: Rule, id: int
) -> AccessDecision:
    """Whether `actor` may do something to one record. Raises NotFound if `asker` cannot see it.

    Records of a type that is closed to the asker are not read, so the refusal reveals nothing about them.
    """
    if record.allows(asker, "read") is False and rule(actor) is False:
        return _decision(rule, actor, False)
    with read_connection() as connection:
        asker_row = rows.load(connection, record, asker, id, rule)
        row = asker_row if actor == asker else rows.load(connection, record, actor, id, rule)
    if asker_row is None or row is None or not (asker_row.visible or asker_row.allowed):
        raise no_such(record.noun)
    return _decision(rule, actor, row.allowed)

"""Rules that ask another record type: who may read the post may read what was said below it."""

from typing import Any

from sqlalchemy import exists, select

from quire.actor import Actor
from quire.declare.record import record_of
from quire.declare.rules import Answer, Rule


def through(column: Any, table: str, verb: str) -> Rule:
    """Rows whose `column` refers to a record of `table` that the actor may `verb`."""

    def answer(actor: Actor) -> Answer:
        target = record_of(table)
        rule: Rule = getattr(target.policy, verb)
        inner = rule(actor)
        if isinstance(inner, bool):
            return inner
        # EXISTS looks at one row; IN would first gather all that the actor may see
        return exists(select(1).select_from(target.table).where(target.table.c.id == column, inner))

    return Rule(answer, f"to be allowed to {verb} one of the {table}")

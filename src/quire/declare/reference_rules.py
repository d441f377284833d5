"""Rules that follow a reference: those who may read a post may read its comments."""

from typing import Any

from sqlalchemy import Table, exists, select

from quire.actor import Actor
from quire.declare.record import record_of
from quire.declare.rules import Answer, Rule


def via(column: Any, table: str, verb: str) -> Rule:
    """Allow rows whose `column` refers to a record of `table` that the actor may `verb`."""

    def answer(actor: Actor) -> Answer:
        target = record_of(table)
        rule: Rule = getattr(target.declared_access, verb)
        inner = rule(actor)
        if isinstance(inner, bool):
            return inner
        # EXISTS looks at one row; IN would first collect everything that the actor may see
        statement = select(1).select_from(target.table).where(target.table.c.id == column, inner)
        # its own alias of the table, since the statement around it may have joined the same table
        statement = statement.correlate_except(target.table)
        name = index_by_id(target.table)
        return exists(
            statement.with_hint(target.table, f"INDEXED BY {name}", "sqlite") if name else statement
        )

    needs = f"that you can {verb} its {column.key.removesuffix('_id')}"
    return Rule(answer, needs, reference=(column, table, verb))


def index_by_id(table: Table) -> str | None:
    """Return the index by id that covers the columns which decide who may see a row; None if there is none.

    Without it, SQLite would read the row itself, which is many times as long.
    """
    names = (one.name for one in table.indexes if next(iter(one.columns)) is table.c.id)
    return next(map(str, names), None)

"""Which of some records a rule holds for: so that a page offers only what would not be refused."""

from collections.abc import Collection, Mapping

from sqlalchemy import select

from quire.actor import Actor
from quire.declare.record import Record
from quire.declare.rules import Rule
from quire.store.db import read_connection
from quire.store.read import rule_params


def rights(
    record: Record, actor: Actor, rules: Mapping[str, Rule], ids: Collection[int]
) -> dict[int, set[str]]:
    """For each of `ids` the names of those of `rules` that hold for it, asked in one statement.

    The store asks again when it comes to a change.
    """
    answers = {name: rule(actor) for name, rule in rules.items()}
    found = {id: {name for name, answer in answers.items() if answer is True} for id in ids}
    asked = {name: one for name, one in answers.items() if not isinstance(one, bool)}
    if not (asked and ids):
        return found
    flags = (one.label(f"right_{i}") for i, one in enumerate(asked.values()))
    rows = select(record.table.c.id, *flags).where(record.table.c.id.in_(ids))
    with read_connection() as connection:
        for id, *allowed in connection.execute(rows, rule_params(actor)):
            found[id].update(name for name, flag in zip(asked, allowed, strict=True) if flag)
    return found


def may(record: Record, actor: Actor, verb: str, id: int) -> bool:
    """Whether `actor` may update, delete or permanently delete this one."""
    return bool(rights(record, actor, {verb: getattr(record.access, verb)}, (id,))[id])

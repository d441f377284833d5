"""Finds the records for which a rule holds, so that a page offers only what would be allowed."""

from collections.abc import Collection, Mapping

from sqlalchemy import select

from quire.actor import Actor
from quire.declare.record import Record
from quire.declare.rules import Rule, rule_params
from quire.store.db import read_connection


def rights(
    record: Record, actor: Actor, rules: Mapping[str, Rule], ids: Collection[int]
) -> dict[int, set[str]]:
    """For each of `ids`, the names of the `rules` that hold for it, found by one statement.

    The change itself checks the rule again.
    """
    answers = {name: rule(actor) for name, rule in rules.items()}
    names_by_id = {id: {name for name, answer in answers.items() if answer is True} for id in ids}
    conditions = {name: one for name, one in answers.items() if not isinstance(one, bool)}
    if not (conditions and ids):
        return names_by_id
    flags = (one.label(f"right_{i}") for i, one in enumerate(conditions.values()))
    statement = select(record.table.c.id, *flags).where(record.table.c.id.in_(ids))
    with read_connection() as connection:
        for id, *values in connection.execute(statement, rule_params(actor)):
            names_by_id[id].update(
                name for name, flag in zip(conditions, values, strict=True) if flag
            )
    return names_by_id


def sees_all_titles(record: Record, actor: Actor, verb: str) -> bool:
    """Whether the rules of `verb` and of the title let `actor` see the titles of all records, whatever their values.

    A rule that is an SQL condition cannot be evaluated for a deleted row.
    """
    is_visible = record.visible_fields(actor).get(record.title_field) is True
    return is_visible and record.allows(actor, verb) is True


def may(record: Record, actor: Actor, verb: str, id: int) -> bool:
    """Whether `actor` may update, delete or permanently delete this record."""
    return bool(rights(record, actor, {verb: record.rule(verb)}, (id,))[id])

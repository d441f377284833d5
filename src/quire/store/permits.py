"""Which of some records a rule holds for: so that a page offers only what would not be refused."""

from collections.abc import Collection

from sqlalchemy import select

from quire.actor import Actor
from quire.declare.record import Action, Record
from quire.declare.rules import Rule
from quire.store.db import reading
from quire.store.read import bound


def permitted(record: Record, actor: Actor, rule: Rule, ids: Collection[int]) -> set[int]:
    """Those of `ids` that `rule` holds for; the store asks again when it comes to a change."""
    answer = rule(actor)
    if isinstance(answer, bool) or not ids:
        return set(ids) if answer is True else set()
    rows = select(record.table.c.id).where(record.table.c.id.in_(ids), answer)
    with reading() as connection:
        return set(connection.execute(rows, bound(actor)).scalars())


def may(record: Record, actor: Actor, verb: str, id: int) -> bool:
    """Whether `actor` may update, delete or permanently delete this one."""
    return id in permitted(record, actor, getattr(record.access, verb), (id,))


def may_act(record: Record, actor: Actor, action: Action, id: int) -> bool:
    """Whether `actor` may use `action` on this one."""
    return id in permitted(record, actor, action.allow, (id,))

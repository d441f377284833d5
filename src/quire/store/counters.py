"""Counters and marks beside a record: they change without a new version, an audit row or an event."""

from functools import cache
from typing import Any

from sqlalchemy import bindparam, update

from quire.declare.record import REGISTRY
from quire.store.db import transaction
from quire.store.statements import Prepared


def increment(path: str, id: int, name: str, by: int) -> None:
    """Add `by` to the counter `name` of one record, in the open transaction if there is one."""
    with transaction() as connection:
        _incremented(path, name)(connection, {"record": id, "by": by})


def increment_many(path: str, name: str, by_id: dict[int, int]) -> None:
    """Add to the counter `name` of several records, so much for each id; who is gone is left out."""
    added = [{"record": id, "by": by} for id, by in sorted(by_id.items())]
    with transaction() as connection:
        _incremented(path, name)(connection, added)


def touch(path: str, id: int, **values: Any) -> None:
    """Set columns of one record that note how it is used, such as when it was seen last."""
    table = REGISTRY[path].table
    with transaction() as connection:
        connection.execute(update(table).where(table.c.id == id).values(**values))


@cache
def _incremented(path: str, name: str) -> Prepared:
    table = REGISTRY[path].table
    grown = {name: table.c[name] + bindparam("by", type_=table.c[name].type)}
    return Prepared(update(table).where(table.c.id == bindparam("record")).values(grown))

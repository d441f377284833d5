"""Counters and times of use, which change without a new version, audit row or event."""

from contextlib import suppress
from functools import cache
from typing import Any

from sqlalchemy import bindparam, update

from quire.declare.record import REGISTRY
from quire.errors import Unavailable
from quire.store.connections.prepared_statements import Prepared
from quire.store.connections.writer_lock import brief_wait
from quire.store.db import transaction


def increment(path: str, id: int, name: str, by: int) -> None:
    """Add `by` to the counter `name` of one record, in the open transaction if there is one."""
    with transaction() as connection:
        _increment_statement(path, name)(connection, {"record": id, "by": by})


def increment_many(path: str, name: str, by_id: dict[int, int]) -> None:
    """Add to the counter `name` of several records, by id; records that are gone are skipped."""
    parameters = [{"record": id, "by": by} for id, by in sorted(by_id.items())]
    with transaction() as connection:
        _increment_statement(path, name)(connection, parameters)


def touch(path: str, id: int, **values: Any) -> None:
    """Set columns of one record that describe its use, such as when it was last seen."""
    table = REGISTRY[path].table
    with transaction() as connection:
        connection.execute(update(table).where(table.c.id == id).values(**values))


def touch_if_free(path: str, id: int, **values: Any) -> None:
    """Like `touch`, but skipped while the database is busy; a later request records the use."""
    with suppress(Unavailable), brief_wait():
        touch(path, id, **values)


@cache
def _increment_statement(path: str, name: str) -> Prepared:
    table = REGISTRY[path].table
    values = {name: table.c[name] + bindparam("by", type_=table.c[name].type)}
    counts = update(table).where(table.c.id == bindparam("record")).values(values)
    return Prepared(counts, deferred=True)

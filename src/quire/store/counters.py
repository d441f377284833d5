"""Counters beside a record: they change without a new version, an audit row or an event."""

from sqlalchemy import update

from quire.declare.record import REGISTRY
from quire.store.db import transaction


def count(path: str, id: int, name: str, by: int) -> None:
    """Add `by` to the counter `name` of one record, in the open transaction if there is one."""
    table = REGISTRY[path].table
    more = {name: table.c[name] + by}
    with transaction() as connection:
        connection.execute(update(table).where(table.c.id == id).values(more))

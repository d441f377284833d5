"""Totals of lists, counted once and kept while they cannot have changed.

A count walks the whole index; at a million rows it is nearly all that a page costs.
"""

from typing import Any

from sqlalchemy import Connection, Select

from quire.store.lasting import unchanged


def total(connection: Connection, key: Any, counting: Select[Any], values: dict[str, Any]) -> int:
    """How many rows `counting` counts; `key` stands for the statement and its values but the time.

    `values` holds the present as `now`.
    """
    if connection.get_execution_options().get("writes"):
        return _count(connection, counting, values)
    kept = unchanged(connection, values["now"])
    if key not in kept:
        kept[key] = _count(connection, counting, values)
    number: int = kept[key]
    return number


def _count(connection: Connection, counting: Select[Any], values: dict[str, Any]) -> int:
    return int(connection.execute(counting, values).scalar_one())

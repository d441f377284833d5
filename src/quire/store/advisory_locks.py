"""Advisory locks, which belong to no row, for decisions that depend on several rows."""

from sqlalchemy import Text, bindparam, func, select, text

from quire.store.db import has_one_writer, in_transaction, transaction
from quire.store.statements import Prepared

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
_name = func.hashtextextended(bindparam("name", type_=Text), 0)
_try_lock = Prepared(select(func.pg_try_advisory_xact_lock(_name)))


def advisory_lock(name: str) -> None:
    """Make others who lock the same name wait until the open transaction ends.

    For limits on the number of rows: take it after the row itself is locked and before the others
    are counted. SQLite has one writer and needs none.
    https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
    """
    assert in_transaction(), "a lock ends with its transaction"
    if not has_one_writer():
        with transaction() as connection:
            connection.execute(_LOCK, {"name": name})


def try_advisory_lock(name: str) -> bool:
    """Lock `name` until the open transaction ends, without waiting; whether nobody else has it.

    SQLite has one writer: whoever is in a transaction is alone.
    """
    assert in_transaction(), "a lock ends with its transaction"
    if has_one_writer():
        return True
    with transaction() as connection:
        return bool(_try_lock(connection, {"name": name}).scalar())

"""Advisory locks, which are tied to no row, for decisions that depend on several rows."""

from sqlalchemy import Text, bindparam, func, text

from quire.store.db import has_one_writer, in_transaction, transaction

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
TRY_LOCK = func.pg_try_advisory_xact_lock(
    func.hashtextextended(bindparam("lock_name", type_=Text), 0)
)
"""Tries to lock `lock_name` until the transaction ends, without waiting; true if it succeeds. PostgreSQL only."""


def advisory_lock(name: str) -> None:
    """Make other transactions that lock the same name wait until the open one ends.

    For limits on the number of rows: take it after the row itself is locked and before the others
    are counted. SQLite has one writer and needs none.
    https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
    """
    assert in_transaction(), "a lock ends with its transaction"
    if not has_one_writer():
        with transaction() as connection:
            connection.execute(_LOCK, {"name": name})

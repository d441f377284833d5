"""The query plans of the statements of a call."""

from collections.abc import Callable

from sqlalchemy import Engine, event

from quire.store import cache
from quire.store.db import db


def query_plans(
    engine: Engine, call: Callable[[], object], containing: str = "SELECT", without=("seqscan",)
) -> list[str]:
    """Return the plan of each statement of the call that contains the word, in the order they were sent.

    `without` names plan types that PostgreSQL must avoid if possible: a table of a few rows is read and sorted as a
    whole, and the test is whether it need not be.
    """
    sent = []
    cache._entries.clear()  # tests begin with the same rows, whose totals may be known

    def note(connection, cursor, statement, parameters, *rest):
        if containing in statement and not statement.startswith("PRAGMA"):
            sent.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    try:
        call()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    with engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            return [_explain(connection, "EXPLAIN QUERY PLAN", *one) for one in sent]
        # connections autocommit: without a transaction, the next test would get the settings
        connection.exec_driver_sql("BEGIN")
        for way in without:
            connection.exec_driver_sql(f"SET LOCAL enable_{way} = off")
        plans = [_explain(connection, "EXPLAIN", *one) for one in sent]
        connection.exec_driver_sql("ROLLBACK")
        return plans


def _explain(connection, words, statement, parameters):
    rows = connection.exec_driver_sql(f"{words} {statement}", parameters)
    return "\n".join(str(row[-1]) for row in rows)


def sqlite_steps(call: Callable[[], object]) -> int:
    """Return how many hundred instructions SQLite runs for the call, by the engine of the application."""
    steps = []
    with db.engine.connect() as connection:
        driver = connection.connection.driver_connection
    driver.set_progress_handler(lambda: steps.append(1) and 0, 100)
    try:
        call()
    finally:
        driver.set_progress_handler(None, 0)
    return len(steps)

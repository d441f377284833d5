"""Statements that the driver runs are heard of, begin transactions and fail as those of SQLAlchemy."""

import pytest
from sqlalchemy import event, insert, select
from sqlalchemy.exc import IntegrityError

from quire.actor import SYSTEM
from quire.store import audit
from quire.store.connections.prepared_statements import Prepared
from quire.store.data_versions import DataVersion
from quire.store.db import db, transaction

VERSIONS = DataVersion.__table__
ROW = {"name": "nothing", "shard": 0, "version": 1}
add = Prepared(insert(VERSIONS))


@pytest.fixture
def engine(app):
    with app.app_context():
        yield db.engine


def test_listeners_are_called(engine):
    heard = []

    def note(connection, cursor, statement, parameters, context, many):
        heard.append((statement.split()[0], many))

    event.listen(engine, "before_cursor_execute", note)
    event.listen(engine, "after_cursor_execute", note)
    try:
        with transaction() as connection:
            add(connection, ROW)
    finally:
        event.remove(engine, "before_cursor_execute", note)
        event.remove(engine, "after_cursor_execute", note)
    assert heard == [("INSERT", False)] * 2


def test_error_is_that_of_sqlalchemy(engine):
    with pytest.raises(IntegrityError) as caught, transaction() as connection:
        add(connection, ROW)
        add(connection, ROW)
    assert "INSERT INTO data_versions" in str(caught.value)


def test_first_statement_begins_a_transaction(engine):
    find = Prepared(select(VERSIONS.c.version).where(VERSIONS.c.name == "nothing"))
    with engine.connect() as connection:
        assert find(connection, {}) == []
        assert connection.in_transaction()


def test_id_of_a_row_is_returned(engine):
    table, rows = audit.AuditEvent.__table__, ("one", "two")
    with transaction() as connection:
        ids = [
            Prepared(insert(table)).insert_one(
                connection, audit.audit_row(SYSTEM, one, "posts", 7, [])
            )
            for one in rows
        ]
        stored = connection.execute(select(table.c.id, table.c.action).where(table.c.id.in_(ids)))
        assert sorted(stored) == list(zip(ids, rows, strict=True))

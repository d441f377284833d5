"""Statements that nobody waits for go with the next one or with the commit, on PostgreSQL as one message."""

from contextlib import contextmanager
from unittest.mock import patch

import pytest
from sqlalchemy import Float, bindparam, event, func, insert, select, text
from sqlalchemy.exc import IntegrityError

from quire.actor import SYSTEM
from quire.errors import QueryTimeout
from quire.records import TAGS
from quire.store import audit, data_versions, write
from quire.store.connections import deferred_statements, statement_timer
from quire.store.connections.prepared_statements import Prepared
from quire.store.db import db, transaction
from tests.monitoring.log_setup import logging_to
from tests.users import signed_in

ROW = audit.audit_row(SYSTEM, "open", "doors", 7, ["it's 100 %", 'a "word"; \\'])


sleep = Prepared(select(func.pg_sleep(bindparam("seconds", type_=Float()))), deferred=True)


@pytest.fixture
def postgresql(app):
    with app.app_context():
        if db.engine.dialect.name != "postgresql":
            pytest.skip("SQLite is no server")


@pytest.fixture
def app_in_context(app, postgresql):
    with app.app_context():
        yield app


@contextmanager
def messages():
    """The statements of each message with several."""
    sent, send = [], data_versions.run_together

    def note(cursor, statements):
        sent.append([one.text for one in statements])
        send(cursor, statements)

    with patch.object(data_versions, "run_together", note):
        yield sent


def rows():
    """Return the details of `doors` events, as other connections see them."""
    statement = text("SELECT fields FROM audit_events WHERE type = 'doors'")
    with db.engine.connect() as connection:
        return connection.execute(statement).scalars().all()


def test_deferred_statements_are_one_message(app_in_context):
    with messages() as sent:
        write.create(TAGS, SYSTEM, {"name": "sea"})
    (statements,) = sent
    tables = [one.split()[2] for one in statements[:-1]]
    assert tables == ["audit_events", "outbox", "revisions", "search_documents", "data_versions"]
    assert statements[-1] == "COMMIT"


def test_values_are_written_exactly(app_in_context):
    with transaction() as connection:
        audit.insert_rows(connection, [ROW])
    assert rows() == [ROW["fields"]]


def test_later_statements_see_them(app_in_context):
    with messages() as sent, transaction() as connection:
        audit.insert_rows(connection, [ROW])
        audit.insert_rows(connection, [ROW])
        count = text("SELECT count(*) FROM audit_events WHERE type = 'doors'")
        assert connection.execute(count).scalar_one() == 2
    assert [len(one) for one in sent] == [2]  # the commit had nothing to bring along


def test_they_are_rolled_back_with_their_transaction(app_in_context):
    with pytest.raises(ZeroDivisionError), transaction() as connection:
        audit.insert_rows(connection, [ROW])
        raise ZeroDivisionError
    with transaction() as connection:  # most likely on the same connection
        connection.execute(text("SELECT 1"))
    assert rows() == []


def test_they_are_rolled_back_with_a_savepoint(app_in_context):
    def fail(connection):
        with connection.begin_nested():
            audit.insert_rows(connection, [ROW])
            raise ZeroDivisionError

    with transaction() as connection, pytest.raises(ZeroDivisionError):
        fail(connection)
    assert rows() == []


def test_error_is_raised_by_the_commit(app_in_context):
    with pytest.raises(IntegrityError), transaction() as connection:
        audit.insert_rows(connection, [{**ROW, "actor_id": 999_999}])
        audit.insert_rows(connection, [ROW])
    assert rows() == []
    with transaction() as connection:
        audit.insert_rows(connection, [ROW])
    assert len(rows()) == 1


def test_long_values_are_sent_alone(app_in_context, monkeypatch):
    monkeypatch.setattr(deferred_statements, "LONGEST_VALUES", 5)
    with messages() as sent, transaction() as connection:
        audit.insert_rows(connection, [ROW])
    assert sent == []
    assert rows() == [ROW["fields"]]


def test_statements_outside_a_transaction_run_immediately(app_in_context):
    insert_at_once = Prepared(insert(audit.AuditEvent.__table__), deferred=True)
    with db.engine.connect() as connection:
        insert_at_once(connection, ROW)
    assert len(rows()) == 1


def test_each_message_is_one_statement_to_operators(app, postgresql, people, quiet_server):
    mod, single = signed_in(app, people["mod"]), []
    mod.get("tags")
    with app.app_context():
        engine = db.engine

    def note(connection, cursor, statement, *rest):
        single.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        with messages() as sent:
            answer = mod.post("tags", json={"name": "sea"})
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert len(sent) == 1
    assert f'desc="{len(single) + 1} statements"' in answer.headers["Server-Timing"]


@pytest.mark.parametrize("last", ["the commit", "another statement"])
def test_slow_messages_are_logged_without_values(postgresql, make_app, tmp_path, last):
    app = make_app(SLOW_SQL_MS=20)
    with logging_to(tmp_path) as read, app.app_context(), transaction() as connection:
        sleep(connection, {"seconds": 0.0234567})
        audit.insert_rows(connection, [ROW])
        if last != "the commit":
            connection.execute(text("SELECT 1"))
    (line,) = [one for one in read().splitlines() if "pg_sleep(" in one]
    assert "INSERT INTO audit_events" in line and ("COMMIT" in line) is (last == "the commit")
    assert "0.0234567" not in line and "doors" not in line


def test_slow_message_is_stopped(postgresql, make_app, monkeypatch):
    monkeypatch.setattr(statement_timer, "TICK_SECONDS", 0.05)
    app = make_app(REQUEST_STATEMENT_SECONDS=0.2)
    with app.test_request_context("/"):
        assert app.preprocess_request() is None
        with pytest.raises(QueryTimeout), transaction() as connection:
            audit.insert_rows(connection, [ROW])
            sleep(connection, {"seconds": 20})
    with app.app_context():
        assert rows() == []

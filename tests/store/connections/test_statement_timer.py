"""The time of requests in the database: statements are counted, and stopped when a request takes too long."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from quire.errors import QueryTimeout, Unavailable
from quire.records import TAGS
from quire.store.connections import statement_timer
from quire.store.connections.statement_timer import StatementTimer
from quire.store.db import nested_transaction, read_connection, transaction

ENDLESS = (
    "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n % 7 + 1 FROM numbers) "
    "SELECT count(*) FROM numbers"
)


def counting_to(number):
    """Return a statement whose time grows with the number."""
    return text(ENDLESS.replace("n % 7 + 1 FROM numbers", f"n + 1 FROM numbers WHERE n < {number}"))


@pytest.fixture
def app(make_app, monkeypatch):
    """An application whose requests may take little time in the database."""
    monkeypatch.setattr(statement_timer, "TICK_SECONDS", 0.05)
    return make_app(REQUEST_STATEMENT_SECONDS=0.2)


@pytest.fixture
def in_request(app):
    """`in_request(call)`: what the call raises, and a statement in the same thread afterwards."""

    def run(call):
        with app.test_request_context("/"):
            assert app.preprocess_request() is None
            with pytest.raises(QueryTimeout) as stopped:
                call()
        with app.app_context(), read_connection() as connection:
            assert connection.execute(text("SELECT 1")).scalar() == 1
        return stopped.value

    return run


def test_restarted_request_has_one_timer(app):
    with app.test_request_context("/"):
        app.preprocess_request()
        first = statement_timer.current_timer()
        app.preprocess_request()  # as after the loss of a replica
        assert statement_timer.current_timer() is first
    assert statement_timer.current_timer() is None
    assert first not in statement_timer._running


def names():
    with read_connection() as connection:
        return list(connection.execute(text("SELECT name FROM tags ORDER BY name")).scalars())


def endless(connection):
    return connection.execute(text(ENDLESS)).scalar()


def write_and_be_slow(statement):
    with transaction() as connection:
        connection.execute(text("UPDATE tags SET name = 'changed'"))
        with nested_transaction():
            connection.execute(text(statement))


def test_read_is_stopped_and_its_connection_stays_usable(in_request):
    def read():
        with read_connection() as connection:
            endless(connection)

    problem = in_request(read)
    assert (problem.status, problem.code) == (503, "too_costly")
    assert "longer than 0.2 seconds" in problem.message and problem.headers["Retry-After"]


@pytest.mark.parametrize(
    "statement", [ENDLESS, f"UPDATE tags SET name = 'b' WHERE ({ENDLESS}) = 0"]
)
def test_stopped_change_is_rolled_back(app, make, in_request, statement):
    make(TAGS, name="first")
    in_request(lambda: write_and_be_slow(statement))
    with app.app_context():
        assert names() == ["first"]


def test_many_short_statements_add_up(in_request):
    def read():
        with read_connection() as connection:
            for _ in range(100_000):
                connection.execute(counting_to(2000)).scalar()

    in_request(read)


def test_time_for_fetching_rows_on_sqlite_counts(in_request):
    rows = ENDLESS.replace("count(*)", "n") + " LIMIT 3000000"

    def read():
        with read_connection() as connection:
            found = connection.execute(text(rows))
            while found.fetchmany(10_000) and found.fetchone():
                pass

    in_request(read)


def test_background_statements_are_not_limited(app):
    with app.app_context(), read_connection() as connection:
        assert connection.execute(counting_to(900_000)).scalar() == 900_000


def test_database_errors_are_unchanged(app):
    with app.test_request_context("/"):
        app.preprocess_request()
        with pytest.raises((Unavailable, ProgrammingError)) as refused, read_connection() as one:
            one.execute(text("SELECT * FROM nowhere"))
    assert not isinstance(refused.value, QueryTimeout)


def test_statements_are_counted_individually_or_together():
    timer = StatementTimer(1)
    timer.count = 1
    assert 'desc="1 statement", app;dur=' in timer.server_timing()
    timer.count, timer.seconds = 3, 0.0123
    assert timer.server_timing().startswith('db;dur=12.3;desc="3 statements", app;dur=')


def test_idle_connection_is_not_stopped(app, monkeypatch):
    calls = []
    monkeypatch.setattr(statement_timer, "_interrupt", calls.append)
    timer = StatementTimer(0)
    timer.seconds = 1
    timer.stop_when_due()
    assert calls == []

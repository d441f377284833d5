"""PostgreSQL: what conflicts is run again, what takes too long is a 503 that says why."""

import threading
import time
from types import SimpleNamespace

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateIndex

from quire.errors import QueryTimeout, TransactionConflict, Unavailable
from quire.records import TAGS
from quire.store import bulk
from quire.store.changes import rows
from quire.store.connections.outages import COSTLY, IDLE, LOCKED, translate_outages
from quire.store.connections.postgresql import declare_partial_indexes, missing_role_settings
from quire.store.db import Model, db, has_one_writer, snapshot, transaction
from quire.store.engine import update_statistics
from quire.store.transactions import retries
from quire.store.transactions.retries import ATTEMPTS, retry_conflicts, run_again
from tests.databases import on_postgresql
from tests.users import signed_in

only_postgresql = pytest.mark.skipif(not on_postgresql(), reason="SQLite has one writer")


class Conflicts:
    """A change that conflicts as often as it is told."""

    def __init__(self, times):
        self.times, self.calls = times, 0

    def __call__(self):
        self.calls += 1
        if self.calls <= self.times:
            raise TransactionConflict
        return self.calls


@pytest.fixture
def pauses(monkeypatch):
    """The seconds that were waited."""
    seconds = []
    monkeypatch.setattr(retries, "time", SimpleNamespace(sleep=seconds.append))
    return seconds


def test_conflict_is_retried_a_bounded_number_of_times(app, pauses):
    with app.app_context():
        assert run_again(Conflicts(ATTEMPTS - 1)) == ATTEMPTS
        hopeless = Conflicts(100)
        with pytest.raises(TransactionConflict) as refused:
            run_again(hopeless)
    assert hopeless.calls == ATTEMPTS
    assert refused.value.headers["Retry-After"] == "1"
    assert len(pauses) == 2 * (ATTEMPTS - 1)
    assert max(pauses) <= retries.PAUSE_SECONDS * 2**ATTEMPTS


def test_only_the_outermost_call_is_retried(app, pauses):
    hopeless = Conflicts(100)
    with app.app_context():
        with pytest.raises(TransactionConflict):
            run_again(retry_conflicts(hopeless.__call__))
        assert hopeless.calls == ATTEMPTS
        with pytest.raises(TransactionConflict), transaction():
            run_again(hopeless)
        assert hopeless.calls == ATTEMPTS + 1


def meeting(monkeypatch):
    """Let two threads lock their first row each, before either goes on to its second."""
    barrier, seen, load = threading.Barrier(2), threading.local(), rows.load_for_update

    def load_and_wait(*args, **kwargs):
        loaded = load(*args, **kwargs)
        if not getattr(seen, "before", False):
            seen.before = True
            barrier.wait(10)
        return loaded

    monkeypatch.setattr(rows, "load_for_update", load_and_wait)


def both(*calls):
    """Return the results of two calls in two threads."""
    answers = {}
    threads = [
        threading.Thread(target=lambda n=n, call=call: answers.update({n: call()}))
        for n, call in enumerate(calls)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return [answers[n] for n in range(len(calls))]


@pytest.fixture
def quick_deadlocks(app):
    """Deadlocks are looked for after 10 ms instead of a second, on new connections."""
    with app.app_context():
        name = db.engine.url.database
        with db.engine.connect() as connection:
            connection.execute(text(f"ALTER DATABASE {name} SET deadlock_timeout = '10ms'"))
        db.engine.dispose()
        yield
        with db.engine.connect() as connection:
            connection.execute(text(f"ALTER DATABASE {name} RESET deadlock_timeout"))
        db.engine.dispose()


@only_postgresql
@pytest.mark.parametrize("kind", ["atomic", "independent", "with a key"])
def test_bulk_calls_in_opposite_order_both_succeed(
    app, people, make, monkeypatch, quick_deadlocks, database_log, kind
):
    ids = [make(TAGS, name=name) for name in ("a", "b")]
    clients = [signed_in(app, people["root"]) for _ in range(2)]
    atomic = kind != "independent"

    def send(number):
        order = ids if number == 0 else ids[::-1]
        operations = [
            {"op": "update", "id": id, "data": {"description": f"by {number}"}} for id in order
        ]
        headers = {"Idempotency-Key": f"key-{number}"} if kind == "with a key" else {}
        return clients[number].post(
            "/api/v1/tags/bulk", json={"operations": operations, "atomic": atomic}, headers=headers
        )

    meeting(monkeypatch)
    answers = both(lambda: send(0), lambda: send(1))
    assert [one.status_code for one in answers] == [200, 200], [one.json for one in answers]
    shown = {clients[0].get(f"/api/v1/tags/{id}").json["description"] for id in ids}
    assert len(shown) == 1
    assert [clients[0].get(f"/api/v1/tags/{id}").json["version"] for id in ids] == [3, 3]
    assert len([one for one in database_log.records if "rolled back a change" in one.message]) == 1


@only_postgresql
def test_serialization_failure_is_a_conflict(app, make):
    id = make(TAGS, name="a")
    change = text("UPDATE tags SET description = 'x' WHERE id = :id")
    refused = pytest.raises(TransactionConflict)
    with app.app_context(), refused, translate_outages(), snapshot() as connection:
        connection.execute(text("SELECT 1 FROM tags"))
        with transaction() as other:
            other.execute(change, {"id": id})
        connection.execute(change, {"id": id})


@only_postgresql
@pytest.mark.parametrize(
    ("name", "statement", "error", "cause"),
    [
        ("statement_timeout", "SELECT pg_sleep(5)", QueryTimeout, COSTLY),
        ("lock_timeout", "UPDATE tags SET description = 'y'", Unavailable, LOCKED),
        ("idle_in_transaction_session_timeout", "SELECT 1", Unavailable, IDLE),
    ],
)
def test_slow_statement_has_its_own_error(app, make, database_log, name, statement, error, cause):
    make(TAGS, name="a")
    with app.app_context():
        other = create_engine(db.engine.url)
        with other.connect() as blocking:
            blocking.execute(text("UPDATE tags SET description = 'x'"))
            with pytest.raises(error) as refused, transaction() as connection:
                connection.execute(text(f"SET LOCAL {name} = '20ms'"))
                time.sleep(0.1 if cause == IDLE else 0)
                connection.execute(text(statement))
        other.dispose()
    assert refused.value.status == 503
    assert int(refused.value.headers["Retry-After"]) > 0
    assert [one.message.startswith(cause) for one in database_log.records] == [True]


@only_postgresql
def test_sessions_have_limits_except_for_long_work(app):
    asked = text(
        "SELECT current_setting('statement_timeout'), current_setting('lock_timeout'), "
        "current_setting('idle_in_transaction_session_timeout'), current_setting('timezone')"
    )
    with app.app_context():
        assert not has_one_writer()
        with db.engine.connect() as connection:
            assert tuple(connection.execute(asked).one()) == ("30s", "5s", "1min", "UTC")
            assert missing_role_settings(connection) == []
        with snapshot() as connection:
            assert tuple(connection.execute(asked).one()) == ("0", "0", "0", "UTC")
        with db.engine.connect() as connection:
            assert tuple(connection.execute(asked).one()) == ("30s", "5s", "1min", "UTC")


def test_bulk_call_forgets_rolled_back_rows(app, people, make, monkeypatch, pauses):
    """Whatever the database: the second attempt has each change once."""
    id = make(TAGS, name="a")
    keep, failures = bulk.store_changes, [TransactionConflict()]

    def keep_at_second(*args):
        if failures:
            raise failures.pop()
        return keep(*args)

    monkeypatch.setattr(bulk, "store_changes", keep_at_second)
    operation = {"op": "update", "id": id, "data": {"description": "x"}}
    client = signed_in(app, people["root"])
    answer = client.post("/api/v1/tags/bulk", json={"operations": [operation]})
    assert answer.status_code == 200
    assert client.get(f"/api/v1/tags/{id}").json["version"] == 2
    assert len(pauses) == 1


@only_postgresql
def test_tables_are_analyzed_after_many_inserts(app, make):
    seen = text("SELECT count(*) FROM pg_stats WHERE tablename = 'tags' AND attname = 'slug'")
    with app.app_context():
        make(TAGS, name="Sea")
        make(TAGS, name="Sky")
        update_statistics()
        with db.engine.connect() as connection:
            assert connection.execute(seen).scalar_one() == 1


def test_partial_indexes_are_partial_on_both_databases():
    declare_partial_indexes(Model.metadata)
    indexes = [one for table in Model.metadata.tables.values() for one in table.indexes]
    partial = [one for one in indexes if "where" in one.info]
    assert len(partial) > 4
    for index in partial:
        for dialect in (sqlite.dialect(), postgresql.dialect()):
            assert str(CreateIndex(index).compile(dialect=dialect)).endswith(index.info["where"])

"""Idempotency keys between processes, and transactions whose commit is deferred."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from quire.actor import SYSTEM
from quire.errors import Conflict, IdempotencyKeyReused
from quire.jobs import maintenance
from quire.records import TAGS
from quire.store import db as db_module
from quire.store.db import (
    deferred_commit,
    immediate_commits,
    in_transaction,
    on_commit,
    on_rollback,
    transaction,
)
from quire.store.idempotency_keys import (
    AlreadyAnswered,
    KeyedRequest,
    StoredAnswer,
    find_answer,
    one_effect,
    store_answer,
)
from quire.store.transactions.advisory_locks import advisory_lock
from quire.store.write import create

ASKED, OTHER = KeyedRequest("a" * 64, "b" * 64), KeyedRequest("a" * 64, "c" * 64)
ANSWER = StoredAnswer(201, b"{}", '"v1-0"', "/api/v1/tags/1")


@pytest.fixture
def app_in_context(app):
    with app.app_context():
        yield app


def elsewhere(app, call):
    """Run `call` as another thread or process would."""

    def run():
        with app.app_context():
            call()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(run).result()


def names(app):
    """Return the names of all tags that other connections see."""
    found = []

    def look():
        with db_module.db.engine.connect() as connection:
            found.extend(connection.execute(text("SELECT name FROM tags ORDER BY id")).scalars())

    elsewhere(app, look)
    return found


def make(name):
    return create(TAGS, SYSTEM, {"name": name})


def do_nothing(connection):
    """Do no work at the beginning of a transaction."""


def test_response_and_change_are_committed_together(app_in_context):
    with one_effect(ASKED):
        make("sea")
        store_answer(ASKED, ANSWER)
        assert in_transaction()
    assert not in_transaction()
    assert names(app_in_context) == ["sea"]
    assert find_answer(ASKED) == ANSWER
    with pytest.raises(IdempotencyKeyReused):
        find_answer(OTHER)


def test_failed_request_stores_neither_record_nor_response(app_in_context):
    with pytest.raises(RuntimeError), one_effect(ASKED):
        make("sea")
        store_answer(ASKED, ANSWER)
        raise RuntimeError
    assert names(app_in_context) == []
    assert find_answer(ASKED) is None
    with one_effect(ASKED):
        make("sea")


def test_response_without_a_change_is_stored(app_in_context):
    with one_effect(ASKED):
        store_answer(ASKED, ANSWER)
    assert find_answer(ASKED) == ANSWER


def test_concurrent_request_with_the_same_key_is_refused(app_in_context):
    with one_effect(ASKED):
        with pytest.raises(Conflict) as refused, one_effect(OTHER):
            pass
        with one_effect(KeyedRequest("d" * 64, "b" * 64)):
            pass
    assert refused.value.code == "request_in_progress"
    with one_effect(ASKED):
        pass


def test_request_answered_by_another_process_changes_nothing(app_in_context):
    with pytest.raises(AlreadyAnswered) as earlier, one_effect(ASKED):
        elsewhere(app_in_context, lambda: store_answer(ASKED, ANSWER))
        make("sea")
    assert earlier.value.answer == ANSWER
    with pytest.raises(IdempotencyKeyReused), one_effect(OTHER):
        make("sea")
    assert names(app_in_context) == []


def test_stored_response_is_found_before_an_immediate_commit(app_in_context):
    store_answer(ASKED, ANSWER)
    with pytest.raises(AlreadyAnswered), one_effect(ASKED), immediate_commits():
        make("sea")
    assert names(app_in_context) == []


def test_request_answered_during_its_transaction_is_a_conflict(app_in_context):
    if db_module.has_one_writer():
        pytest.skip("nobody else writes once it has begun")
    with pytest.raises(Conflict), one_effect(ASKED):
        make("sea")
        elsewhere(app_in_context, lambda: store_answer(ASKED, ANSWER))
        store_answer(ASKED, ANSWER)
    assert names(app_in_context) == []
    assert find_answer(ASKED) == ANSWER


def test_expired_response_is_replaced(app_in_context, stop_clock):
    store_answer(ASKED, ANSWER)
    assert maintenance.prune()["idempotency keys"] == 0
    stop_clock(hours=24)
    assert find_answer(OTHER) is None
    with one_effect(OTHER):
        make("sea")
        store_answer(OTHER, ANSWER)
    assert find_answer(OTHER) == ANSWER
    stop_clock(hours=48)
    assert maintenance.prune()["idempotency keys"] == 1


def test_locked_key_of_another_process_is_refused_without_waiting(app_in_context):
    if db_module.has_one_writer():
        pytest.skip("one process writes at a time")
    with transaction():
        advisory_lock(f"idempotency key {ASKED.digest}")
        elsewhere(app_in_context, lambda: _refused(ASKED))
    with one_effect(ASKED):
        make("sea")


def _refused(asked):
    with pytest.raises(Conflict) as refused, one_effect(asked):
        make("sea")
    assert refused.value.code == "request_in_progress"


def test_deferred_commit_begins_with_the_first_transaction(app_in_context):
    begun, done = [], []
    with deferred_commit(begun.append):
        assert not in_transaction()
        for name in ("sea", "moon"):
            with transaction():
                make(name)
                on_commit(lambda name=name: done.append(name))
        assert (names(app_in_context), done, len(begun)) == ([], [], 1)
    assert (names(app_in_context), done) == (["sea", "moon"], ["sea", "moon"])


def test_failed_first_transaction_is_rolled_back_immediately(app_in_context):
    begun, undone = [], []
    with deferred_commit(begun.append):
        with pytest.raises(Conflict), transaction():
            make("sea")
            make("sea")
        assert not in_transaction()
        on_rollback(lambda: undone.append(1))
        make("moon")
    assert (names(app_in_context), len(begun), undone) == (["moon"], 2, [])


def test_failure_after_the_first_transaction_rolls_it_back(app_in_context):
    undone = []
    with pytest.raises(RuntimeError), deferred_commit(do_nothing):
        on_rollback(lambda: undone.append(1))
        make("sea")
        raise RuntimeError
    assert (names(app_in_context), undone, in_transaction()) == ([], [1], False)


def test_immediate_commits_are_not_deferred(app_in_context):
    with pytest.raises(RuntimeError), deferred_commit(do_nothing):
        with immediate_commits():
            make("sea")
        assert names(app_in_context) == ["sea"]
        make("moon")
        raise RuntimeError
    assert names(app_in_context) == ["sea"]


def test_commit_callback_has_its_own_transaction(app_in_context):
    begun = []
    with deferred_commit(begun.append), transaction():
        on_commit(lambda: make("sea"))
    assert (names(app_in_context), len(begun)) == (["sea"], 1)

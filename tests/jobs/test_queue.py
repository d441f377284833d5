"""Jobs: handlers, claims, retries, permanent failures, batches and periodic tasks."""

import logging
import math
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import delete as sql_delete
from sqlalchemy import select, update

from quire.actor import SYSTEM
from quire.declare import job_registry
from quire.declare.clock import now
from quire.declare.job_registry import (
    PermanentFailure,
    Reschedule,
    on_event,
    on_event_batch,
    periodic,
)
from quire.jobs import maintenance, runner
from quire.jobs.worker import run_due_jobs, running_workers
from quire.records import TAGS
from quire.store.db import read_connection, transaction
from quire.store.events import queue
from quire.store.events.outbox import OutboxEvent, enqueue
from quire.store.write import create, delete
from quire.store.write import update as change

TABLE = OutboxEvent.__table__


@pytest.fixture(autouse=True)
def registry(monkeypatch):
    """Restore the job registry after each test."""
    monkeypatch.setattr(job_registry, "HANDLERS", {**job_registry.HANDLERS})
    for name, kind in (("SCHEDULE", dict), ("PER_PROCESS", list)):
        fresh = kind()
        monkeypatch.setattr(job_registry, name, fresh)
        for module in ("runner", "worker"):
            monkeypatch.setattr(f"quire.jobs.{module}.{name}", fresh, raising=False)


@pytest.fixture(autouse=True)
def app_in_context(app):
    """Run each test in the application context with an empty outbox."""
    with app.app_context():
        with transaction() as connection:
            connection.execute(sql_delete(TABLE))
        yield


def rows(*where):
    with read_connection() as connection:
        return connection.execute(select(TABLE).where(*where).order_by(TABLE.c.id)).all()


def hasten():
    with transaction() as connection:
        due = TABLE.c.due_at.is_not(None)
        connection.execute(update(TABLE).where(due).values(due_at=now()))


def test_change_event_is_handled_once():
    seen = []
    on_event("tags.created")(seen.append)
    id = create(TAGS, SYSTEM, {"name": "sea"}).id
    change(TAGS, SYSTEM, id, {"name": "lake"})
    run_due_jobs()
    run_due_jobs()
    [job] = seen
    assert (job.event, job.kind, job.record_id, job.version) == ("tags.created", "created", id, 1)
    [row] = rows(TABLE.c.event == "tags.created")
    assert job.id == row.id and row.delivered_at and row.due_at is None and row.attempts == 1


def test_handler_of_a_type_gets_all_its_events():
    seen = []
    on_event("tags")(lambda job: seen.append(job.kind))
    id = create(TAGS, SYSTEM, {"name": "sea"}).id
    change(TAGS, SYSTEM, id, {"name": "lake"})
    delete(TAGS, SYSTEM, id)
    run_due_jobs()
    assert seen == ["created", "updated", "deleted"]


def test_event_without_a_handler_is_never_due():
    create(TAGS, SYSTEM, {"name": "sea"})
    assert [row.due_at for row in rows()] == [None] and queue.claim() is None


def test_sqlite_outbox_indexes_are_partial():
    assert all(index.dialect_kwargs["sqlite_where"] is not None for index in TABLE.indexes)


def test_handled_event_takes_no_more_statements(statements):
    _, unhandled = statements(create, TAGS, SYSTEM, {"name": "sea"})
    on_event("tags.created")(print)
    _, handled = statements(create, TAGS, SYSTEM, {"name": "lake"})
    assert len(handled) == len(unhandled)


def test_finished_job_without_a_record_is_deleted():
    seen = []
    on_event("letters.burn")(lambda job: seen.append((job.record_id, job.data)))
    enqueue("letters.burn", 7, how="slowly")
    run_due_jobs()
    assert seen == [(7, {"how": "slowly"})] and rows() == []


def test_failed_job_is_retried_later(caplog):
    def unlucky(job):
        seen.append(job.attempts)
        if len(seen) < 3:
            raise ZeroDivisionError("too bad")

    seen = []
    on_event("letters.burn")(unlucky)
    enqueue("letters.burn")
    run_due_jobs()
    run_due_jobs()
    [row] = rows()
    assert seen == [1] and row.error == "ZeroDivisionError: too bad" and row.due_at > now()
    assert "next try in 10 s" in caplog.text
    for _ in range(2):
        hasten()
        run_due_jobs()
    assert seen == [1, 2, 3] and rows() == []


def test_retry_delays_grow_up_to_a_limit():
    assert [runner.retry_delay(n) for n in (1, 2, 3, 9, 1000)] == [10, 30, 90, 21_600, 21_600]


def test_job_is_given_up_and_kept_after_the_last_attempt():
    on_event("letters.burn")(lambda job: 1 / 0)
    enqueue("letters.burn")
    for _ in range(runner.MAX_ATTEMPTS + 2):
        hasten()
        run_due_jobs()
    [row] = rows()
    assert row.attempts == runner.MAX_ATTEMPTS and row.due_at is None
    assert row.failed_at and row.error == "ZeroDivisionError: division by zero"


def test_permanent_failure_is_given_up_immediately():
    def hopeless(job):
        raise PermanentFailure("No paper.")

    on_event("letters.burn")(hopeless)
    enqueue("letters.burn")
    enqueue("letters.fold")  # which has no handler
    run_due_jobs()
    assert [(r.attempts, r.error) for r in rows()] == [
        (1, "No paper."),
        (1, "Nobody handles this."),
    ]


def test_only_the_failed_handler_is_called_again():
    def first(job):
        seen.append("first")

    def second(job):
        seen.append("second")
        if seen.count("second") == 1:
            raise OSError("away")

    seen = []
    on_event("tags.created")(first)
    on_event("tags")(second)
    create(TAGS, SYSTEM, {"name": "sea"})
    run_due_jobs()
    hasten()
    run_due_jobs()
    assert seen == ["first", "second", "second"]


@pytest.mark.parametrize("number", [1, 7, 15])
def test_batch_of_jobs_takes_one_commit(count_sql, monkeypatch, number):
    monkeypatch.setattr(runner, "BATCH", 5)
    seen = []
    on_event_batch("letters.burn")(lambda jobs: seen.append([job.data["n"] for job in jobs]))
    for n in range(number):
        enqueue("letters.burn", n=n)
    commits, _ = count_sql(run_due_jobs)
    assert commits == math.ceil(number / 5)
    assert seen == [list(range(number))[n : n + 5] for n in range(0, number, 5)] and rows() == []


def test_record_events_stay_after_a_batch():
    on_event_batch("tags.created")(list)
    for name in ("sea", "lake"):
        create(TAGS, SYSTEM, {"name": name})
    run_due_jobs()
    assert [(row.attempts, row.due_at) for row in rows()] == [(1, None)] * 2
    assert all(row.delivered_at for row in rows())


def test_batch_contains_only_one_event_name(monkeypatch):
    monkeypatch.setattr(runner, "BATCH", 2)
    seen = []
    on_event_batch("letters.burn")(lambda jobs: seen.append([job.record_id for job in jobs]))
    on_event("letters.fold")(lambda job: seen.append(job.record_id))
    for event, id in ("burn", 1), ("fold", 2), ("burn", 3), ("burn", 4):
        enqueue(f"letters.{event}", id)
    with transaction() as connection:
        connection.execute(update(TABLE).values(due_at=now()))
    run_due_jobs()
    assert seen == [[1, 3], 2, [4]] and rows() == []


def test_batch_is_searched_among_a_limited_number_of_jobs():
    for _ in range(queue.BATCHES_AHEAD * 2):
        enqueue("letters.fold")
    enqueue("letters.burn")
    assert queue.lock_batch("letters.burn", 2) == []
    assert len(queue.lock_batch("letters.burn", 3)) == 1


def test_jobs_of_a_failed_batch_run_one_by_one(caplog):
    def burn(jobs):
        seen.append([job.record_id for job in jobs])
        enqueue("letters.ashes", jobs[0].record_id)
        if 2 in seen[-1]:
            raise ZeroDivisionError("too bad")

    seen = []
    on_event_batch("letters.burn")(burn)
    for id in (1, 2, 3):
        enqueue("letters.burn", id)
    run_due_jobs()
    assert seen == [[1, 2, 3], [1], [2], [3]]
    [row] = rows(TABLE.c.event == "letters.burn")
    assert (row.record_id, row.attempts, row.failed_at) == (2, 1, None) and row.due_at > now()
    assert "3 jobs failed together" in caplog.text
    hasten()
    run_due_jobs()
    assert seen[4:] == [[2]], "a failed job is never part of a batch again"


def test_dying_worker_leaves_its_batch_unchanged():
    def burn(jobs):
        seen.append(len(jobs))
        enqueue("letters.ashes")
        if len(seen) == 1:
            raise SystemExit

    seen = []
    on_event_batch("letters.burn")(burn)
    for _ in range(3):
        enqueue("letters.burn")
    before = rows()
    with pytest.raises(SystemExit):
        run_due_jobs()
    assert rows() == before
    run_due_jobs()
    assert seen == [3, 3] and {row.event for row in rows()} == {"letters.ashes"}


def test_event_with_an_unbatched_handler_runs_one_by_one():
    def burn(jobs):
        seen.append(len(jobs))

    def note(job):
        seen.append("one")

    seen = []
    on_event_batch("letters.burn")(burn)
    on_event("letters")(note)
    for _ in range(2):
        enqueue("letters.burn")
    run_due_jobs()
    assert seen == [1, "one", 1, "one"] and rows() == []


def run_by_four_workers(app):
    """Run all due jobs with four concurrent workers."""

    def run():
        with app.app_context():
            run_due_jobs()

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(run) for _ in range(4)]:
            done.result()


def test_concurrent_workers_run_each_batch_once(app, monkeypatch):
    monkeypatch.setattr(runner, "BATCH", 4)
    seen = []
    on_event_batch("letters.burn")(lambda jobs: seen.extend(job.id for job in jobs))
    for _ in range(40):
        enqueue("letters.burn")
    run_by_four_workers(app)
    assert len(seen) == len(set(seen)) == 40 and rows() == []


def test_finished_job_is_recorded_with_the_next_claim(count_sql):
    seen = []
    on_event("letters.burn")(seen.append)
    for _ in range(5):
        enqueue("letters.burn")
    commits, _ = count_sql(run_due_jobs)
    assert commits == 1 + 5 and len(seen) == 5 and rows() == []


def test_single_jobs_do_not_take_jobs_of_batches():
    seen = []
    on_event("letters.fold")(lambda job: seen.append(job.record_id))
    on_event_batch("letters.burn")(lambda jobs: seen.append([job.record_id for job in jobs]))
    for event, id in ("fold", 1), ("fold", 2), ("burn", 3), ("burn", 4), ("fold", 5):
        enqueue(f"letters.{event}", id)
    with transaction() as connection:
        connection.execute(update(TABLE).values(due_at=now()))
    run_due_jobs()
    assert seen == [1, 2, [3, 4], 5] and rows() == []


def test_stopping_worker_claims_no_more_jobs():
    stopping, seen = threading.Event(), []

    def burn(job):
        seen.append(job.record_id)
        stopping.set()

    on_event("letters.burn")(burn)
    for id in (1, 2):
        enqueue("letters.burn", id)
    run_due_jobs(stopping)
    [row] = rows()
    assert seen == [1] and (row.record_id, row.attempts) == (2, 0)


def test_long_job_among_others_runs_once():
    """The extended claim is the one marked as done."""
    seen = []
    on_event("letters.burn", seconds=7200)(seen.append)
    for _ in range(3):
        enqueue("letters.burn")
    run_due_jobs()
    assert len(seen) == 3 and rows() == []


def test_concurrent_workers_run_each_job_once(app):
    def slow(job):
        time.sleep(0.002)
        seen.append(job.id)

    seen = []
    on_event("letters.burn")(slow)
    for _ in range(40):
        enqueue("letters.burn")
    run_by_four_workers(app)
    assert len(seen) == len(set(seen)) == 40 and rows() == []


def test_claim_of_a_dead_worker_expires(monkeypatch):
    on_event("letters.burn")(print)
    enqueue("letters.burn")
    first = queue.claim()
    assert queue.claim() is None
    moment = now() + timedelta(seconds=job_registry.LEASE_SECONDS)
    monkeypatch.setattr(queue, "now", lambda: moment)
    second = queue.claim()
    assert (first.id, first.attempts, second.attempts) == (second.id, 1, 2)
    queue.fail(first, "late")  # it was slow, not dead, and the job now belongs to another worker
    queue.mark_done(first)
    assert [row.failed_at for row in rows()] == [None]
    queue.mark_done(second)
    assert rows() == []


def test_handler_can_extend_its_claim():
    held = []
    on_event("letters.burn", seconds=7200)(lambda job: held.append(rows()[0].due_at - now()))
    enqueue("letters.burn")
    run_due_jobs()
    assert held[0] > timedelta(seconds=7100) and rows() == []


def test_handler_can_shorten_its_claim():
    held = []
    on_event("letters.burn", seconds=30)(lambda job: held.append(rows()[0].due_at - now()))
    enqueue("letters.burn")
    run_due_jobs()
    assert held[0] <= timedelta(seconds=30) and rows() == []


def test_rescheduled_job_lets_others_run_in_between():
    seen = []

    def burn(job):
        seen.append((job.event, job.attempts))
        if len(seen) < 5:
            raise Reschedule

    on_event("letters.burn")(burn)
    on_event("letters.send")(lambda job: seen.append((job.event, job.attempts)))
    enqueue("letters.burn")
    enqueue("letters.send")
    with transaction() as connection:  # both have been due for a while
        moment = now() - timedelta(seconds=60)
        connection.execute(update(TABLE).values(due_at=moment))
    run_due_jobs()
    assert seen == [
        ("letters.burn", 1), ("letters.send", 1), *[("letters.burn", 1)] * 3,
    ] and rows() == []  # fmt: skip


def test_periodic_task_runs_once_for_all_processes(app):
    seen = []

    @periodic(3600)
    def sweep():
        seen.append("swept")

    for _ in range(2):
        queue.schedule(job_registry.SCHEDULE)
    [row] = rows()
    assert row.event == "every.sweep" and now() < row.due_at <= now() + timedelta(seconds=60)
    hasten()
    run_due_jobs()
    [row] = rows()
    assert seen == ["swept"] and row.due_at > now() + timedelta(seconds=3500)
    queue.schedule({})
    assert rows() == []


def test_periodic_task_is_never_given_up(app):
    @periodic(3600)
    def sweep():
        raise PermanentFailure("no broom")

    queue.schedule(job_registry.SCHEDULE)
    for _ in range(runner.MAX_ATTEMPTS + 1):
        hasten()
        run_due_jobs()
    [row] = rows()
    assert row.failed_at is None and row.due_at and row.error == "no broom"


def test_per_process_task_runs_periodically_and_at_shutdown(app, caplog):
    seen, twice = [], threading.Event()

    @periodic(0.01, per_process=True)
    def flush():
        seen.append(1)
        if len(seen) == 3:
            twice.set()
        raise ZeroDivisionError

    with caplog.at_level(logging.CRITICAL), running_workers(app):
        assert twice.wait(20)
        before = len(seen)
    assert len(seen) > before and not [t for t in threading.enumerate() if t.name == "jobs"]


def test_old_events_are_deleted_but_not_due_jobs(app, monkeypatch):
    create(TAGS, SYSTEM, {"name": "sea"})
    enqueue("letters.burn")
    maintenance.prune_outbox()
    assert len(rows()) == 2
    later = now() + timedelta(days=app.config["CHANGES_DAYS"], seconds=1)
    monkeypatch.setattr(maintenance, "now", lambda: later)
    maintenance.prune_outbox()
    assert [row.event for row in rows()] == ["letters.burn"]

"""Jobs: who handles what, once at a time, again after errors, given up at last; now and then."""

import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import delete as sql_delete
from sqlalchemy import select, update

from quire.actor import SYSTEM
from quire.declare import jobs
from quire.declare.clock import now
from quire.declare.jobs import Hopeless, every, handles
from quire.jobs import attempt, upkeep
from quire.jobs.worker import work_off, working
from quire.records import TAGS
from quire.store import queue
from quire.store.db import reading, transaction
from quire.store.outbox import OutboxEvent, owe
from quire.store.write import create, delete
from quire.store.write import update as change

TABLE = OutboxEvent.__table__


@pytest.fixture(autouse=True)
def registry(monkeypatch):
    """What a test registers is forgotten after it."""
    monkeypatch.setattr(jobs, "HANDLERS", {**jobs.HANDLERS})
    for name, kind in (("SCHEDULE", dict), ("IN_EACH_PROCESS", list)):
        fresh = kind()
        monkeypatch.setattr(jobs, name, fresh)
        for module in ("attempt", "worker"):
            monkeypatch.setattr(f"quire.jobs.{module}.{name}", fresh, raising=False)


@pytest.fixture(autouse=True)
def inside(app):
    """All this happens inside the application, whose outbox is empty."""
    with app.app_context():
        with transaction() as connection:
            connection.execute(sql_delete(TABLE))
        yield


def rows(*where):
    with reading() as connection:
        return connection.execute(select(TABLE).where(*where).order_by(TABLE.c.id)).all()


def hasten():
    with transaction() as connection:
        due = TABLE.c.due_at.is_not(None)
        connection.execute(update(TABLE).where(due).values(due_at=now()))


def test_a_change_is_handled_once():
    seen = []
    handles("tags.created")(seen.append)
    id = create(TAGS, SYSTEM, {"name": "sea"}).id
    change(TAGS, SYSTEM, id, {"name": "lake"})
    work_off()
    work_off()
    [job] = seen
    assert (job.event, job.kind, job.record_id, job.version) == ("tags.created", "created", id, 1)
    [row] = rows(TABLE.c.event == "tags.created")
    assert job.id == row.id and row.delivered_at and row.due_at is None and row.attempts == 1


def test_a_type_names_all_its_events():
    seen = []
    handles("tags")(lambda job: seen.append(job.kind))
    id = create(TAGS, SYSTEM, {"name": "sea"}).id
    change(TAGS, SYSTEM, id, {"name": "lake"})
    delete(TAGS, SYSTEM, id)
    work_off()
    assert seen == ["created", "updated", "deleted"]


def test_what_nobody_handles_is_never_due():
    create(TAGS, SYSTEM, {"name": "sea"})
    assert [row.due_at for row in rows()] == [None] and queue.claim() is None


def test_a_handled_event_costs_no_more_statements(statements):
    _, unhandled = statements(create, TAGS, SYSTEM, {"name": "sea"})
    handles("tags.created")(print)
    _, handled = statements(create, TAGS, SYSTEM, {"name": "lake"})
    assert len(handled) == len(unhandled)


def test_a_job_that_is_no_change_is_gone_when_it_is_done():
    seen = []
    handles("letters.burn")(lambda job: seen.append((job.record_id, job.data)))
    owe("letters.burn", 7, how="slowly")
    work_off()
    assert seen == [(7, {"how": "slowly"})] and rows() == []


def test_errors_are_tried_again_later(caplog):
    def unlucky(job):
        seen.append(job.attempts)
        if len(seen) < 3:
            raise ZeroDivisionError("too bad")

    seen = []
    handles("letters.burn")(unlucky)
    owe("letters.burn")
    work_off()
    work_off()
    [row] = rows()
    assert seen == [1] and row.error == "ZeroDivisionError: too bad" and row.due_at > now()
    assert "next try in 10 s" in caplog.text
    for _ in range(2):
        hasten()
        work_off()
    assert seen == [1, 2, 3] and rows() == []


def test_pauses_grow():
    assert [attempt.pause(n) for n in (1, 2, 3, 9, 1000)] == [10, 30, 90, 21_600, 21_600]


def test_in_the_end_a_job_is_given_up_and_kept():
    handles("letters.burn")(lambda job: 1 / 0)
    owe("letters.burn")
    for _ in range(attempt.MOST_ATTEMPTS + 2):
        hasten()
        work_off()
    [row] = rows()
    assert row.attempts == attempt.MOST_ATTEMPTS and row.due_at is None
    assert row.failed_at and row.error == "ZeroDivisionError: division by zero"


def test_the_hopeless_is_given_up_at_once():
    def hopeless(job):
        raise Hopeless("No paper.")

    handles("letters.burn")(hopeless)
    owe("letters.burn")
    owe("letters.fold")  # which nobody handles
    work_off()
    assert [(r.attempts, r.error) for r in rows()] == [
        (1, "No paper."),
        (1, "Nobody handles this."),
    ]


def test_of_two_handlers_only_the_one_that_failed_is_called_again():
    def first(job):
        seen.append("first")

    def second(job):
        seen.append("second")
        if seen.count("second") == 1:
            raise OSError("away")

    seen = []
    handles("tags.created")(first)
    handles("tags")(second)
    create(TAGS, SYSTEM, {"name": "sea"})
    work_off()
    hasten()
    work_off()
    assert seen == ["first", "second", "second"]


def test_many_workers_do_each_job_once(app):
    def slow(job):
        time.sleep(0.002)
        seen.append(job.id)

    def run():
        with app.app_context():
            work_off()

    seen = []
    handles("letters.burn")(slow)
    for _ in range(40):
        owe("letters.burn")
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(run) for _ in range(4)]:
            done.result()
    assert len(seen) == len(set(seen)) == 40 and rows() == []


def test_the_claim_of_a_dead_worker_ends(monkeypatch):
    handles("letters.burn")(print)
    owe("letters.burn")
    first = queue.claim()
    assert queue.claim() is None
    moment = now() + timedelta(seconds=jobs.LEASE_SECONDS)
    monkeypatch.setattr(queue, "now", lambda: moment)
    second = queue.claim()
    assert (first.id, first.attempts, second.attempts) == (second.id, 1, 2)
    queue.fail(first, "late")  # it was slow, not dead: the job is another's now
    queue.done(first)
    assert [row.failed_at for row in rows()] == [None]
    queue.done(second)
    assert rows() == []


def test_what_takes_longer_may_say_so():
    held = []
    handles("letters.burn", seconds=7200)(lambda job: held.append(rows()[0].due_at - now()))
    owe("letters.burn")
    work_off()
    assert held[0] > timedelta(seconds=7100) and rows() == []


def test_now_and_then_once_for_all(app):
    seen = []

    @every(3600)
    def sweep():
        seen.append("swept")

    for _ in range(2):
        queue.schedule(jobs.SCHEDULE)
    [row] = rows()
    assert row.event == "every.sweep" and now() < row.due_at <= now() + timedelta(seconds=60)
    hasten()
    work_off()
    [row] = rows()
    assert seen == ["swept"] and row.due_at > now() + timedelta(seconds=3500)
    queue.schedule({})
    assert rows() == []


def test_what_is_done_now_and_then_is_never_given_up(app):
    @every(3600)
    def sweep():
        raise Hopeless("no broom")

    queue.schedule(jobs.SCHEDULE)
    for _ in range(attempt.MOST_ATTEMPTS + 1):
        hasten()
        work_off()
    [row] = rows()
    assert row.failed_at is None and row.due_at and row.error == "no broom"


def test_each_process_does_its_own_now_and_then_and_at_the_end(app, caplog):
    seen, twice = [], threading.Event()

    @every(0.01, in_each_process=True)
    def flush():
        seen.append(1)
        if len(seen) == 3:
            twice.set()
        raise ZeroDivisionError

    with caplog.at_level(logging.CRITICAL), working(app):
        assert twice.wait(20)
        before = len(seen)
    assert len(seen) > before and not [t for t in threading.enumerate() if t.name == "jobs"]


def test_old_events_are_forgotten(monkeypatch):
    create(TAGS, SYSTEM, {"name": "sea"})
    owe("letters.burn")
    upkeep.prune_outbox()
    assert len(rows()) == 2
    later = now() + timedelta(days=upkeep.EVENT_DAYS, seconds=1)
    monkeypatch.setattr(upkeep, "now", lambda: later)
    upkeep.prune_outbox()
    assert [row.event for row in rows()] == ["letters.burn"]

"""With many pending deliveries, each step still reads only the rows it needs."""

import re

import pytest

from quire.actor import SYSTEM
from quire.declare.clock import now
from quire.jobs.runner import run_job
from quire.jobs.webhooks import fan_out, send
from quire.records import TAGS
from quire.store.db import db, transaction
from quire.store.events import queue
from quire.store.events.change_feed import catch_up
from quire.store.write import create
from tests.jobs.webhooks.conftest import TABLE, deliveries
from tests.query_plans import query_plans

BACKLOG = 300
NEVER = ("seqscan", "bitmapscan", "sort")
"""Plan types of PostgreSQL that are right for few rows."""


@pytest.fixture
def webhook(subscribe):
    """The id of a webhook with many deliveries, all due since the same time."""
    id, moment = subscribe("tags.*").id, now()
    usual = {"webhook_id": id, "event": "tags.created", "type": "tags", "event_at": moment}
    rows = [
        {**usual, "message_id": f"m{n}", "record_id": n + 1000, "next_attempt_at": moment}
        for n in range(BACKLOG)
    ]
    with transaction() as connection:
        connection.execute(TABLE.insert(), rows)
    return id


def test_next_delivery_is_found_without_sorting(webhook):
    [plan] = query_plans(db.engine, lambda: send._next_due(webhook), "SELECT", NEVER)
    assert "ix_deliveries_due" in plan
    assert not re.search(r"Sort|TEMP B-TREE|SCAN|Hash|Materialize.*deliveries", plan), plan


def test_new_deliveries_are_released_without_reading_older_ones(webhook):
    ids = [create(TAGS, SYSTEM, {"name": f"t{n}"}).id for n in range(3)]
    catch_up()
    [plan] = query_plans(db.engine, fan_out.fan_out, "UPDATE deliveries", NEVER)
    assert re.search(r"(Index Cond: |USING INDEX ).*id ?>", plan), plan
    new = deliveries()[BACKLOG:]
    assert [one.record_id for one in new] == ids and all(one.next_attempt_at for one in new)


def test_webhooks_take_turns(subscribe, webhook, monkeypatch, stop_clock):
    """A webhook with a long backlog sends for a while, then another one does."""
    monkeypatch.setattr(send, "BEGIN_SECONDS", 0.001)
    other = subscribe("tags.*").id
    create(TAGS, SYSTEM, {"name": "sea"})
    fan_out.queue_deliveries()
    turns = []
    while len(turns) < 2:
        stop_clock(seconds=5 * len(turns) + 1)
        job = queue.claim()
        run_job(job)
        turns += [job.record_id] if job.event == fan_out.SEND else []
    assert turns == [webhook, other]
    assert {one.webhook_id for one in deliveries() if one.status == "delivered"} == set(turns)

"""Webhook deliveries are signed, in order for each record, and retried until accepted or given up."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import delete as sql_delete
from sqlalchemy import select
from sqlalchemy import update as sql_update
from standardwebhooks import Webhook as Verifier
from werkzeug.http import http_date

from quire.actor import SYSTEM
from quire.declare.clock import now
from quire.jobs import maintenance
from quire.jobs.webhooks import fan_out, send
from quire.jobs.webhooks.fan_out import queue_deliveries
from quire.jobs.worker import run_due_jobs, running_workers
from quire.records import API_KEYS, DELIVERIES, POSTS, TAGS, WEBHOOKS
from quire.records.webhooks import Webhook, WebhookSecret
from quire.store.db import read_connection, transaction
from quire.store.events.outbox import OutboxEvent, wake_worker
from quire.store.read import get_record
from quire.store.write import act, create, delete, update
from tests.jobs.webhooks.conftest import TABLE, deliveries, hasten, listening, work
from tests.jobs.webhooks.conftest import send as answer


def set_columns(table, **values):
    with transaction() as connection:
        connection.execute(sql_update(table).values(values))


def webhook(id):
    return get_record(WEBHOOKS, SYSTEM, id)


def failing(*statuses):
    """Return a receiver that answers with these statuses one after the other, then with 204."""
    waiting = list(statuses)
    return lambda handler, message: answer(handler, waiting.pop(0) if waiting else 204)


def test_event_is_delivered_with_a_valid_signature(subscribe, receiver, make_post):
    secret = subscribe("posts.created").revealed["secret"]
    id = make_post(title="Sea")
    work()
    [message] = receiver.messages
    body = Verifier(secret).verify(message.body, message.headers)
    assert (body["type"], body["data"]["type"], body["data"]["id"]) == (
        "posts.created",
        "posts",
        id,
    )
    assert body["data"]["version"] == 1 and body["data"]["record"]["title"] == "Sea"
    [row] = deliveries()
    assert (row.status, row.attempts, row.response_status, row.error) == ("delivered", 1, 204, None)
    assert row.message_id == message.headers["webhook-id"] and row.next_attempt_at is None


def test_record_is_sent_as_an_administrator_reads_it(subscribe, receiver, make_post, as_):
    subscribe("posts.*")
    id = make_post()
    work()
    assert receiver.messages[0].json["data"]["record"] == as_("root").get(f"posts/{id}").json


def test_secrets_are_never_sent(subscribe, receiver, people):
    subscribe("*")
    owner = people["ann"].id
    create(API_KEYS, SYSTEM, {"name": "k", "scopes": ["posts:read"], "owner": owner})
    create(WEBHOOKS, SYSTEM, {"url": "https://example.org/", "events": ["*"], "owner": owner})
    work()
    assert receiver.heard[0][0] == "api_keys.created" and receiver.heard[1][0] == "webhooks.created"
    for message in receiver.messages:
        assert not {"key", "hash", "secret"} & message.json["data"]["record"].keys()


def test_only_subscribed_events_are_sent_in_commit_order(subscribe, receiver, make_post):
    subscribe("posts.updated", "posts.deleted")
    id = make_post()
    update(POSTS, SYSTEM, id, {"title": "B"})
    delete(POSTS, SYSTEM, id)
    work()
    assert receiver.heard == [("posts.updated", id), ("posts.deleted", id)]
    assert receiver.messages[1].json["data"]["record"] is None


def test_new_webhook_gets_neither_older_nor_its_own_events(subscribe, receiver, make_post):
    make_post()
    made = subscribe("*")
    update(WEBHOOKS, SYSTEM, made.id, {"description": "Changed"})
    id = make_post()
    work()
    assert receiver.heard == [("posts.created", id)]


def test_scheduled_events_are_sent_once_at_their_time(subscribe, receiver, make_post, stop_clock):
    subscribe("posts.published", "posts.unpublished")
    soon, later = (now() + timedelta(hours=n) for n in (1, 3))
    id = make_post(published_at=f"{soon:%FT%TZ}", unpublish_at=f"{later:%FT%TZ}")
    work()
    assert receiver.heard == []
    stop_clock(hours=2)
    work()
    work()
    assert receiver.heard == [("posts.published", id)]
    stop_clock(hours=4)
    work()
    assert receiver.heard[1:] == [("posts.unpublished", id)]


def test_failed_delivery_is_retried_after_5_seconds_with_its_id(subscribe, receiver, make_post):
    receiver.answer = failing(500)
    made = subscribe("posts.created")
    make_post()
    work()
    [row] = deliveries()
    assert (row.status, row.attempts, row.response_status) == ("pending", 1, 500)
    assert row.error == "The receiver answered 500."
    assert timedelta(0) < row.next_attempt_at - now() <= timedelta(seconds=5)
    assert webhook(made.id)["failures"] == 1
    work()
    assert len(receiver.messages) == 1
    hasten()
    work()
    first, second = (message.headers["webhook-id"] for message in receiver.messages)
    assert first == second and deliveries()[0].status == "delivered"
    assert webhook(made.id)["failures"] == 0


@pytest.mark.parametrize(
    ("told", "shortest", "longest"),
    [
        ("3600", 3590, 3600),
        ("2", 0, 5),
        ("999999999", 86390, 86400),
        ("99999999999999999999", 0, 5),
        ("-5", 0, 5),
        ("soon", 0, 5),
        (lambda: http_date(now() + timedelta(hours=2)), 7100, 7201),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0, 5),
    ],
)
def test_retry_after_of_the_receiver_extends_the_pause(
    subscribe, receiver, make_post, told, shortest, longest
):
    wait = told() if callable(told) else told
    receiver.answer = lambda handler, message: answer(handler, 503, **{"Retry-After": wait})
    subscribe("posts.created")
    make_post()
    work()
    pause = deliveries()[0].next_attempt_at - now()
    assert timedelta(seconds=shortest) < pause <= timedelta(seconds=longest)


def test_delivery_is_given_up_after_twelve_attempts_in_three_days(subscribe, receiver, make_post):
    receiver.answer = failing(*[503] * 20)
    subscribe("posts.created")
    make_post()
    for number in range(1, 14):
        work()
        row = deliveries()[0]
        assert row.status == ("pending" if number < 12 else "failed")
        hasten()
    assert row.attempts == len(receiver.messages) == 12 and row.next_attempt_at is None
    assert timedelta(days=2.5) < timedelta(seconds=sum(send.PAUSES)) < timedelta(days=3.5)
    assert sorted(send.PAUSES) == list(send.PAUSES)


def test_failure_holds_back_later_events_of_the_same_record_only(subscribe, receiver, make_post):
    first, second = make_post(), make_post()
    subscribe("posts.updated")
    receiver.answer = failing(500)
    for title in "BC":
        update(POSTS, SYSTEM, first, {"title": title})
    update(POSTS, SYSTEM, second, {"title": "B"})
    work()
    told = ("posts.updated", first)
    assert receiver.heard == [told, ("posts.updated", second)]
    assert [row.next_attempt_at is None for row in deliveries()] == [False, True, True]
    hasten()
    work()
    work()
    versions = [m.json["data"]["version"] for m in receiver.messages if m.about == told]
    assert versions == [2, 2, 3]
    assert {row.status for row in deliveries()} == {"delivered"}


def test_delivery_after_a_given_up_one_is_sent(subscribe, receiver, make_post):
    id = make_post()
    subscribe("posts.updated")
    receiver.answer = failing(500)
    for title in "BC":
        update(POSTS, SYSTEM, id, {"title": title})
    queue_deliveries()
    set_columns(TABLE, attempts=11)
    run_due_jobs()
    work()
    assert [row.status for row in deliveries()] == ["failed", "delivered"]


def test_410_disables_the_webhook_until_its_owner_enables_it(
    subscribe, receiver, make_post, people
):
    receiver.answer = failing(410)
    made = subscribe("posts.created")
    make_post()
    make_post()
    work()
    state = webhook(made.id)
    assert (state["is_active"], state["disabled_reason"]) == (
        False,
        "The receiver answered 410 Gone.",
    )
    assert [row.status for row in deliveries()] == ["failed", "failed"]
    assert len(receiver.messages) == 1
    update(WEBHOOKS, SYSTEM, made.id, {"is_active": True})
    state = webhook(made.id)
    assert (state["failures"], state["disabled_reason"]) == (0, None)
    id = make_post()
    work()
    assert receiver.heard[1:] == [("posts.created", id)]


def test_five_days_of_only_failures_disable_the_webhook(
    subscribe, receiver, make_post, monkeypatch
):
    mails = []
    monkeypatch.setattr(send, "enqueue_mail", lambda *given, **more: mails.append((given, more)))
    receiver.answer = failing(500, 204, 500, 500)
    made = subscribe("posts.created")
    for _ in range(2):  # a success in between resets the count
        make_post()
        work()
        hasten()
        set_columns(Webhook.__table__, failing_since=now() - timedelta(days=5))
        work()
    assert not webhook(made.id)["is_active"]
    assert webhook(made.id)["disabled_reason"] == "All attempts have failed for 5 days."
    [((kind, _), words)] = mails
    assert kind == "webhook_disabled" and words["reason"] == "All attempts have failed for 5 days."


def test_disabled_webhook_is_sent_nothing(subscribe, receiver, make_post):
    made = subscribe("posts.created")
    make_post()
    queue_deliveries()
    update(WEBHOOKS, SYSTEM, made.id, {"is_active": False})
    make_post()
    work()
    assert receiver.messages == []
    [row] = deliveries()
    assert (row.status, row.error) == ("failed", "The webhook was turned off.")


def test_both_secrets_sign_for_a_day_after_rotation(subscribe, receiver, make_post, stop_clock):
    made = subscribe("posts.created")
    rotated = act(WEBHOOKS, SYSTEM, made.id, "rotate_secret").revealed
    former, secret = made.revealed["secret"], rotated["secret"]
    make_post()
    work()
    [message] = receiver.messages
    for one in (former, secret):
        Verifier(one).verify(message.body, message.headers)
    act(WEBHOOKS, SYSTEM, made.id, "rotate_secret")
    with read_connection() as connection:
        assert len(connection.execute(select(WebhookSecret.__table__)).all()) == 2
    stop_clock(hours=25)
    make_post()
    work()
    assert len(receiver.messages[1].headers["webhook-signature"].split()) == 1


def test_secret_rotation_is_sent_to_other_webhooks(subscribe, receiver):
    subscribe("webhooks.secret_rotated")
    other = create(WEBHOOKS, SYSTEM, {"url": "https://example.org/", "events": ["tags.*"]})
    act(WEBHOOKS, SYSTEM, other.id, "rotate_secret")
    work()
    assert receiver.heard == [("webhooks.secret_rotated", other.id)]


def test_secrets_are_encrypted_at_rest(subscribe):
    secret = subscribe("*").revealed["secret"]
    with read_connection() as connection:
        [sealed] = connection.execute(select(WebhookSecret.sealed)).scalars()
    assert secret.startswith("whsec_") and secret not in sealed


def test_undecryptable_secret_is_an_error_with_advice(subscribe, make_post, app, monkeypatch):
    subscribe("posts.created")
    make_post()
    monkeypatch.setitem(app.config, "SECRET_KEY", "another-key-of-sufficient-length-0123456789")
    work()
    [row] = deliveries()
    assert row.status == "pending" and "Rotate the secret" in row.error


def test_replay_sends_the_same_id_again(subscribe, receiver, make_post):
    subscribe("posts.created")
    make_post()
    work()
    [row] = deliveries()
    act(DELIVERIES, SYSTEM, row.id, "replay")
    work()
    assert [m.headers["webhook-id"] for m in receiver.messages] == [row.message_id] * 2
    assert deliveries()[0].status == "delivered"


def test_replayed_delivery_precedes_later_ones_of_its_record(subscribe, receiver, make_post):
    id = make_post()
    subscribe("posts.updated")
    update(POSTS, SYSTEM, id, {"title": "B"})
    work()
    receiver.answer = failing(500)
    update(POSTS, SYSTEM, id, {"title": "C"})
    work()
    act(DELIVERIES, SYSTEM, deliveries()[0].id, "replay")
    hasten()
    work()
    work()
    assert [m.json["data"]["version"] for m in receiver.messages] == [2, 3, 2, 3]


def test_old_deliveries_that_have_ended_are_pruned(subscribe, receiver, make_post):
    receiver.answer = failing(204, 500)
    subscribe("posts.created")
    make_post()
    work()
    make_post()
    work()
    set_columns(TABLE, created_at=now() - timedelta(days=31))
    assert maintenance.prune_deliveries() == 1
    assert [row.status for row in deliveries()] == ["pending"]


def test_events_without_a_webhook_write_no_delivery(statements, make_post):
    make_post()
    _, seen = statements(queue_deliveries)
    assert len(seen) == 1 and deliveries() == []


def test_a_write_costs_the_same_with_and_without_webhooks(statements, subscribe):
    create(TAGS, SYSTEM, {"name": "warm"})
    _, before = statements(create, TAGS, SYSTEM, {"name": "sea"})
    subscribe("*")
    _, after = statements(create, TAGS, SYSTEM, {"name": "lake"})
    assert len(before) == len(after)


def test_many_events_become_deliveries_in_batches(subscribe, receiver, monkeypatch):
    monkeypatch.setattr(fan_out, "EVENTS_AT_ONCE", 2)
    subscribe("tags.created")
    ids = [create(TAGS, SYSTEM, {"name": f"t{n}"}).id for n in range(5)]
    queue_deliveries()
    assert [row.record_id for row in deliveries()] == ids


def test_deleting_a_webhook_deletes_its_deliveries(subscribe, receiver, make_post):
    made = subscribe("posts.created")
    make_post()
    queue_deliveries()
    delete(WEBHOOKS, SYSTEM, made.id)
    run_due_jobs()
    assert deliveries() == [] and receiver.messages == []


def test_two_workers_send_each_delivery_once(app, subscribe, receiver):
    def look_and_send():
        with app.app_context():
            while time.monotonic() < end and len(receiver.messages) < 20:
                work()

    receiver.answer = lambda handler, message: (time.sleep(0.01), answer(handler, 204))
    subscribe("tags.created")
    ids = [create(TAGS, SYSTEM, {"name": f"t{n}"}).id for n in range(20)]
    end = time.monotonic() + 60
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(look_and_send) for _ in range(2)]:
            done.result()
    assert [id for _, id in receiver.heard] == ids


def test_slow_receiver_blocks_only_its_own_thread(app, subscribe, receiver, monkeypatch):
    """While it does not answer, another webhook and other jobs continue, with one job thread."""
    ended = threading.Event()
    receiver.answer = lambda handler, message: (ended.wait(9), answer(handler, 204))
    with listening() as other:
        subscribe("tags.created")
        subscribe("tags.created", url=other.url)
        ids = [create(TAGS, SYSTEM, {"name": f"t{n}"}).id for n in range(3)]
        with running_workers(app, 1):
            queue_deliveries()
            end = time.monotonic() + 8
            while len(other.messages) < 3 and time.monotonic() < end:
                time.sleep(0.02)
            in_time = [id for _, id in other.heard], len(receiver.messages)
            ended.set()
        assert in_time == (ids, 1)


def test_superseded_send_job_sends_nothing(subscribe, receiver, make_post):
    subscribe("posts.created")
    make_post()
    queue_deliveries()
    set_columns(Webhook.__table__, sender="another")
    run_due_jobs()
    assert receiver.messages == []


def test_lost_send_job_is_recreated(subscribe, receiver, make_post, stop_clock):
    subscribe("posts.created")
    make_post()
    queue_deliveries()
    with transaction() as connection:
        connection.execute(
            sql_delete(OutboxEvent.__table__).where(OutboxEvent.event == fan_out.SEND)
        )
    work()
    assert receiver.messages == []
    stop_clock(seconds=fan_out.SENDER_SECONDS + 1)
    work()
    assert len(receiver.messages) == 1


@pytest.fixture(autouse=True)
def quiet():
    """Clear the wake-up signal of other tests."""
    wake_worker.clear()

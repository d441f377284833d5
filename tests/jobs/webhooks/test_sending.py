"""Webhooks are sent what happened: signed, in order, and what administrators see of the record."""

from standardwebhooks import Webhook as Verifier

from quire.actor import SYSTEM
from quire.records import POSTS
from quire.store.write import delete, update
from tests.jobs.webhooks.conftest import deliveries, work


def test_an_event_is_delivered_with_a_signature_that_verifies(subscribe, receiver, post):
    secret = subscribe("posts.created").revealed["secret"]
    id = post(title="Sea")
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


def test_only_what_was_subscribed_to_is_sent_in_the_order_of_commits(subscribe, receiver, post):
    subscribe("posts.updated", "posts.deleted")
    id = post()
    update(POSTS, SYSTEM, id, {"title": "B"})
    delete(POSTS, SYSTEM, id)
    work()
    assert receiver.heard == [("posts.updated", id), ("posts.deleted", id)]
    assert receiver.messages[1].json["data"]["record"] is None

"""Webhooks and deliveries in the API: for administrators, with secrets that are shown once."""

import pytest

from quire.declare.clock import now
from quire.records import webhooks
from quire.records.webhooks import add_deliveries, signing_secrets
from quire.store.db import transaction
from tests.users import signed_in

HOOK = {"url": "https://example.org/hook", "events": ["posts.published", "comments.*"]}


@pytest.fixture
def root(as_):
    return as_("root")


@pytest.fixture
def hook(root):
    """A new webhook."""
    return root.post("webhooks", json=HOOK).json


@pytest.fixture
def failed_delivery(app, hook):
    """The id of a delivery that has failed."""
    about = {"type": "posts", "record_id": 1, "event_at": now(), "status": "failed", "attempts": 12}
    with app.app_context(), transaction() as connection:
        row = {"webhook_id": hook["id"], "event": "posts.published", **about}
        return add_deliveries(connection, [row])[0]


def test_webhook_has_exactly_these_fields(root, hook):
    shown = root.get(f"webhooks/{hook['id']}").json
    assert set(shown) == set(
        "id url events description owner is_active failures disabled_reason created_at updated_at version".split()
    )
    assert hook.keys() - shown.keys() == {"secret"} and hook["secret"].startswith("whsec_")
    assert (shown["owner"]["username"], shown["is_active"], shown["failures"]) == ("root", True, 0)


def test_only_administrators_see_or_create_webhooks(as_, hook):
    for name, status in ((None, 401), ("bob", 403), ("ann", 403), ("mod", 403)):
        client = as_(name)
        for path in ("webhooks", f"webhooks/{hook['id']}", "deliveries"):
            assert client.get(path).status_code == status
        assert client.post("webhooks", json=HOOK).status_code == status
        assert client.post(f"webhooks/{hook['id']}/test").status_code == status


def test_keys_have_no_access_to_webhooks(root):
    answer = root.post("api_keys", json={"name": "k", "scopes": ["webhooks:read"]})
    assert answer.status_code == 422
    key = root.post("api_keys", json={"name": "k", "scopes": ["deliveries:read"]})
    assert key.status_code == 201


@pytest.mark.parametrize(
    ("events", "word"),
    [
        (["posts.publish"], "posts.publish is not a valid event. Valid events: *, posts.*, "),
        (["boats.*"], "boats.* is not a valid event"),
        (["sessions.created"], "sessions.created is not"),
        ([], "needs 1 or more values"),
        ("*", ""),
    ],
)
def test_unknown_events_are_refused_with_the_allowed_ones(root, events, word):
    answer = root.post("webhooks", json={**HOOK, "events": events})
    assert answer.status_code == 422
    [detail] = answer.json["details"]
    assert detail["field"] == "events" and word in detail["message"]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/", "http://localhost:8000/x", "https://127.1/", "http://2130706433/",
        "http://[::1]/", "http://[::ffff:10.0.0.1]/", "http://10.0.0.1/",
        "http://[64:ff9b::7f00:1]/", "http://[2002:7f00:1::]/", "http://0.0.0.0/",
    ],
)  # fmt: skip
def test_private_networks_are_refused_on_saving(root, hook, url):
    for answer in (
        root.post("webhooks", json={**HOOK, "url": url}),
        root.patch(f"webhooks/{hook['id']}", json={"url": url}),
    ):
        assert answer.status_code == 422
        [detail] = answer.json["details"]
        assert (detail["field"], detail["code"]) == ("url", "not_allowed")
        assert "leads to a private network" in detail["message"]


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org/", "https://user:word@example.org/", "example.org", "file:///etc/x", 7,
        "https://example.org:0/", "https://example.org:99999/", "http://[:::]/",
    ],
)  # fmt: skip
def test_invalid_urls_are_refused(root, url):
    answer = root.post("webhooks", json={**HOOK, "url": url})
    assert answer.status_code == 422 and answer.json["details"][0]["field"] == "url"


def test_unresolvable_hosts_are_judged_when_sending(root):
    answer = root.post("webhooks", json={**HOOK, "url": "https://nowhere.invalid/"})
    assert answer.status_code == 201


@pytest.mark.parametrize("allowed", [False, True])
def test_private_networks_can_be_allowed_but_not_cloud_metadata(make_app, people, allowed):
    client = signed_in(make_app(WEBHOOK_PRIVATE_NETWORKS=allowed), people["root"])
    own = client.post("webhooks", json={**HOOK, "url": "http://127.0.0.1/"})
    assert own.status_code == (201 if allowed else 422)
    assert allowed or "WEBHOOK_PRIVATE_NETWORKS" in own.json["details"][0]["message"]
    for host in ("169.254.169.254", "2852039166", "[fe80::1]", "[fd00:ec2::254]"):
        answer = client.post("webhooks", json={**HOOK, "url": f"http://{host}/latest/meta-data"})
        assert answer.status_code == 422, host
        [detail] = answer.json["details"]
        assert (detail["field"], detail["code"]) == ("url", "not_allowed")
        assert "link-local or cloud metadata address" in detail["message"]
        assert "WEBHOOK_PRIVATE_NETWORKS" not in detail["message"]


def test_secret_is_shown_once_even_if_the_request_is_repeated(root, app):
    headers = {"Idempotency-Key": "one"}
    first = root.post("webhooks", json=HOOK, headers=headers)
    assert "no-store" in first.headers["Cache-Control"]
    again = root.post("webhooks", json=HOOK, headers=headers)
    assert (again.status_code, again.json["code"]) == (409, "already_created")
    assert again.headers["Location"] == f"/api/v1/webhooks/{first.json['id']}"
    secret = first.json["secret"]
    for path in (
        "webhooks",
        "revisions?type=webhooks",
        "audit_events",
        "webhooks/export?format=ndjson",
    ):
        assert secret not in root.get(path).text


def test_rotation_shows_a_new_secret(root, hook, app):
    answer = root.post(f"webhooks/{hook['id']}/rotate_secret", headers={"Idempotency-Key": "two"})
    assert answer.status_code == 200 and answer.json["version"] == 1
    with app.app_context():
        assert signing_secrets(hook["id"]) == [answer.json["secret"], hook["secret"]]
    again = root.post(f"webhooks/{hook['id']}/rotate_secret", headers={"Idempotency-Key": "two"})
    assert (again.status_code, again.json["code"]) == (409, "already_created")
    newest = root.get("audit_events?type=webhooks&sort=-id").json["audit_events"][0]
    assert newest["action"] == "rotate_secret"


def test_sample_event_responds_with_its_delivery(root, hook):
    answer = root.post(f"webhooks/{hook['id']}/test")
    assert answer.status_code == 200
    assert set(answer.json) == set(
        "id webhook event status attempts response_status response_ms error next_attempt_at created_at".split()
    )
    assert answer.json["webhook"] == {"id": hook["id"], "url": HOOK["url"]}
    assert (answer.json["event"], answer.json["status"]) == ("webhooks.tested", "pending")
    assert root.get(f"deliveries/{answer.json['id']}").json == answer.json


def test_disabled_webhook_can_be_neither_tested_nor_replayed(root, hook, failed_delivery):
    root.patch(f"webhooks/{hook['id']}", json={"is_active": False})
    for path in (f"webhooks/{hook['id']}/test", f"deliveries/{failed_delivery}/replay"):
        answer = root.post(path)
        assert (answer.status_code, answer.json["code"]) == (409, "wrong_state")


def test_replay_queues_a_delivery_again(root, failed_delivery):
    answer = root.post(f"deliveries/{failed_delivery}/replay")
    assert answer.status_code == 200
    assert (answer.json["status"], answer.json["attempts"]) == ("pending", 0)
    assert answer.json["next_attempt_at"] is not None


def test_deliveries_are_read_only(root, failed_delivery):
    assert root.post("deliveries", json={}).status_code == 405
    assert (
        root.patch(f"deliveries/{failed_delivery}", json={"status": "delivered"}).status_code == 405
    )
    assert root.delete(f"deliveries/{failed_delivery}").status_code == 405
    found = root.get("deliveries?status=failed&event=posts.published").json["deliveries"]
    assert [one["id"] for one in found] == [failed_delivery]


def test_number_of_webhooks_is_limited(root, hook, monkeypatch):
    monkeypatch.setattr(webhooks, "MAX_WEBHOOKS", 1)
    assert root.post("webhooks", json=HOOK).status_code == 409

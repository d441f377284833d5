"""Safe retries: one effect and one response for each key, whatever happens in between."""

import io
import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import pytest
import requests
from sqlalchemy import event, text

from quire.api.idempotency import idempotent
from quire.errors import Unavailable
from quire.records import API_KEYS, COMMENTS, MEDIA, POSTS, TAGS
from quire.store import data_versions
from quire.store.db import db
from tests.running_server import serving
from tests.sample_images import form, picture
from tests.users import PASSWORD, give_session, token_of

KEY = {"Idempotency-Key": "8e03978e-40d5-43e8-bc93-6894a57f9324"}
POST = {"title": "Tides", "body": "High and low."}
REPLAYED = "Idempotency-Replayed"


@pytest.fixture
def ann(as_):
    return as_("ann")


@pytest.fixture
def count(app):
    """`count(POSTS)`: the number of rows."""

    def counted(record_or_table):
        table = getattr(record_or_table, "table", record_or_table)
        with app.app_context(), db.engine.connect() as connection:
            return connection.execute(text(f"SELECT count(*) FROM {table}")).scalar()

    return counted


@contextmanager
def at_statement(app, words, call, when="before"):
    """Call `call()` once, before or after the next statement that contains `words`."""
    waiting = [call]

    def look(connection, cursor, statement, *rest):
        if words in statement and waiting:
            waiting.pop()()

    send = data_versions.run_together

    def look_together(cursor, statements):
        look(None, None, "; ".join(one.text for one in statements))
        send(cursor, statements)

    with app.app_context():
        engine = db.engine
    event.listen(engine, f"{when}_cursor_execute", look)
    try:
        with patch.object(data_versions, "run_together", look_together):
            yield
    finally:
        event.remove(engine, f"{when}_cursor_execute", look)


def same(first, again):
    """Return whether the second response is a replay of the first."""
    names = ("ETag", "Location", "Content-Type")
    assert REPLAYED not in first.headers
    assert again.headers[REPLAYED] == "true"
    assert (again.status_code, again.data) == (first.status_code, first.data)
    assert [again.headers.get(name) for name in names] == [first.headers.get(n) for n in names]
    return True


def test_repeated_creation_has_one_effect(ann, count):
    first = ann.post("posts", json=POST, headers=KEY)
    assert first.status_code == 201
    events = count("outbox"), count("audit_events"), count("revisions")
    for _ in range(3):
        again = ann.post("posts", json=POST, headers=KEY)
        assert same(first, again)
        assert again.headers["Cache-Control"] == "private, no-store"
    assert count(POSTS) == 1
    assert (count("outbox"), count("audit_events"), count("revisions")) == events


def test_changes_actions_and_deletions_can_be_repeated(ann, count):
    made = ann.post("posts", json=POST).json["id"]
    calls = [
        lambda: ann.patch(f"posts/{made}", json={"title": "Ebb", "version": 1}, headers=KEY),
        lambda: ann.put(f"posts/{made}", json=POST | {"version": 2}, headers=KEY),
        lambda: ann.post(f"posts/{made}/publish", headers=KEY),
        lambda: ann.patch(f"posts/{made}/draft", json={"title": "Flood"}, headers=KEY),
        lambda: ann.post(f"posts/{made}/duplicate", headers=KEY),
        lambda: ann.post(f"posts/{made}/revisions/1/restore", headers=KEY),
        lambda: ann.delete(f"posts/{made}/draft", headers=KEY),
        lambda: ann.delete(f"posts/{made}", headers=KEY),
        lambda: ann.delete("sessions", headers=KEY),
    ]
    firsts = [call() for call in calls]
    assert [one.status_code for one in firsts] == [200, 200, 200, 201, 201, 200, 204, 204, 204]
    revisions = count("revisions")
    assert all(same(first, call()) for first, call in zip(firsts, calls, strict=True))
    assert (count(POSTS), count("revisions")) == (2, revisions)


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("", 1),
        (" ", 1),
        ("a b", 1),
        ("\tx", 1),
        ("k\x7f", 1),
        ("\xe4", 1),
        ("x", 256),
        ("x", 10**7),
    ],
)
def test_malformed_keys_are_refused(ann, count, text, times):
    key = {"HTTP_IDEMPOTENCY_KEY": text * times}
    answer = ann.post("posts", json=POST, headers={}, environ_overrides=key)
    assert (answer.status_code, answer.json["code"]) == (400, "invalid_parameter")
    assert answer.json["details"][0]["field"] == "Idempotency-Key"
    assert count(POSTS) == 0


@pytest.mark.parametrize("key", ["x" * 255, "!", "~", '"quoted"', "1,2"])
def test_valid_keys_are_accepted(ann, key):
    headers = {"Idempotency-Key": key}
    assert same(*(ann.post("posts", json=POST, headers=headers) for _ in range(2)))


def test_reusing_a_key_with_another_body_is_refused(ann, count):
    ann.post("posts", json=POST, headers=KEY)
    for body in ({**POST, "title": "Other"}, {}, None):
        answer = ann.post("posts", json=body, headers=KEY)
        assert (answer.status_code, answer.json["code"]) == (422, "idempotency_key_reused")
    assert count(POSTS) == 1


def test_other_urls_methods_and_accounts_have_keys_of_their_own(as_, ann, people, count):
    made = ann.post("posts", json=POST, headers=KEY).json["id"]
    others = [
        as_("abe").post("posts", json=POST, headers=KEY),
        ann.post("pages", json=POST, headers=KEY),
        ann.put(f"posts/{made}", json=POST, headers=KEY),
        ann.patch(f"posts/{made}", json=POST, headers=KEY),
        ann.delete(f"posts/{made}", headers=KEY),
        ann.post(f"posts/{made}/restore", headers=KEY),
        as_("mod").delete(f"posts/{made}", headers=KEY),
        as_("mod").delete(f"posts/{made}?permanent=true", headers=KEY),
    ]
    assert [one.status_code for one in others] == [201, 403, 200, 200, 204, 200, 204, 204]
    assert not any(REPLAYED in one.headers for one in others)
    assert count(POSTS) == 1


def test_token_and_session_of_an_account_share_its_keys(app, ann, people):
    first = ann.post("tags", json={"name": "sea"}, headers=KEY)
    browser = app.test_client()
    give_session(app, browser, people["ann"])
    assert same(first, browser.post("tags", json={"name": "sea"}, headers=KEY))


def test_each_api_key_has_keys_of_its_own(ann, client):
    answers = []
    for name in ("one", "two"):
        made = ann.post("api_keys", json={"name": name, "scopes": ["posts:write"]}).json["key"]
        headers = KEY | {"X-API-Key": made}
        answers += [client.post("posts", json=POST, headers=headers) for _ in range(2)]
    assert same(*answers[:2]) and same(*answers[2:])
    assert answers[0].json["id"] != answers[2].json["id"]


def test_anonymous_clients_share_the_keys_of_their_network(client):
    new = {"username": "eve", "email": "eve@example.org", "password": "pallas athene 9"}
    first = client.post("users", json=new, headers=KEY)
    assert first.status_code == 201
    assert same(first, client.post("users", json=new, headers=KEY))
    elsewhere = {"REMOTE_ADDR": "192.0.2.9"}
    answer = client.post("users", json=new, headers=KEY, environ_base=elsewhere)
    assert answer.json["code"] == "duplicate"


def test_refusal_leaves_the_key_unused(ann, as_, count):
    refusals = [
        ann.post("posts", json={"title": ""}, headers=KEY),
        ann.post("posts", data="{", content_type="application/json", headers=KEY),
        ann.post("posts", data="x", content_type="text/plain", headers=KEY),
        as_(None).post("posts", json=POST, headers=KEY),
    ]
    assert [one.status_code for one in refusals] == [422, 400, 415, 401]
    assert count("idempotency_keys") == 0
    first = ann.post("posts", json=POST, headers=KEY)
    assert first.status_code == 201
    stale = ann.patch("posts/1", json={"version": 7}, headers=KEY)
    assert stale.status_code == 412
    assert ann.patch("posts/1", json={"version": 1, "title": "Ebb"}, headers=KEY).status_code == 200


def test_replay_needs_the_same_credentials(app, ann, people):
    ann.post("tags", json={"name": "sea"}, headers=KEY)
    broken = {"Authorization": "Bearer x"}
    answer = app.test_client().post("tags", json={"name": "sea"}, headers=KEY | broken)
    assert answer.status_code == 401


def test_replay_by_session_needs_a_csrf_token(make_app, people):
    app = make_app(WTF_CSRF_ENABLED=True)
    browser = app.test_client()
    give_session(app, browser, people["ann"])
    token = {"X-CSRFToken": browser.get("csrf-token").json["csrf_token"]}
    first = browser.post("tags", json={"name": "sea"}, headers=KEY | token)
    assert first.status_code == 201
    assert browser.post("tags", json={"name": "sea"}, headers=KEY).status_code == 403
    assert same(first, browser.post("tags", json={"name": "sea"}, headers=KEY | token))


def test_running_request_is_not_waited_for(app, ann, as_, count):
    reached, go_on = threading.Event(), threading.Event()

    def pause():
        reached.set()
        assert go_on.wait(20)

    with at_statement(app, "INSERT INTO posts", pause), ThreadPoolExecutor(1) as pool:
        first = pool.submit(as_("ann").post, "posts", json=POST, headers=KEY)
        assert reached.wait(20)
        again = ann.post("posts", json=POST, headers=KEY)
        go_on.set()
    assert (again.status_code, again.json["code"]) == (409, "request_in_progress")
    assert again.headers["Retry-After"] == "1"
    assert same(first.result(), ann.post("posts", json=POST, headers=KEY))
    assert count(POSTS) == 1


def test_repeated_request_is_answered_even_if_it_would_be_refused_now(app, ann, as_, count):
    """Before or in its transaction: the user may no longer create anything, or the name is taken."""
    first = ann.post("tags", json={"name": "sea"}, headers=KEY)
    assert same(first, ann.post("tags", json={"name": "sea"}, headers=KEY))
    own = {"email": "new@example.org", "current_password": PASSWORD, "password": "other horse 9"}
    changed = ann.patch("users/me", json=own, headers=KEY)
    assert changed.status_code == 200, changed.json
    assert same(changed, ann.patch("users/me", json=own, headers=KEY))
    assert count("tags") == 1


def test_twenty_simultaneous_requests_have_one_effect(app, people, count):
    sent = {"Authorization": f"Bearer {token_of(app, people['ann'])}", **KEY}
    with serving(app) as address, ThreadPoolExecutor(20) as pool:
        answers = list(
            pool.map(
                lambda _: requests.post(
                    f"{address}/api/v1/posts", json=POST, headers=sent, timeout=30
                ),
                range(20),
            )
        )
    made = [one for one in answers if one.status_code == 201]
    refused = [one.json()["code"] for one in answers if one.status_code != 201]
    assert made and len({one.content for one in made}) == 1
    assert set(refused) <= {"request_in_progress"}
    assert sum(REPLAYED not in one.headers for one in made) == 1
    assert count(POSTS) == 1


def test_secrets_are_not_stored(app, ann, count):
    raw = {"name": "k", "scopes": ["posts:read"]}
    first = ann.post("api_keys", json=raw, headers=KEY)
    again = ann.post("api_keys", json=raw, headers=KEY)
    assert (again.status_code, again.json["code"]) == (409, "already_created")
    assert again.headers["Location"] == first.headers["Location"]
    made = ann.post("posts", json=POST).json["id"]
    assert ann.post(f"posts/{made}/previews", headers=KEY).status_code == 201
    again = ann.post(f"posts/{made}/previews", headers=KEY)
    assert (again.status_code, again.headers["Location"]) == (409, f"/api/v1/posts/{made}")
    assert count(API_KEYS) == 1
    with app.app_context(), db.engine.connect() as connection:
        rows = connection.execute(text("SELECT status, body, etag FROM idempotency_keys")).all()
    assert [(status, bytes(body), etag) for status, body, etag in rows] == [(None, b"", None)] * 2


def test_stored_digests_do_not_reveal_passwords(make_app, people):
    """The digest of a body depends on the secret of the installation."""
    app = make_app(SECRET_KEY="one secret of this place" * 2)
    new = {"username": "eve", "email": "eve@example.org", "password": "pallas athene 9"}
    answers = [app.test_client().post("users", json=new, headers=KEY)]
    app.config["SECRET_KEY"] = "another of that place" * 2
    answers.append(app.test_client().post("users", json=new, headers=KEY))
    assert [one.status_code for one in answers] == [201, 422]
    assert answers[1].json["code"] == "idempotency_key_reused"


def test_repeated_form_may_have_other_boundaries(ann, count):
    content = picture()
    first, again = (
        ann.post("media", data=form(content, "a.png", alt="A cat"), headers=KEY) for _ in "12"
    )
    assert first.request.content_type != again.request.content_type
    assert (first.status_code, first.json["alt"]) == (201, "A cat")
    assert same(first, again)
    for other in (form(picture(), "a.png", alt="A cat"), form(content, "a.png")):
        assert ann.post("media", data=other, headers=KEY).json["code"] == "idempotency_key_reused"
    assert count(MEDIA) == 1


def test_file_as_the_body_can_be_repeated(ann, count):
    def send(content):
        return ann.post("media?name=a.png", data=content, content_type="image/png", headers=KEY)

    content = picture()
    first = send(content)
    assert (first.status_code, first.json["bytes"]) == (201, len(content))
    assert same(first, send(content))
    assert send(picture()).json["code"] == "idempotency_key_reused"
    assert count(MEDIA) == 1


def test_same_file_with_another_key(ann, count):
    content, other = picture(), {"Idempotency-Key": "other"}
    first = ann.post("media", data=form(content), headers=KEY)
    second, third = (ann.post("media", data=form(content), headers=other) for _ in "12")
    assert (first.status_code, second.status_code) == (201, 200)
    assert same(second, third)


class Zeros(io.RawIOBase):
    """A PDF of a given size that is never in memory as a whole."""

    def __init__(self, size):
        self.left, self.start = size, b"%PDF-1.7\n"

    def readable(self):
        return True

    def readinto(self, buffer):
        count = min(len(buffer), self.left)
        buffer[:count] = self.start.ljust(count, b"\0")[:count]
        self.left, self.start = self.left - count, b""
        return count


def test_large_files_are_never_in_memory(make_app, people):
    size = 100 * 2**20
    client = make_app(MAX_UPLOAD_BYTES=size).test_client()
    sent = {"Authorization": f"Bearer {token_of(client.application, people['ann'])}", **KEY}
    tracemalloc.start()
    try:
        sent_file = {"wsgi.input": io.BufferedReader(Zeros(size)), "CONTENT_LENGTH": str(size)}
        answer = client.post(
            "media?name=a.pdf",
            content_type="application/pdf",
            headers=sent,
            environ_overrides=sent_file,
        )
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (answer.status_code, answer.json["bytes"]) == (201, size)
    assert peak < 16 * 2**20


def test_work_on_files_happens_after_the_commit(app, ann):
    made = ann.post("media", data=form(picture(40, 30)), headers=KEY).json
    folder = Path(app.config["QUIRE_INSTANCE"]) / "uploads"
    file = folder / "originals" / f"original-{made['url'].rpartition('/')[2]}"
    assert file.exists()
    first = ann.delete(f"media/{made['id']}", headers=KEY)
    assert first.status_code == 204 and not file.exists()
    assert same(first, ann.delete(f"media/{made['id']}", headers=KEY))


def test_without_a_stored_response_there_is_no_effect(app, ann, count):
    folder = Path(app.config["QUIRE_INSTANCE"]) / "uploads"
    before, owed = {path for path in folder.rglob("*") if path.is_file()}, count("outbox")

    def fail():
        raise Unavailable("Not now.")

    for send in (
        lambda: ann.post("posts", json=POST, headers=KEY),
        lambda: ann.post("media", data=form(picture(40, 30)), headers=KEY),
    ):
        with at_statement(app, "INSERT INTO idempotency_keys", fail):
            assert send().status_code == 503
        assert (count(POSTS), count(MEDIA), count("outbox")) == (0, 0, owed)
        assert {path for path in folder.rglob("*") if path.is_file()} == before
    assert ann.post("posts", json=POST, headers=KEY).status_code == 201


def test_effects_of_a_refusal_stay(app, people, as_, count):
    browser = app.test_client()
    give_session(app, browser, people["bob"])
    wrong = {"password": "pallas athene 9", "current_password": "wrong"}
    assert browser.patch("users/me", json=wrong, headers=KEY).status_code == 422
    events = as_("root").get("audit_events?action=sign_in_failed").json
    assert events["total"] == 1
    right = wrong | {"current_password": PASSWORD}
    first = browser.patch("users/me", json=right, headers=KEY)
    assert first.status_code == 200
    assert same(first, browser.patch("users/me", json=right, headers=KEY))


def test_response_can_be_repeated_for_a_day(ann, as_, count, stop_clock):
    first = ann.post("posts", json=POST, headers=KEY)
    stop_clock(hours=23)
    assert same(first, as_("ann").post("posts", json=POST, headers=KEY))
    stop_clock(hours=25)
    later = as_("ann").post("posts", json=POST | {"title": "Other"}, headers=KEY)
    assert later.status_code == 201 and REPLAYED not in later.headers
    assert (count(POSTS), count("idempotency_keys")) == (2, 1)


def test_signing_in_ignores_the_key(client, people):
    sent = {"email": "ann@example.org", "password": PASSWORD}
    answers = [client.post("auth/token", json=sent, headers=KEY) for _ in range(2)]
    assert answers[0].json["refresh_token"] != answers[1].json["refresh_token"]
    again = {"refresh_token": answers[0].json["refresh_token"]}
    odd = {"Idempotency-Key": "two words"}
    assert client.post("auth/refresh", json=again, headers=odd).status_code == 200


def test_reading_ignores_the_key(ann):
    for _ in range(2):
        answer = ann.get("posts", headers={"Idempotency-Key": "two words"})
        assert answer.status_code == 200 and REPLAYED not in answer.headers


def test_nested_comments_can_be_repeated(as_, make, count):
    post = make(POSTS, title="Tides", body="x", published=True, author="ann")
    bob = as_("bob")
    sent = [bob.post(f"posts/{post}/comments", json={"body": "Yes"}, headers=KEY) for _ in "12"]
    assert sent[0].status_code == 201
    assert same(*sent)
    assert count(COMMENTS) == 1


def test_cost_of_a_key_is_bounded(ann, statements):
    def about_keys(number, **headers):
        _, seen = statements(lambda: ann.post("tags", json={"name": str(number)}, **headers))
        return [one for one in seen if "idempotency" in one or "advisory" in one]

    assert about_keys(1) == []
    kinds = [one.partition(" ")[0] for one in about_keys(2, headers=KEY)]
    assert kinds == ["SELECT", "INSERT"]


def test_every_url_that_changes_something_supports_keys(app):
    for rule in app.url_map.iter_rules():
        changes = rule.methods & {"POST", "PUT", "PATCH", "DELETE"}
        if rule.endpoint.startswith("api.") and changes and "/auth/" not in rule.rule:
            view = app.view_functions[rule.endpoint].view_class
            for method in changes:
                assert idempotent in view.method_decorators[method.lower()], rule.rule


def test_posted_query_ignores_the_key(ann, count):
    for _ in range(2):
        answer = ann.post("posts/query", json={}, headers=KEY)
        assert answer.status_code == 200 and REPLAYED not in answer.headers
    assert count("idempotency_keys") == 0


def test_tags_created_with_a_post_are_created_once(ann, count):
    raw = POST | {"tags": ["sea", "moon"]}
    assert same(*(ann.post("posts", json=raw, headers=KEY) for _ in range(2)))
    assert count(TAGS) == 2

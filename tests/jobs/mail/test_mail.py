"""Mail: queued in a transaction, sent by a worker, retried and given up; the form of emails."""

import logging
import os
import re
import stat
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import html5lib
import pytest
from flask_mail import Message
from sqlalchemy import func, select, update

from quire.actor import SYSTEM
from quire.auth import account_links as access_links
from quire.declare.clock import now
from quire.jobs import runner, worker
from quire.jobs.mail.message import WRITERS
from quire.jobs.worker import run_due_jobs, running_workers
from quire.records import COMMENTS, POSTS, PROFILES, SETTINGS, TAGS, USERS
from quire.records.accounts import email_links
from quire.store.db import read_connection, transaction
from quire.store.events import queue
from quire.store.events.mail import enqueue_mail
from quire.store.events.outbox import OutboxEvent, wake_worker
from quire.store.read import find_id
from quire.store.write import create
from quire.store.write import update as change
from tests.mail_servers import TABLE, hasten, link_in, owed, page_of, sent, text_of


@pytest.fixture
def mailing(make_app, post):
    """An application that uses the mail server `post`."""
    return make_app(**post.settings())


def send(app):
    with app.app_context():
        run_due_jobs()


def notice(app, account, kind="two_factor_on", **words):
    with app.app_context():
        enqueue_mail(kind, account.id, **words)


def test_mail_is_sent_once(mailing, people, post):
    notice(mailing, people["ann"])
    send(mailing)
    send(mailing)
    [letter] = post.letters
    assert (letter["To"], letter["From"]) == ("ann@example.org", "quire@example.org")
    assert letter["Subject"] == "[Quire] Two-factor authentication is on"
    assert letter["Auto-Submitted"] == "auto-generated" and letter["Date"]
    assert re.fullmatch(r"<[0-9a-f]{32}@example\.org>", letter["Message-ID"])
    assert text_of(letter).startswith("Hello ann,\n") and owed(mailing) == []


def test_rolled_back_mail_is_not_sent(mailing, people, post):
    wake_worker.clear()
    with mailing.app_context(), pytest.raises(ZeroDivisionError), transaction():
        enqueue_mail("two_factor_on", people["ann"].id)
        raise ZeroDivisionError
    send(mailing)
    assert post.letters == [] and not wake_worker.is_set()


def test_record_events_send_no_mail(mailing, people, post):
    with mailing.app_context():
        create(TAGS, SYSTEM, {"name": "sea"})
        count = select(func.count()).select_from(OutboxEvent)
        with read_connection() as connection:
            before = connection.execute(count).scalar()
        run_due_jobs()
        with read_connection() as connection:
            assert connection.execute(count).scalar() == before
    assert post.letters == []


def test_mail_is_sent_when_the_server_is_back(mailing, people, post, caplog):
    post.stop()
    notice(mailing, people["ann"])
    send(mailing)
    [row] = owed(mailing)
    assert row.attempts == 1 and row.due_at > now() and "next try in 10 s" in caplog.text
    post.start()
    send(mailing)
    assert post.letters == []
    hasten(mailing)
    send(mailing)
    assert len(post.letters) == 1 and owed(mailing) == []


@pytest.mark.parametrize("where", ["answers", "data"])
def test_temporary_refusal_is_retried(mailing, people, post, where):
    getattr(post, where).append("451 later")
    notice(mailing, people["ann"])
    send(mailing)
    assert len(owed(mailing)) == 1 and post.letters == []
    hasten(mailing)
    send(mailing)
    assert len(post.letters) == 1


@pytest.mark.parametrize("where", ["answers", "data"])
def test_permanent_refusal_is_final(mailing, people, post, where, caplog):
    getattr(post, where).append("550 nobody of that name")
    notice(mailing, people["ann"])
    send(mailing)
    [row] = owed(mailing)
    assert row.due_at is None and row.failed_at and "is refused" in caplog.text
    assert "nobody of that name" in row.error


LINKED = {
    "reset": {"email": "ann@example.org"},
    "verify": {},
    "email": {"email": "new@example.org"},
    "invite": {"email": "new@example.org", "role": "author"},
}


@pytest.mark.parametrize("kind", ["two_factor_on", *LINKED])
def test_repeated_mail_is_identical(mailing, people, post, monkeypatch, kind):
    monkeypatch.setattr(queue, "mark_done", lambda job: None)  # the process dies in between
    notice(mailing, people["ann"], kind, **LINKED.get(kind, {}))
    send(mailing)
    hasten(mailing)
    send(mailing)
    first, second = post.letters
    assert first["Message-ID"] == second["Message-ID"]
    assert text_of(first) == text_of(second)
    if kind in LINKED:
        secret = re.split("[/=]", link_in(first))[-1]
        with mailing.app_context():
            assert email_links.find_active(secret, kind)


def test_each_mail_has_its_own_link(mailing, people, post):
    for name in ("ann", "ann", "bob"):
        notice(mailing, people[name], "reset", email=f"{name}@example.org")
    send(mailing)
    assert len({link_in(letter) for letter in post.letters}) == 3


def test_used_link_is_not_sent_again(mailing, people, post, monkeypatch, client):
    with monkeypatch.context() as dying:
        dying.setattr(queue, "mark_done", lambda job: None)
        notice(mailing, people["ann"], "reset", email="ann@example.org")
        send(mailing)
    secret = link_in(post.letters[0]).rpartition("/")[2]
    with mailing.app_context():
        access_links.reset_password(secret, "another horse 77", SYSTEM)
    hasten(mailing)
    send(mailing)
    assert len([one for one in post.letters if "/auth/reset/" in text_of(one)]) == 1
    with mailing.app_context():
        assert email_links.find_active(secret, "reset") is None
    assert "mail.reset" not in [row.event for row in owed(mailing)]


def test_mail_repeated_after_a_timeout_is_identical(make_app, people, post):
    app = make_app(**post.settings(MAIL_TIMEOUT=1))
    notice(app, people["ann"], "reset", email="ann@example.org")
    post.slow["DATA"] = 3
    send(app)
    post.slow.clear()
    hasten(app)
    send(app)
    first, second = post.letters
    assert first["Message-ID"] == second["Message-ID"] and link_in(first) == link_in(second)
    assert owed(app) == []


def test_accepted_mail_is_recorded_before_quit(mailing, people, post):
    post.slow["QUIT"] = 20
    notice(mailing, people["ann"])
    begun = time.monotonic()
    send(mailing)
    assert owed(mailing) == [] and time.monotonic() - begun < 15


def test_mail_is_given_up_after_the_last_attempt(mailing, people, post, caplog):
    post.answers.append("451 later")
    notice(mailing, people["ann"])
    with mailing.app_context(), transaction() as connection:
        connection.execute(update(TABLE).values(attempts=runner.MAX_ATTEMPTS - 1))
    send(mailing)
    send(mailing)
    [row] = owed(mailing)
    assert row.due_at is None and row.failed_at and "451" in row.error
    assert post.letters == [] and "is given up" in caplog.text


def test_silent_mail_server_times_out(make_app, people, post):
    app = make_app(**post.settings(MAIL_TIMEOUT=1, MAIL_USE_SSL=True))  # which waits for a greeting
    notice(app, people["ann"])
    send(app)
    assert len(owed(app)) == 1


@pytest.mark.parametrize(
    "more", [{"MAIL_USE_TLS": True}, {"MAIL_USERNAME": "u", "MAIL_PASSWORD": "p"}]
)
def test_encryption_and_a_password_are_not_dropped_silently(make_app, people, post, more):
    app = make_app(**post.settings(**more))
    notice(app, people["ann"])
    send(app)
    assert len(owed(app)) == 1 and post.letters == []


def test_concurrent_workers_send_each_mail_once(mailing, people, post):
    for _ in range(12):
        notice(mailing, people["ann"])
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(send, mailing) for _ in range(4)]:
            done.result()
    assert len(post.letters) == 12 and owed(mailing) == []


def test_worker_in_the_same_process_wakes_immediately(mailing, people, post, monkeypatch):
    monkeypatch.setattr(worker, "LOOK_SECONDS", 60)
    with running_workers(mailing):
        time.sleep(0.05)
        notice(mailing, people["ann"])
        end = time.monotonic() + 20
        while not post.letters and time.monotonic() < end:
            time.sleep(0.01)
    assert len(post.letters) == 1
    assert not [t for t in threading.enumerate() if t.name == "jobs"]


def test_unexpected_error_does_not_stop_the_worker(mailing, people, post, caplog):
    with mailing.app_context():
        enqueue_mail("nonsense", people["ann"].id)
        enqueue_mail("two_factor_on", people["ann"].id)
    with caplog.at_level(logging.ERROR), running_workers(mailing):
        end = time.monotonic() + 20
        while not post.letters and time.monotonic() < end:
            wake_worker.set()
            time.sleep(0.01)
    assert len(post.letters) == 1 and "no such email" in caplog.text
    assert [row.event for row in owed(mailing)] == ["mail.nonsense"]


def test_mail_is_stored_in_a_folder_without_a_server(make_app, people, tmp_path, caplog):
    app = make_app(QUIRE_INSTANCE=tmp_path)
    notice(app, people["ann"])
    with caplog.at_level(logging.INFO):
        [letter] = sent(app)
    assert letter["To"] == "ann@example.org" and "is kept in" in caplog.text
    path = next((tmp_path / "outbox").iterdir())
    assert os.name == "nt" or stat.S_IMODE(path.stat().st_mode) == 0o600


def test_mail_appears_in_the_folder_once_complete(make_app, people, tmp_path, monkeypatch):
    app, seen = make_app(QUIRE_INSTANCE=tmp_path), []
    as_bytes = Message.as_bytes

    def look(message):
        seen.extend((tmp_path / "outbox").glob("*.eml"))
        return as_bytes(message)

    monkeypatch.setattr(Message, "as_bytes", look)
    notice(app, people["ann"])
    assert len(sent(app)) == 1 and seen == []


@pytest.mark.parametrize("kind", sorted(WRITERS))
def test_every_mail_has_valid_text_and_html(make_app, people, tmp_path, kind):
    app = make_app(QUIRE_INSTANCE=tmp_path, PUBLIC_URL="https://example.org")
    with app.app_context():
        change(SETTINGS, SYSTEM, 1, {"site_name": "Häfen & <Meer> {{ 7 * 7 }}"})
        words = {"email": "bob@example.org", "new": "new@example.org", "to": "old@example.org"}
        if kind == "new_device":
            words = {"agent": "{{ 7 * 7 }}", "ip": "192.0.2.7", "time": "2026-01-01T00:00:00Z"}
        if kind == "webhook_disabled":
            words = {"webhook": 3, "url": "https://example.org/{{ 7 * 7 }}", "reason": "Gone."}
        if kind in ("email", "invite"):
            words |= {"email": "new@example.org", "role": "author"}
        if kind in ("comment", "reply", "digest"):
            profile = find_id(PROFILES, SYSTEM, user_id=people["ann"].id)
            change(PROFILES, SYSTEM, profile, {"digest": "daily"})
            words = {"comment": comments(people, "pending" if kind == "digest" else "approved")}
            words |= {"since": "2025-12-31T00:00:00Z", "until": "2026-01-02T00:00:00Z"}
        enqueue_mail(kind, people["ann" if kind == "digest" else "bob"].id, **words)
    [letter] = sent(app)
    assert letter["Subject"].startswith("[Häfen & <Meer> {{ 7 * 7 }}] ")
    text = text_of(letter)
    assert text.endswith("-- \nHäfen & <Meer> {{ 7 * 7 }}\nhttps://example.org/\n")
    assert "\n\n\n" not in text and max(map(len, text.splitlines())) <= 100
    page = page_of(letter)
    assert "<script" not in page and "Häfen &amp; &lt;Meer&gt; {{ 7 * 7 }}" in page
    parser = html5lib.HTMLParser(strict=True)
    parser.parse(page)
    assert ("List-Unsubscribe" in letter) == (kind in ("comment", "reply", "digest"))


def comments(people, status):
    """Return the id of a comment with markup that must stay text."""
    post = {"title": "A <b>bold</b> title {{ 7 * 7 }}", "body": "x", "author": people["ann"].id}
    id = create(POSTS, SYSTEM, {**post, "published_at": "2026-01-01T10:00:00Z"}).id
    said = {"body": "So *it* is: <script>alert(1)</script> {{ 7 * 7 }}", "status": status}
    return create(COMMENTS, SYSTEM, {**said, "post": id, "author_name": "Eve <i>"}).id


def test_subject_with_line_breaks_injects_no_header(make_app, people, tmp_path, monkeypatch):
    app = make_app(QUIRE_INSTANCE=tmp_path)
    evil = "x\r\nBcc: evil@example.org\r\n\r\nHello"
    monkeypatch.setattr("quire.jobs.mail.message.site_settings", lambda: {"site_name": evil})
    notice(app, people["ann"])
    [letter] = sent(app)
    assert letter["Bcc"] is None and "\n" not in letter["Subject"]


def test_inactive_and_deleted_users_get_no_mail(make_app, people, tmp_path):
    app = make_app(QUIRE_INSTANCE=tmp_path)
    with app.app_context():
        change(USERS, SYSTEM, people["ann"].id, {"is_active": False})
        for kind, more in (("verify", {}), ("reset", {"email": "ann@example.org"}),
                           ("reset", {"email": "nobody@example.org"}), ("two_factor_on", {})):  # fmt: skip
            enqueue_mail(kind, people["ann"].id, **more)
        enqueue_mail("verify", 4711)
    assert sent(app) == [] and owed(app) == []


@pytest.mark.parametrize(
    ("settings", "root"),
    [({}, "http://127.0.0.1:8000"), ({"PUBLIC_URL": "https://a.org"}, "https://a.org")],
)
def test_links_start_with_the_public_url(make_app, people, tmp_path, settings, root):
    app = make_app(QUIRE_INSTANCE=tmp_path, **settings)
    with app.app_context():
        enqueue_mail("verify", people["ann"].id)
    [letter] = sent(app)
    assert f"{root}/auth/verify/" in text_of(letter)

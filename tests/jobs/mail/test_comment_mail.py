"""Mail about comments: its recipients, sent once, and unsubscribing with one click."""

import math
import re
from types import SimpleNamespace

import pytest
from sqlalchemy import update as sql_update

from quire.actor import SYSTEM
from quire.jobs.runner import run_batch
from quire.jobs.worker import run_due_jobs
from quire.monitoring.request_id import following
from quire.records import COMMENTS, POSTS, PROFILES, SETTINGS, USERS
from quire.store import read
from quire.store.db import transaction
from quire.store.write import act, create, delete
from quire.store.write import update as change
from tests.mail_servers import TABLE, heard, owed, page_of, sent, text_of


@pytest.fixture
def place(make_app, people, tmp_path):
    """Ann's post; `say("bob", ...)` adds a comment there, `mail()` are all letters so far."""
    app = make_app(QUIRE_INSTANCE=tmp_path, PUBLIC_URL="https://example.org")
    with app.app_context():
        change(SETTINGS, SYSTEM, 1, {"comments": "open"})
        raw = {"title": "Tides", "body": "x", "author": people["ann"].id}
        post = create(POSTS, SYSTEM, {**raw, "published_at": "2026-01-01T10:00:00Z"}).id

    def say(name, body="Well *said*.", **more):
        with app.app_context():
            raw = {"post": post, "body": body, **more}
            return create(COMMENTS, people[name].actor("session"), raw).id

    def mail():
        make_due(app)
        return sent(app)

    def profile(name, **values):
        with app.app_context():
            id = read.find_id(PROFILES, SYSTEM, user_id=people[name].id)
            return change(PROFILES, SYSTEM, id, values).state

    return SimpleNamespace(app=app, post=post, say=say, mail=mail, profile=profile, people=people)


def make_due(app):
    """Make all waiting jobs due."""
    with app.app_context(), transaction() as connection:
        due = TABLE.c.due_at.is_not(None)
        connection.execute(sql_update(TABLE).where(due).values(due_at=TABLE.c.created_at))


def mail_jobs(place):
    """Return the mail jobs that follow from all comments, in order."""
    make_due(place.app)
    with place.app.app_context():
        run_batch("comments.created")
    return owed(place.app)


def test_post_author_is_notified_of_a_comment(place):
    id = place.say("bob", "Well *said*, <b>Ann</b>.")
    [letter] = place.mail()
    assert heard([letter]) == [("ann", "[Quire] bob commented on “Tides”")]
    assert "> Well said, Ann." in text_of(letter)
    assert f"https://example.org/posts/tides#comment-{id}" in page_of(letter)


def test_notification_waits_before_it_is_sent(place):
    place.say("bob")
    assert sent(place.app) == []


def test_replies_notify_the_parent_author_but_not_the_writer(place):
    first = place.say("bob")
    place.say("abe", parent=first)
    place.say("bob", parent=first)
    place.say("ann", parent=first)
    place.say("ann")
    assert sorted(heard(place.mail())) == [
        ("ann", "[Quire] abe commented on “Tides”"),
        ("ann", "[Quire] bob commented on “Tides”"),
        ("ann", "[Quire] bob commented on “Tides”"),
        ("bob", "[Quire] abe replied to you on “Tides”"),
        ("bob", "[Quire] ann replied to you on “Tides”"),
    ]


def test_user_with_two_reasons_gets_one_notification(place):
    place.say("abe", parent=place.say("ann"))
    assert heard(place.mail()) == [("ann", "[Quire] abe replied to you on “Tides”")]


def test_pending_comment_notifies_once_approved(place):
    with place.app.app_context():
        change(SETTINGS, SYSTEM, 1, {"comments": "moderated"})
    id = place.say("bob")
    assert place.mail() == []
    with place.app.app_context():
        for verb in ("approve", "spam", "approve"):
            act(COMMENTS, SYSTEM, id, verb)
    assert len(place.mail()) == 1


def test_spam_deleted_and_imported_comments_notify_nobody(place, people):
    with place.app.app_context():
        act(COMMENTS, SYSTEM, place.say("bob"), "spam")
        delete(COMMENTS, SYSTEM, place.say("bob"))
        raw = {"post": place.post, "body": "x", "author": people["bob"].id, "status": "approved"}
        create(COMMENTS, SYSTEM, raw)
    assert place.mail() == []


def test_duplicate_event_notifies_once(place):
    place.say("bob")
    place.mail()
    with place.app.app_context(), transaction() as connection:
        told = TABLE.c.event == "comments.created"
        again = sql_update(TABLE).where(told).values(due_at=TABLE.c.created_at, attempts=0)
        assert connection.execute(again).rowcount == 1
    assert len(place.mail()) == 1


def test_created_and_approved_comment_notifies_once(place):
    with place.app.app_context():
        change(SETTINGS, SYSTEM, 1, {"comments": "moderated"})
    ids = [place.say("bob") for _ in range(3)]
    with place.app.app_context():
        for id in ids:
            act(COMMENTS, SYSTEM, id, "approve")
    assert len(place.mail()) == 3


@pytest.mark.parametrize("number", [1, 4, 6])
def test_batch_of_comments_takes_one_commit_and_few_statements(
    place, count_sql, monkeypatch, number
):
    monkeypatch.setattr("quire.jobs.runner.BATCH", 4)
    for _ in range(number):
        place.say("bob")
    place.profile("ann", comment_mail=False)
    make_due(place.app)
    with place.app.app_context():
        commits, statements = count_sql(run_due_jobs)
    batches = math.ceil(number / 4)
    assert commits == batches
    # find, lock, read the recipients, mark as notified, read their preferences, mark as done
    assert statements <= 6 * batches + 1


def test_preference_at_sending_time_counts(place):
    place.say("bob")
    place.profile("ann", comment_mail=False)
    assert mail_jobs(place) == []
    place.profile("ann", comment_mail=True)
    place.say("bob")
    [job] = mail_jobs(place)
    assert (job.event, job.record_id) == ("mail.comment", place.people["ann"].id)
    place.profile("ann", comment_mail=False)
    assert place.mail() == [], "a later opt-out also stops queued mail"


def test_inactive_account_gets_no_mail_job(place):
    with place.app.app_context():
        change(USERS, SYSTEM, place.people["ann"].id, {"is_active": False})
    place.say("bob")
    assert mail_jobs(place) == []


def test_comment_mail_has_the_id_of_its_request(place):
    for name in ("request-1", "request-2"):
        with following(name):
            place.say("bob")
    assert [job.request_id for job in mail_jobs(place)] == ["request-1", "request-2"]


def test_one_click_unsubscribes_from_comment_mail(place):
    place.say("bob")
    [letter] = place.mail()
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    address = re.fullmatch(
        r"<https://example\.org(/auth/unsubscribe/\S+)>", letter["List-Unsubscribe"]
    )
    client = place.app.test_client()
    asked = client.get(address[1])
    assert asked.status_code == 200 and "Unsubscribe" in asked.text
    assert place.profile("ann")["comment_mail"] is True
    done = client.post(address[1], data={"List-Unsubscribe": "One-Click"})
    assert done.status_code == 200 and "emails about comments" in done.text
    assert place.profile("ann")["comment_mail"] is False
    place.say("bob")
    assert len(place.mail()) == 1
    assert client.post(address[1][:-1]).status_code == 404

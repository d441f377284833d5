"""Digests: recipients, content, frequency and period."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import update as sql_update

from quire.actor import SYSTEM
from quire.declare.clock import now, rfc3339
from quire.declare.query import Query
from quire.jobs.mail.digest import LISTED, LONGEST, send_digests
from quire.records import COMMENTS, POSTS, PROFILES, USERS
from quire.store import read
from quire.store.db import transaction
from quire.store.events.outbox import enqueue
from quire.store.write import create, create_many
from quire.store.write import update as change
from tests.mail_servers import heard, page_of, sent, text_of

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def place(make_app, people, tmp_path):
    """`wants("ann")` asks for digests, the last an hour more than a day ago; `digests()` sends them."""
    app = make_app(QUIRE_INSTANCE=tmp_path, PUBLIC_URL="https://example.org")
    profiles = PROFILES.table

    def wants(*names, ago=DAY + HOUR, period="daily"):
        with app.app_context():
            for name in names:
                id = read.find_id(PROFILES, SYSTEM, user_id=people[name].id)
                change(PROFILES, SYSTEM, id, {"digest": period})
                when = ago and now() - ago
                with transaction() as connection:
                    mine = sql_update(profiles).where(profiles.c.id == id)
                    connection.execute(mine.values(digest_sent_at=when))

    def digests():
        with app.app_context():
            send_digests()
        return [one for one in sent(app) if "/unsubscribe/" in (one["List-Unsubscribe"] or "")]

    def post(title, published=None, author="ann"):
        at = published if published is None else rfc3339(now() + published)
        raw = {"title": title, "body": "x", "author": people[author].id, "published_at": at}
        with app.app_context():
            return create(POSTS, SYSTEM, raw).id

    with (
        app.app_context(),
        transaction() as connection,
    ):  # the users of the tests are not new accounts
        table = USERS.table
        connection.execute(sql_update(table).values(created_at=now() - 2 * DAY))
    yield SimpleNamespace(app=app, wants=wants, digests=digests, post=post)


def comment(place, people, post, body):
    with place.app.app_context():
        create(COMMENTS, people["bob"].actor("session"), {"post": post, "body": body})


def test_pending_comments_are_reported_to_their_moderators(place, people):
    post = place.post("Tides", -3 * DAY)
    comment(place, people, post, "First")
    comment(place, people, post, "Second")
    place.wants(
        "ann", "bob", "abe", "mod"
    )  # bob may not approve comments, and abe has none waiting
    for _ in range(2):
        letters = place.digests()
    told = "[Quire] 2 comments to review"
    assert sorted(heard(letters)) == [("ann", told), ("mod", told)]
    text = text_of(letters[0])
    assert "bob on “Tides”" in text and "> First" in text and "> Second" in text
    assert "https://example.org/admin/comments/?status=pending" in text


def test_one_click_unsubscribes_from_digests(place):
    place.post("Tides", -HOUR)
    place.wants("ann")
    [letter] = place.digests()
    client = place.app.test_client()
    address = letter["List-Unsubscribe"].strip("<>").removeprefix("https://example.org")
    assert "digest emails" in client.post(address).text
    with place.app.app_context():
        rows = read.list_records(PROFILES, SYSTEM, Query()).rows
    assert {row["digest"] for row in rows} == {"never"}


def test_published_and_scheduled_posts_are_reported_to_their_editors(place):
    place.post("Out & about", -HOUR)
    place.post("Of long ago", -DAY - 2 * HOUR)
    place.post("Soon", 6 * DAY)
    place.post("Next", 2 * HOUR)
    place.post("Later", 8 * DAY)
    place.post("Not yet")
    place.wants("ann", "abe", "mod", "root")
    letters = place.digests()
    told = "[Quire] 1 post published, 2 posts in the coming week"
    assert sorted(heard(letters)) == [("ann", told), ("mod", told), ("root", told)]
    text = text_of(letters[0])
    assert "* Out & about\n  by ann, " in text and "https://example.org/posts/out-about\n" in text
    assert text.index("* Next") < text.index("* Soon")
    assert not any(word in text for word in ("long ago", "Later", "Not yet"))
    assert '<a href="https://example.org/posts/out-about"' in page_of(letters[0])
    assert "Out &amp; about" in page_of(letters[0])


def test_new_accounts_and_failed_jobs_are_reported_to_administrators(place):
    with place.app.app_context():
        new = {"username": "newbie", "email": "newbie@example.org", "password": "correct horse 7"}
        create(USERS, SYSTEM, {**new, "role": "author"})
        enqueue("mail.nonsense")
    sent(place.app)
    place.wants("root", "mod")
    [letter] = place.digests()
    assert heard([letter]) == [("root", "[Quire] 1 failed job, 1 new account")]
    text = text_of(letter)
    assert "* newbie, author\n" in text and "* Send an email: 1\n" in text
    assert "https://example.org/admin/jobs/" in text


def test_late_digest_does_not_repeat_the_next_period(place, people):
    last = rfc3339(now() - DAY - HOUR)
    place.wants("ann")
    place.post("Tides", -HOUR)
    with place.app.app_context():
        enqueue("mail.digest", people["ann"].id, since=rfc3339(now() - 3 * DAY), until=last)
    assert sent(place.app) == []
    assert heard(place.digests()) == [("ann", "[Quire] 1 post published")]


def test_long_lists_are_shortened(place, people):
    with place.app.app_context():
        at = rfc3339(now() - HOUR)
        raw = {"body": "x", "author": people["ann"].id, "published_at": at}
        create_many(POSTS, SYSTEM, [{"title": f"P{n}", **raw} for n in range(LISTED + 3)])
    place.wants("ann")
    [letter] = place.digests()
    assert letter["Subject"] == "[Quire] 23 posts published"
    assert text_of(letter).count("\n* P") == LISTED and "And 3 more." in text_of(letter)


@pytest.mark.parametrize(
    ("period", "ago", "comes"),
    [
        ("daily", None, True),
        ("daily", timedelta(hours=20), False),
        ("weekly", 3 * DAY, False),
        ("weekly", 7 * DAY, True),
    ],
)
def test_digest_is_sent_after_its_period(place, period, ago, comes):
    place.post("Tides", -HOUR)
    place.wants("ann", ago=ago, period=period)
    assert bool(place.digests()) is comes


def test_first_digest_after_a_long_time_covers_a_month(place):
    place.post("Lately", -LONGEST + HOUR)
    place.post("In other times", -LONGEST - HOUR)
    place.wants("ann", ago=400 * DAY)
    [letter] = place.digests()
    assert "Lately" in text_of(letter) and "other times" not in text_of(letter)

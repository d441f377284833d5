"""The digest: what is waiting for a user and what is new, once a day or a week, for those who want it.

It covers what they are responsible for in the panel, and is only sent if there is something to say.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from quire.actor import Actor
from quire.declare.clock import now, rfc3339
from quire.declare.job_registry import Job, periodic
from quire.declare.query import Query
from quire.declare.query_conditions import Condition
from quire.declare.record import Record
from quire.declare.rules import role
from quire.declare.value_kinds import time_from_text
from quire.jobs.mail.account_mail import active_user, language_of, mail_to, profile_of
from quire.jobs.mail.comment_mail import excerpt
from quire.jobs.mail.message import (
    MailMessage,
    mail_template,
    site_root,
    unsubscribe_url,
)
from quire.jobs.titles import job_title
from quire.records import COMMENTS, POSTS, PROFILES, USERS
from quire.store import read
from quire.store.db import read_connection, transaction
from quire.store.events import queue_admin
from quire.store.events.mail import enqueue_mail
from quire.translations.messages import Message
from quire.web.dates import clock
from quire.web.language import format_number, gettext, in_language, noun, translate

PERIODS = {"daily": timedelta(days=1), "weekly": timedelta(days=7)}
SLACK = timedelta(minutes=90)
"""How much earlier than a whole period ago the last digest may have been sent, since digests are sent hourly."""
LONGEST = timedelta(days=31)
"""The maximum period of a digest, for users who had switched it off for long."""
LEAD_TIME = timedelta(days=7)
"""How far it looks ahead."""
LISTED = 20
"""Items below each heading."""

_profiles = PROFILES.table


@periodic(3600, title="Send summaries of new comments by email")
def send_digests() -> None:
    """Enqueue digests for those who want them and have had none for a period."""
    for period, length in PERIODS.items():
        before = now() - length + SLACK
        conditions = (_profiles.c.digest == period, _is_due(before))
        columns = (_profiles.c.user_id, _profiles.c.digest_sent_at)
        with read_connection() as connection:
            due = connection.execute(select(*columns).where(*conditions)).all()
        for user_id, sent_at in due:
            _enqueue(user_id, before, sent_at or now() - length)


def _is_due(before: datetime) -> Any:
    sent_at = _profiles.c.digest_sent_at
    return sent_at.is_(None) | (sent_at <= before)


def _enqueue(user_id: int, before: datetime, since: datetime) -> None:
    """Enqueue a digest of what has happened since a time, unless another process has."""
    until = now()
    mine = (_profiles.c.user_id == user_id, _is_due(before))
    with transaction() as connection:
        statement = update(_profiles).where(*mine).values(digest_sent_at=until)
        if connection.execute(statement).rowcount:
            start = max(since, until - LONGEST)
            enqueue_mail("digest", user_id, since=rfc3339(start), until=rfc3339(until))


@dataclass(frozen=True)
class DigestItem:
    """A line: a title, its URL, further details and an excerpt."""

    name: str
    url: str = ""
    note: str = ""
    text: str = ""


@dataclass(frozen=True)
class DigestSection:
    """A heading, the URL of the whole list, and its first items."""

    heading: str
    url: str
    items: list[DigestItem]
    more: int


@mail_template("digest")
def _digest(job: Job) -> MailMessage | None:
    user = active_user(job.record_id)
    if user is None or profile_of(user["id"]).digest == "never":
        return None
    actor = Actor(user["role"], user["id"], user["username"], door="jobs")
    span = [time_from_text(job.data[name]) for name in ("since", "until")]
    with in_language(language_of(user)):
        parts = _sections(actor, *span)
    if role("author")(actor) is False or not parts:
        return None
    subject = ", ".join(part.heading for part in parts)
    words = {"username": user["username"], "subject": subject, "parts": parts}
    return mail_to(user, "digest", words, unsubscribe_url(user["id"], "digest"))


def _sections(actor: Actor, since: datetime, until: datetime) -> list[DigestSection]:
    """Return the sections for a user, the most urgent first."""
    sections = [
        _section_of_records(actor, COMMENTS, Message("%(count)s comment to review", "%(count)s comments to review", count=0), _comment, [_status("pending")]),
        _failed_jobs(actor),
        _section_of_records(
            actor, POSTS, Message("%(count)s post published", "%(count)s posts published", count=0), _post,
            [_status("published"), *_period_conditions("published_at", since, until)],
        ),
        _section_of_records(
            actor, POSTS, Message("%(count)s post in the coming week", "%(count)s posts in the coming week", count=0), _post,
            [_status("scheduled"), *_period_conditions("published_at", until, until + LEAD_TIME)],
            ("published_at",),
        ),
        _section_of_records(actor, USERS, Message("%(count)s new account", "%(count)s new accounts", count=0), _account, _period_conditions("created_at", since, until)),
    ]  # fmt: skip
    return [part for part in sections if part is not None]


def _status(word: str) -> Condition:
    return Condition("status", "eq", (word,))


def _period_conditions(field: str, start: datetime, end: datetime) -> list[Condition]:
    return [Condition(field, "gt", (start,)), Condition(field, "lte", (end,))]


def _section_of_records(
    actor: Actor,
    record: Record,
    heading: Message,
    item: Callable[[dict[str, Any]], DigestItem],
    conditions: list[Condition],
    sort: tuple[str, ...] = (),
) -> DigestSection | None:
    """Return the records of a type that an actor sees in the panel; None if there are none."""
    query = Query(tuple(conditions), sort, per_page=LISTED, panel=True)
    page = read.list_records(record, actor, query)
    states = [one.values[0] for one in conditions if one.path == "status"]
    url = f"{site_root()}/admin/{record.path}/" + "".join(f"?status={state}" for state in states)
    return _section(heading, url, [item(row) for row in page.rows], page.total or 0)


def _section(
    heading: Message, url: str, items: list[DigestItem], total: int
) -> DigestSection | None:
    if not total:
        return None
    title = translate(heading.with_values(count=total))
    return DigestSection(title, url, items, total - len(items))


def _comment(row: dict[str, Any]) -> DigestItem:
    summary = excerpt(row)
    name = gettext(
        "%(who)s on “%(title)s”", who=translate(summary["who"]), title=row["post"]["title"]
    )
    return DigestItem(name, text=summary["text"])


def _post(row: dict[str, Any]) -> DigestItem:
    moment = clock(time_from_text(row["published_at"]))
    note = gettext("by %(author)s, %(time)s", author=row["author"]["username"], time=moment)
    live = row["status"] == "published"
    return DigestItem(row["title"], f"{site_root()}/posts/{row['slug']}" if live else "", note)


def _account(row: dict[str, Any]) -> DigestItem:
    return DigestItem(f"{row['username']}, {noun(row['role'])}")


def _failed_jobs(actor: Actor) -> DigestSection | None:
    """Return jobs that have failed for good, for those who may retry them."""
    if role("admin")(actor) is False:
        return None
    kinds = [row for row in queue_admin.summary_by_event() if row.failed]
    items = [DigestItem(f"{job_title(row.event)}: {format_number(row.failed)}") for row in kinds]
    total = sum(row.failed for row in kinds)
    return _section(
        Message("%(count)s failed job", "%(count)s failed jobs", count=0),
        f"{site_root()}/admin/jobs/",
        items,
        total,
    )

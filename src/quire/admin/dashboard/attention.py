"""What needs attention, in sentences that link to where it can be dealt with."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from flask import current_app, url_for

from quire.actor import Actor
from quire.admin.dashboard.counts import MAX_COUNTED
from quire.admin.format import figure
from quire.admin.urls import endpoint, list_url
from quire.backup.folder import stored_backups
from quire.declare.record import REGISTRY
from quire.records.deliveries import FAILED
from quire.translations.messages import Message
from quire.web.language import gettext, ngettext, translate

OLD_BACKUP = timedelta(days=7)
"""The age at which a backup is old, if none are made on schedule."""


def attention(actor: Actor, numbers: dict[str, int]) -> list[Any]:
    """One line for each kind of thing: its text, its URL, its severity; the worst first."""
    lines = [*_of_system(actor, numbers), *_of_content(actor, numbers)]
    return sorted(lines, key=lambda line: ("error", "warning", "info").index(line.tone))


def _line(tone: str, icon: str, words: str, url: str) -> Any:
    return SimpleNamespace(tone=tone, icon=icon, words=words, url=url)


WAITING = Message(
    "%(figure)s %(noun)s is waiting for a decision",
    "%(figure)s %(nouns)s are waiting for a decision",
    count=0, figure="", noun="", nouns="",
)  # fmt: skip
DRAFTS = Message(
    "%(figure)s draft of yours", "%(figure)s drafts of yours", count=0, figure=""
)  # fmt: skip
SCHEDULED = Message(
    "%(figure)s post is scheduled", "%(figure)s posts are scheduled", count=0, figure=""
)  # fmt: skip
FAILED_JOBS = Message(
    "%(figure)s background job has failed", "%(figure)s background jobs have failed", count=0, figure=""
)  # fmt: skip
FAILED_DELIVERIES = Message(
    "%(figure)s webhook delivery has failed in the last 7 days",
    "%(figure)s webhook deliveries have failed in the last 7 days",
    count=0, figure="",
)  # fmt: skip


def _many(number: int, words: Message) -> str:
    """`1 comment is waiting`, `1,000+ comments are waiting`."""
    return translate(words.with_values(count=number, figure=figure(number, MAX_COUNTED)))


def _of_content(actor: Actor, numbers: dict[str, int]) -> Iterator[Any]:
    for record in REGISTRY.values():
        if record.moderation is not None and (number := numbers.get(record.path)):
            nouns = {"noun": gettext(record.noun), "nouns": gettext(record.plural_noun)}
            url = url_for(endpoint(record, "moderation_view"))
            yield _line("warning", "moderation", _many(number, WAITING.with_values(**nouns)), url)
    posts = REGISTRY["posts"]
    if number := numbers.get("draft"):
        url = list_url(posts, [("status", "draft"), ("author.username", actor.username or "")])
        yield _line("info", "pencil", _many(number, DRAFTS), url)
    if number := numbers.get("scheduled"):
        words = _many(number, SCHEDULED)
        yield _line("info", "history", words, list_url(posts, [("status", "scheduled")]))


def _of_system(actor: Actor, numbers: dict[str, int]) -> Iterator[Any]:
    if number := numbers.get("jobs"):
        words = _many(number, FAILED_JOBS)
        yield _line("error", "jobs", words, url_for("jobs.index"))
    if number := numbers.get("deliveries"):
        words = _many(number, FAILED_DELIVERIES)
        url = list_url(REGISTRY["deliveries"], [("status", FAILED)])
        yield _line("error", "alert", words, url)
    if actor.at_least("admin") and (words := backup_warning()):
        yield _line("warning", "download", words, url_for("backups.index"))


def backup_warning() -> str:
    """What is wrong with the age of the newest backup; empty if nothing is."""
    backups = stored_backups()
    if not backups:
        return gettext("There is no backup yet")
    every = timedelta(seconds=current_app.config["BACKUP_EVERY"])
    age = datetime.now(UTC) - backups[-1][0]
    if age <= (2 * every or OLD_BACKUP):
        return ""
    days = age.days
    return ngettext(
        "The newest backup is %(num)s day old", "The newest backup is %(num)s days old", days
    )

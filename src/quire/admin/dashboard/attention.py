"""What wants somebody's attention, in sentences that lead to where something can be done about it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from flask import current_app, url_for

from quire.actor import Actor
from quire.admin.dashboard.counts import MOST_COUNTED
from quire.admin.urls import endpoint, list_url
from quire.backup.folder import stored_backups
from quire.declare.record import REGISTRY
from quire.records.deliveries import FAILED

OLD_BACKUP = timedelta(days=7)
"""The age at which a backup is old where none are made on schedule."""


def attention(actor: Actor, numbers: dict[str, int]) -> list[Any]:
    """One line for each kind of thing: its words, its address, how bad it is; the worst first."""
    lines = [*_of_system(actor, numbers), *_of_content(actor, numbers)]
    return sorted(lines, key=lambda line: ("bad", "warn", "info").index(line.tone))


def _line(tone: str, icon: str, words: str, url: str) -> Any:
    return SimpleNamespace(tone=tone, icon=icon, words=words, url=url)


def _many(number: int, one: str, many: str) -> str:
    """`1 comment is waiting`, `1,000+ comments are waiting`."""
    figure = f"{min(number, MOST_COUNTED):,}{'+' if number > MOST_COUNTED else ''}"
    return f"{figure} {one if number == 1 else many}"


def _of_content(actor: Actor, numbers: dict[str, int]) -> Iterator[Any]:
    for record in REGISTRY.values():
        if record.moderation is not None and (number := numbers.get(record.path)):
            one, many = f"{record.noun} is waiting", f"{record.plural_noun} are waiting"
            url = url_for(endpoint(record, "moderation_view"))
            yield _line("warn", "moderation", f"{_many(number, one, many)} for a decision", url)
    posts = REGISTRY["posts"]
    if number := numbers.get("draft"):
        url = list_url(posts, [("status", "draft"), ("author.username", actor.username or "")])
        yield _line("info", "pencil", _many(number, "draft of yours", "drafts of yours"), url)
    if number := numbers.get("scheduled"):
        words = _many(number, "post is scheduled", "posts are scheduled")
        yield _line("info", "history", words, list_url(posts, [("status", "scheduled")]))


def _of_system(actor: Actor, numbers: dict[str, int]) -> Iterator[Any]:
    if number := numbers.get("jobs"):
        words = _many(number, "background job has failed", "background jobs have failed")
        yield _line("bad", "jobs", words, url_for("jobs.index"))
    if number := numbers.get("deliveries"):
        words = _many(number, "webhook delivery has failed", "webhook deliveries have failed")
        url = list_url(REGISTRY["deliveries"], [("status", FAILED)])
        yield _line("bad", "alert", f"{words} in the last 7 days", url)
    if actor.at_least("admin") and (words := backup_warning()):
        yield _line("warn", "download", words, url_for("backups.index"))


def backup_warning() -> str:
    """What is wrong with the age of the newest backup; empty if nothing is."""
    backups = stored_backups()
    if not backups:
        return "There is no backup yet"
    every = timedelta(seconds=current_app.config["BACKUP_EVERY"])
    age = datetime.now(UTC) - backups[-1][0]
    if age <= (2 * every or OLD_BACKUP):
        return ""
    days = age.days
    return f"The newest backup is {days} day{'' if days == 1 else 's'} old"

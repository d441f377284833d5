"""Writes sample content to an installation in batches, in addition to what is there."""

import secrets
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from filelock import FileLock
from flask import current_app
from sqlalchemy import func, select

from quire.actor import SYSTEM
from quire.config.validation import StartupError
from quire.declare.record import Record
from quire.exchange.sample_data import Raw, SampleGenerator
from quire.records import COMMENTS, PAGES, POSTS, TAGS, USERS
from quire.store.db import read_connection
from quire.store.short_transactions import in_batches
from quire.store.write import create, create_many

AT_ONCE = 10
"""Records per transaction."""
REPLIES = 0.3
"""The share of comments that are replies."""

ABOUT = (
    "This is a **Quire** with sample content. Edit this page in the admin panel under *Pages*, "
    "or start again with an empty instance folder."
)

Progress = Callable[[int], Any]


class Counts(NamedTuple):
    """How many of each to add."""

    users: int
    tags: int
    posts: int
    comments: int


DEMO = Counts(users=6, tags=12, posts=40, comments=120)


def seed_content(numbers: Counts, seed: int = 1, progress: Progress = lambda count: None) -> None:
    """Add sample content; `progress` is called for each batch.

    Raises StartupError if there is nobody to write it. Waits for another run in progress, since
    both would choose the same names.
    """
    with FileLock(Path(current_app.config["QUIRE_INSTANCE"]) / "seed.lock", fallback_to_soft=False):
        _seed(numbers, SampleGenerator(seed), progress)


def _seed(numbers: Counts, samples: SampleGenerator, progress: Progress) -> None:
    users = samples.users(numbers.users, _names(USERS, "username"))
    people = _write(USERS, users, progress, "username", "role")
    tags = _write(TAGS, samples.tags(numbers.tags, _names(TAGS, "name")), progress)
    tag_ids = [one["id"] for one in tags] or _ids(TAGS)
    authors = [one["id"] for one in people if one["role"] != "member"] or _authors()
    if numbers.posts and not authors:
        raise StartupError("There are no users who can write posts. Create some with --users.")
    posts = _write(POSTS, samples.posts(numbers.posts, authors, tag_ids), progress)
    post_ids = [one["id"] for one in posts] or _ids(POSTS)
    _discuss(samples, numbers.comments, post_ids, people or _people(), progress)


def create_demo() -> tuple[str, str]:
    """Fill an empty installation; the username and password of its administrator."""
    password = secrets.token_urlsafe(12)
    name = {"username": "admin", "email": "admin@example.org"}
    create(USERS, SYSTEM, {**name, "password": password, "role": "admin"})
    create(PAGES, SYSTEM, {"title": "About", "body": ABOUT, "published": True})
    seed_content(DEMO)
    return name["email"], password


def _discuss(
    samples: SampleGenerator, count: int, posts: list[int], people: list[Raw], progress: Progress
) -> None:
    if count and not (posts and people):
        raise StartupError(
            "There are no posts or no users to create comments with. Create some with --posts and --users."
        )
    replies = int(count * REPLIES)
    roots = _write(COMMENTS, samples.comments(count - replies, posts, people, ()), progress, "post")
    parents = [{"id": one["id"], "post": one["post"]["id"]} for one in roots]
    _write(COMMENTS, samples.comments(replies, posts, people, parents), progress)


def _write(record: Record, raws: Iterable[Raw], progress: Progress, *keep: str) -> list[Raw]:
    """Create records; returns the id and the fields to `keep` of each, since all would fill memory."""
    created: list[Raw] = []

    def write(raws: list[Raw]) -> None:
        saved = create_many(record, SYSTEM, raws)
        created.extend({"id": one.id, **{name: one.state[name] for name in keep}} for one in saved)
        progress(len(raws))

    for _ in in_batches(write, _together(raws)):
        pass
    return created


def _together(raws: Iterable[Raw]) -> Iterator[list[Raw]]:
    remaining = iter(raws)
    while some := list(islice(remaining, AT_ONCE)):
        yield some


def _names(record: Record, column: str) -> set[str]:
    with read_connection() as connection:
        return set(connection.execute(select(func.lower(record.table.c[column]))).scalars())


def _ids(record: Record) -> list[int]:
    with read_connection() as connection:
        ids = record.table.c.id
        return list(connection.execute(select(ids).order_by(ids)).scalars())


def _people() -> list[Raw]:
    users = USERS.table.c
    with read_connection() as connection:
        rows = connection.execute(select(users.id, users.username).order_by(users.id))
        return [dict(row) for row in rows.mappings()]


def _authors() -> list[int]:
    users = USERS.table.c
    writing = users.role.in_(["author", "moderator", "admin"])
    with read_connection() as connection:
        return list(
            connection.execute(select(users.id).where(writing).order_by(users.id)).scalars()
        )

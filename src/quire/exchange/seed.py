"""Writes sample content to an installation in batches, in addition to what is there."""

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
from quire.records import COMMENTS, POSTS, TAGS, USERS
from quire.store.db import read_connection
from quire.store.short_transactions import in_batches
from quire.store.write import create_many

AT_ONCE = 10
"""Records per transaction."""
REPLIES = 0.3
"""The share of comments that are replies."""

Progress = Callable[[int], Any]


class Counts(NamedTuple):
    """How many of each to add."""

    users: int
    tags: int
    posts: int
    comments: int


def seed_content(numbers: Counts, seed: int = 1, progress: Progress = lambda count: None) -> None:
    """Add sample content; `progress` is called for each batch.

    Raises StartupError if there is nobody to write it. Waits for another run in progress, since
    both would choose the same names.
    """
    with FileLock(Path(current_app.config["QUIRE_INSTANCE"]) / "seed.lock", fallback_to_soft=False):
        _seed(numbers, SampleGenerator(seed), progress)


def _seed(numbers: Counts, samples: SampleGenerator, progress: Progress) -> None:
    users = samples.users(numbers.users, _names(USERS, "username"))
    people = write_records(USERS, users, progress, "username", "role")
    tags = write_records(TAGS, samples.tags(numbers.tags, _names(TAGS, "name")), progress)
    tag_ids = [one["id"] for one in tags] or _ids(TAGS)
    authors = [one["id"] for one in people if one["role"] != "member"] or _authors()
    if numbers.posts and not authors:
        raise StartupError("There are no users who can write posts. Create some with --users.")
    posts = write_records(POSTS, samples.posts(numbers.posts, authors, tag_ids), progress)
    commented = posts or [{"id": id} for id in _ids(POSTS)]
    write_comments(samples, numbers.comments, commented, people or _people(), progress)


def write_comments(
    samples: SampleGenerator, count: int, posts: list[Raw], people: list[Raw], progress: Progress
) -> None:
    """Add comments of `people` (id, username) on `posts` (id, and `at` where they are to be later)."""
    if count and not (posts and people):
        raise StartupError(
            "There are no posts or no users to create comments with. Create some with --posts and --users."
        )
    replies = int(count * REPLIES)
    raws = samples.comments(count - replies, posts, people, ())
    roots = write_records(COMMENTS, raws, progress, "post")
    at = {one["id"]: one["at"] for one in posts if "at" in one}
    parents = [
        {"id": one["id"], "post": one["post"]["id"], "at": at.get(one["post"]["id"])}
        for one in roots
    ]
    write_records(COMMENTS, samples.comments(replies, posts, people, parents), progress)


def write_records(record: Record, raws: Iterable[Raw], progress: Progress, *keep: str) -> list[Raw]:
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

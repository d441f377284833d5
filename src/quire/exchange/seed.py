"""Writes sample content to an installation in batches, in addition to existing content."""

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, overload

from filelock import FileLock
from flask import current_app
from sqlalchemy import func, select

from quire.actor import SYSTEM
from quire.config.validation import StartupError
from quire.declare.record import Record
from quire.exchange.sample_data import Raw, SampleGenerator
from quire.records import COMMENTS, POSTS, TAGS, USERS
from quire.store.db import read_connection
from quire.store.transactions.long_work import in_batches
from quire.store.write import create_many

AT_ONCE = 200
"""The number of records written together: other writers wait for a batch, a fifth of a second at most."""
REPLIES = 0.3
"""The share of comments that are replies."""

Progress = Callable[[int], Any]


class Counts(NamedTuple):
    """The number of records of each type to add."""

    users: int
    tags: int
    posts: int
    comments: int


class Rows(Sequence[Raw]):
    """Some fields of written records, stored by column: a million dictionaries would fill the memory.

    References are stored as ids.
    """

    def __init__(self, *names: str, ids: Iterable[int] = ()):
        self._ids = array("q", ids)
        self._columns = {name: array("q") if name == "post" else [] for name in names}

    def add(self, id: int, state: Raw) -> None:
        """Store the fields of this record that later records need."""
        self._ids.append(id)
        for name, column in self._columns.items():
            value = state[name]
            column.append(value["id"] if isinstance(value, dict) else value)

    def __len__(self) -> int:
        return len(self._ids)

    @overload
    def __getitem__(self, place: int) -> Raw: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Raw]: ...
    def __getitem__(self, place: Any) -> Any:
        """The id and the stored fields of a record."""
        if isinstance(place, slice):
            return [self[one] for one in range(*place.indices(len(self)))]
        columns = self._columns.items()
        return {"id": self._ids[place], **{name: column[place] for name, column in columns}}


def seed_content(numbers: Counts, seed: int = 1, progress: Progress = lambda count: None) -> None:
    """Add sample content; `progress` is called for each batch.

    Raises StartupError if there are no users to write it. Waits for another run in progress, since
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
    commented = posts or Rows(ids=_ids(POSTS))
    write_comments(samples, numbers.comments, commented, people or _people(), progress)


def write_comments(
    samples: SampleGenerator,
    count: int,
    posts: Sequence[Raw],
    people: Sequence[Raw],
    progress: Progress,
) -> None:
    """Add comments of `people` (id, username) on `posts` (id, and `at` if they must be later)."""
    if count and not (posts and people):
        raise StartupError(
            "There are no posts or no users to create comments with. Create some with --posts and --users."
        )
    replies = int(count * REPLIES)
    raws = samples.comments(count - replies, posts, people, ())
    roots = write_records(COMMENTS, raws, progress, "post")
    if posts and "at" in posts[0]:
        at = {one["id"]: one["at"] for one in posts}
        roots = [one | {"at": at[one["post"]]} for one in roots]
    write_records(COMMENTS, samples.comments(replies, posts, people, roots), progress)


def write_records(
    record: Record, raws: Iterable[Raw], progress: Progress, *keep: str
) -> Sequence[Raw]:
    """Create records; returns the id and the fields to `keep` of each."""
    created = Rows(*keep)

    def write(raws: list[Raw]) -> None:
        for one in create_many(record, SYSTEM, raws):
            created.add(one.id, one.state)
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

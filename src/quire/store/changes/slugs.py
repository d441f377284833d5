"""Slugs from titles: readable and unique."""

from collections.abc import Callable, Container, Sequence
from functools import cache

from slugify import slugify
from sqlalchemy import bindparam, select

from quire.declare.change import Change
from quire.declare.record import Record
from quire.declare.unicode_text import normalize
from quire.store.connections.prepared_statements import Prepared, Unprepared, prepare
from quire.store.db import read_connection

SLUG_LENGTH = 180
IN_ORDER = 5
"""The number of suffixes that are tried one by one; after them the steps grow, as thousands may be taken."""
MAX_NUMBERS = 50_000
_last_numbers: dict[tuple[str, str], int] = {}
"""The last number given to a slug of a type in this process; the next one is probably free."""


def slug_from(name: str) -> Callable[[Change], str]:
    """A `default_from` that makes a unique slug from the field `name`, with -2, -3 ... if necessary."""

    def fill(change: Change) -> str:
        text = words_in_slug(str(change[name] or "")) or words_in_slug(change.record.noun)
        # most slugs are free: the database is asked for one only after the insert has failed
        return free_slug(change.record, text) if "slug" in change.filled_fields else text

    return fill


def words_in_slug(text: str) -> str:
    """The words of a text in ASCII, hyphens between them; empty if there are none."""
    words = text.split(" ")
    if len(text) <= SLUG_LENGTH and text.isascii() and all(map(str.isalnum, words)):
        return "-".join(words).lower()  # equals slugify's result, which takes fifteen substitutions
    return slugify(text, max_length=SLUG_LENGTH, word_boundary=True)


def number_slugs(changes: Sequence[Change]) -> None:
    """Number the generated slugs of new records that are taken, also by earlier ones among them."""
    record = changes[0].record
    slugs = {one.values["slug"] for one in changes if "slug" in one.filled_fields}
    if not slugs:
        return
    with read_connection() as connection:
        taken = {slug for (slug,) in _taken_slugs(record)(connection, {"slugs": list(slugs)})}
    for change in changes:
        slug = change.values["slug"]
        if "slug" in change.filled_fields and slug in taken:
            change.set(slug=free_slug(record, slug, taken))
        taken.add(change.values["slug"])


def free_slug(record: Record, slug: str, others: Container[str] = ()) -> str:
    """`slug`, or one of slug-2, slug-3 ..., that no record has and that is not among `others`.

    It is the first free one unless there are gaps.
    """

    def is_taken(number: int) -> bool:
        numbered = slug if number == 1 else f"{slug}-{number}"
        return numbered in others or _is_taken(record, numbered)

    number = _free_number(is_taken, _last_numbers.get((record.path, slug), 1))
    if len(_last_numbers) >= MAX_NUMBERS:
        _last_numbers.clear()
    _last_numbers[record.path, slug] = number
    return slug if number == 1 else f"{slug}-{number}"


def _free_number(is_taken: Callable[[int], bool], last: int) -> int:
    """A free number: the one after `last` if possible, otherwise the first."""
    if last > 1 and is_taken(last) and not is_taken(last + 1):
        return last + 1
    last_taken, free = 0, 1
    while is_taken(free):  # steps grow exponentially
        last_taken, free = free, free + 1 if free < IN_ORDER else free * 2
    while free - last_taken > 1:
        middle = (last_taken + free) // 2
        if is_taken(middle):
            last_taken = middle
        else:
            free = middle
    return free


def _is_taken(record: Record, slug: str) -> bool:
    with read_connection() as connection:
        return bool(_with_slug(record)(connection, {"slug": slug}))


def suggest_slug(record: Record, text: str, another: bool = False) -> str:
    """The slug for `text`, or, with `another`, a free variant of it."""
    slug = words_in_slug(text[: SLUG_LENGTH * 4]) or words_in_slug(record.noun)
    return free_slug(record, slug) if another else slug


def is_free(record: Record, slug: str, id: int | None = None) -> bool:
    """Whether no record except the one with this id has the slug."""
    table = record.table.c
    with read_connection() as connection:
        statement = select(table.id).where(table.slug == normalize(slug))
        owner_id = connection.execute(statement).scalar()
    return owner_id is None or owner_id == id


@cache
def _taken_slugs(record: Record) -> Prepared | Unprepared:
    slug = record.table.c.slug
    return prepare(select(slug).where(slug.in_(bindparam("slugs", expanding=True))))


@cache
def _with_slug(record: Record) -> Prepared:
    table = record.table.c
    return Prepared(select(table.id).where(table.slug == bindparam("slug")))

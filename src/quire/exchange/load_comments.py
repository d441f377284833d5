"""Imports the comments on a post, with their threads, dates and states."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import select

from quire.actor import Actor
from quire.declare.clock import now, rfc3339
from quire.errors import Problem, Unavailable
from quire.exchange.model import ImportedComment, ImportedPost, fingerprint
from quire.exchange.names import shorten
from quire.exchange.origin_map import OriginMap
from quire.exchange.people import PersonResolver
from quire.records import COMMENTS
from quire.store import write
from quire.store.db import read_connection, transaction
from quire.store.import_origins import KnownItem

_NAME_LENGTH = 100


class CommentLoader:
    """Imports comments; those imported before are updated or left alone, like their posts."""

    def __init__(self, actor: Actor, memory: OriginMap, people: PersonResolver):
        self._actor = actor
        self._memory = memory
        self._people = people

    def load_comments(self, entry: ImportedPost, post: int) -> tuple[int, list[str]]:
        """How many comments of `entry` were created or changed, and messages for the report."""
        new, changed = [], 0
        for comment in entry.comments:
            earlier = self._memory.get(_item(entry, comment))
            if earlier is None:
                new.append(comment)
            else:
                changed += self._change(entry, comment, earlier)
        created, complaints = self._make_all(entry, post, new)
        return created + changed, complaints

    def _make_all(
        self, entry: ImportedPost, post: int, new: list[ImportedComment]
    ) -> tuple[int, list[str]]:
        """Create parents before their replies; a reply whose parent is missing starts a thread."""
        created, waiting = 0, {comment.key for comment in new}
        complaints: list[str] = []
        while new:
            ready = [comment for comment in new if comment.parent not in waiting] or new
            done, bad = self._make(entry, post, ready)
            created, complaints = created + done, complaints + bad
            waiting -= {comment.key for comment in ready}
            new = [comment for comment in new if comment.key in waiting]
        return created, list(dict.fromkeys(complaints))

    def _make(
        self, entry: ImportedPost, post: int, comments: Sequence[ImportedComment]
    ) -> tuple[int, list[str]]:
        """Create all at once, or one by one if that fails."""
        try:
            with transaction() as connection, connection.begin_nested():
                raws = [self._raw(entry, post, comment) for comment in comments]
                saved = write.create_many(COMMENTS, self._actor, raws)
        except Unavailable:
            raise
        except Problem as error:
            if len(comments) == 1:
                return 0, [f"a comment was not imported: {error.message.rstrip('.')}"]
            parts = [self._make(entry, post, [comment]) for comment in comments]
            return sum(part[0] for part in parts), [words for part in parts for words in part[1]]
        self._memory.remember_all(
            {
                _item(entry, comment): KnownItem(COMMENTS.path, one.id, _mark(comment), one.version)
                for comment, one in zip(comments, saved, strict=True)
            }
        )
        return len(saved), []

    def _raw(self, entry: ImportedPost, post: int, comment: ImportedComment) -> dict[str, Any]:
        parent = self._memory.id_of(f"{entry.key} comment {comment.parent}", COMMENTS)
        moment = now()
        created_at = rfc3339(min(comment.date or moment, moment))
        fixed = {"post": post, "parent": _still_there(parent), "created_at": created_at}
        return fixed | self._values(comment, moment)

    def _values(self, comment: ImportedComment, moment: datetime) -> dict[str, Any]:
        return {
            "author": None if comment.person is None else self._people.id_of(comment.person),
            "author_name": shorten(comment.author_name, _NAME_LENGTH),
            "body": comment.body,
            "status": comment.status,
            "deleted_at": rfc3339(moment) if comment.trashed else None,
        }

    def _change(self, entry: ImportedPost, comment: ImportedComment, earlier: KnownItem) -> int:
        mark = _mark(comment)
        if earlier.fingerprint == mark or _version(earlier.record_id) != earlier.version:
            return 0
        values = self._values(comment, now())
        saved = write.update(COMMENTS, self._actor, earlier.record_id, values)
        self._memory.remember(_item(entry, comment), COMMENTS, saved.id, mark, saved.version)
        return int(saved.changed)


def _item(entry: ImportedPost, comment: ImportedComment) -> str:
    return f"{entry.key} comment {comment.key}"


def _mark(comment: ImportedComment) -> str:
    return fingerprint(asdict(comment))


def _version(id: int) -> int | None:
    with read_connection() as connection:
        return connection.execute(
            select(COMMENTS.table.c.version).where(COMMENTS.table.c.id == id)
        ).scalar()


def _still_there(parent: int | None) -> int | None:
    """The parent of a reply, or None, which starts a new thread, if it was deleted here."""
    return None if parent is None or _version(parent) is None else parent

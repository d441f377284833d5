"""The comments below an imported post, with their threads, dates and states."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import select

from quire.actor import Actor
from quire.declare.clock import now, rfc3339
from quire.errors import Problem, Unavailable
from quire.exchange.items import Entry, Remark, fingerprint
from quire.exchange.memory import Memory
from quire.exchange.names import shorten
from quire.exchange.people import People
from quire.records import COMMENTS
from quire.store import write
from quire.store.db import reading, transaction
from quire.store.origins import Known

_NAME_LENGTH = 100


class Discussion:
    """Brings comments; those brought before are left alone or updated like their posts."""

    def __init__(self, actor: Actor, memory: Memory, people: People):
        self._actor = actor
        self._memory = memory
        self._people = people

    def bring(self, entry: Entry, post: int) -> tuple[int, list[str]]:
        """How many comments of `entry` were made or changed, and words for the report."""
        new, changed = [], 0
        for remark in entry.remarks:
            known = self._memory.get(_item(entry, remark))
            if known is None:
                new.append(remark)
            else:
                changed += self._change(entry, remark, known)
        made, complaints = self._make_all(entry, post, new)
        return made + changed, complaints

    def _make_all(self, entry: Entry, post: int, new: list[Remark]) -> tuple[int, list[str]]:
        """Parents before their answers; an answer whose parent is missing stands by itself."""
        made, waiting = 0, {remark.key for remark in new}
        complaints: list[str] = []
        while new:
            ready = [remark for remark in new if remark.parent not in waiting] or new
            done, bad = self._make(entry, post, ready)
            made, complaints = made + done, complaints + bad
            waiting -= {remark.key for remark in ready}
            new = [remark for remark in new if remark.key in waiting]
        return made, list(dict.fromkeys(complaints))

    def _make(self, entry: Entry, post: int, remarks: Sequence[Remark]) -> tuple[int, list[str]]:
        """All at once; one by one when they do not go in together."""
        try:
            with transaction() as connection, connection.begin_nested():
                raws = [self._raw(entry, post, remark) for remark in remarks]
                saved = write.create_many(COMMENTS, self._actor, raws)
        except Unavailable:
            raise
        except Problem as error:
            if len(remarks) == 1:
                return 0, [f"a comment left out: {error.message.rstrip('.')}"]
            parts = [self._make(entry, post, [remark]) for remark in remarks]
            return sum(part[0] for part in parts), [words for part in parts for words in part[1]]
        self._memory.remember_all(
            {
                _item(entry, remark): Known(COMMENTS.path, one.id, _mark(remark), one.version)
                for remark, one in zip(remarks, saved, strict=True)
            }
        )
        return len(saved), []

    def _raw(self, entry: Entry, post: int, remark: Remark) -> dict[str, Any]:
        parent = self._memory.id_of(f"{entry.key} comment {remark.parent}", COMMENTS)
        raw: dict[str, Any] = {"post": post, "parent": _still_there(parent), **self._said(remark)}
        if remark.date is not None:
            raw["created_at"] = rfc3339(min(remark.date, now()))
        return raw

    def _said(self, remark: Remark) -> dict[str, Any]:
        return {
            "author": None if remark.person is None else self._people.id_of(remark.person),
            "author_name": shorten(remark.author_name, _NAME_LENGTH),
            "body": remark.body,
            "status": remark.status,
            "deleted_at": rfc3339(now()) if remark.trashed else None,
        }

    def _change(self, entry: Entry, remark: Remark, known: Known) -> int:
        mark = _mark(remark)
        if known.fingerprint == mark or _version(known.record_id) != known.version:
            return 0
        saved = write.update(COMMENTS, self._actor, known.record_id, self._said(remark))
        self._memory.remember(_item(entry, remark), COMMENTS, saved.id, mark, saved.version)
        return int(saved.changed)


def _item(entry: Entry, remark: Remark) -> str:
    return f"{entry.key} comment {remark.key}"


def _mark(remark: Remark) -> str:
    return fingerprint(asdict(remark))


def _version(id: int) -> int | None:
    with reading() as connection:
        return connection.execute(
            select(COMMENTS.table.c.version).where(COMMENTS.table.c.id == id)
        ).scalar()


def _still_there(parent: int | None) -> int | None:
    """An answer to what was deleted here stands by itself."""
    return None if parent is None or _version(parent) is None else parent

"""What grows by itself is cut back: the trash, revisions, what has ended; each says how many went."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from flask import current_app
from sqlalchemy import bindparam, delete, func, select

from quire.actor import SYSTEM
from quire.declare.clock import now, rfc3339
from quire.declare.record import REGISTRY, Record
from quire.errors import Conflict, NotFound, VersionConflict
from quire.store import import_origins
from quire.store.db import read_connection, transaction
from quire.store.revisions import Revision
from quire.store.short_transactions import in_batches
from quire.store.write import delete as delete_record

PAGE_LASTS = timedelta(days=7)
"""How long a page may stand open before its first draft is kept by a second try."""
_rows = Revision.__table__
_DELETE_REVISION = delete(_rows).where(_rows.c.id == bindparam("revision"))


def _days_ago(setting: str) -> datetime:
    return now() - timedelta(days=current_app.config[setting])


def purge_trash() -> int:
    """Delete for good what has lain in the trash for TRASH_DAYS."""
    before = _days_ago("TRASH_DAYS")
    found = [one for r in REGISTRY.values() if r.has_trash for one in _trashed(r, before)]
    deleted: list[bool] = []
    for _ in in_batches(lambda one: deleted.append(_deleted(*one)), found):
        pass
    return sum(deleted)


def _trashed(record: Record, before: datetime) -> list[tuple[Record, int, int]]:
    table = record.table.c
    wanted = select(table.id, table.version).where(table.deleted_at < before)
    with read_connection() as connection:
        return [(record, *row) for row in connection.execute(wanted)]


def _deleted(record: Record, id: int, version: int) -> bool:
    """Whether it went: what somebody takes out of the trash at this moment stays."""
    try:
        with transaction() as connection, connection.begin_nested():
            delete_record(record, SYSTEM, id, permanent=True, version=version)
    except (NotFound, VersionConflict, Conflict):
        return False
    return True


def delete_expired_pages() -> int:
    """Forget pages of editors: whoever has not asked again by then has got his answer."""
    with transaction() as connection:
        return import_origins.delete_older(connection, import_origins.PAGES, now() - PAGE_LASTS)


def thin_revisions() -> int:
    """Thin revisions: all are kept for REVISION_DAYS, the last of each day for REVISION_DAILY_DAYS.

    The first, the latest, and those that readers have seen are kept for good.
    """
    ids = list(_superfluous())
    for _ in in_batches(_delete_revision, ids):
        pass
    return len(ids)


def _delete_revision(id: int) -> None:
    with transaction() as connection:
        connection.execute(_DELETE_REVISION, {"revision": id})


def _superfluous() -> Iterator[int]:
    recent, daily = _days_ago("REVISION_DAYS"), _days_ago("REVISION_DAILY_DAYS")
    for _, rows in groupby(_old(recent), key=lambda row: (row.type, row.record_id)):
        followers = list(rows)
        for row, follower in zip(followers, [*followers[1:], None], strict=True):
            if row.version in (row.first, row.latest) or _was_public(row):
                continue
            if row.created_at <= daily or _same_day(row, follower):
                yield row.id


def _old(before: datetime) -> list[Any]:
    """Revisions made before a moment, with the numbers of the first and the latest of their record."""
    same: dict[str, Any] = {"partition_by": (_rows.c.type, _rows.c.record_id)}
    every = select(
        *(_rows.c[name] for name in ("id", "type", "record_id", "version", "created_at")),
        _rows.c.data["published_at"].as_string().label("starts"),
        _rows.c.data["unpublish_at"].as_string().label("ends"),
        func.min(_rows.c.version).over(**same).label("first"),
        func.max(_rows.c.version).over(**same).label("latest"),
    ).subquery()
    wanted = select(every).where(every.c.created_at < before)
    with read_connection() as connection:
        ordered = wanted.order_by(every.c.type, every.c.record_id, every.c.version)
        return list(connection.execute(ordered).all())


def _was_public(row: Any) -> bool:
    """Whether readers saw this version: it was live when it was made."""
    moment = rfc3339(row.created_at)
    return bool(row.starts) and row.starts <= moment and not (row.ends and row.ends <= moment)


def _same_day(row: Any, follower: Any) -> bool:
    return follower is not None and follower.created_at.date() == row.created_at.date()

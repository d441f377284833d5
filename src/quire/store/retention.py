"""Deletes what has expired: trash, old revisions, editor pages; each function returns how many."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from flask import current_app
from sqlalchemy import bindparam, delete, exists, func, select

from quire.actor import SYSTEM
from quire.declare.clock import now, rfc3339
from quire.declare.record import REGISTRY, Record
from quire.errors import Conflict, NotFound, VersionConflict
from quire.store import import_origins, write
from quire.store.audit import AuditEvent
from quire.store.db import read_connection, transaction
from quire.store.import_origins import ImportOrigin
from quire.store.revisions import Revision
from quire.store.transactions.long_work import delete_in_batches, in_batches

PAGE_LIFETIME = timedelta(days=7)
"""How long a repeated request from an editor page still finds the draft that the page created."""
_rows = Revision.__table__
_DELETE_REVISION = delete(_rows).where(_rows.c.id == bindparam("revision"))


def _days_ago(setting: str) -> datetime:
    return now() - timedelta(days=current_app.config[setting])


def purge_trash() -> int:
    """Permanently delete what has been in the trash for TRASH_DAYS."""
    before = _days_ago("TRASH_DAYS")
    rows = [one for r in REGISTRY.values() if r.has_trash for one in _records_in_trash(r, before)]
    outcomes: list[bool] = []
    for _ in in_batches(lambda one: outcomes.append(_delete_if_unchanged(*one)), rows):
        pass
    return sum(outcomes)


def _records_in_trash(record: Record, before: datetime) -> list[tuple[Record, int, int]]:
    table = record.table.c
    statement = select(table.id, table.version).where(table.deleted_at < before)
    with read_connection() as connection:
        return [(record, *row) for row in connection.execute(statement)]


def _delete_if_unchanged(record: Record, id: int, version: int) -> bool:
    """Delete a record unless it was restored in the meantime; return whether it was deleted."""
    try:
        with transaction() as connection, connection.begin_nested():
            write.delete(record, SYSTEM, id, permanent=True, version=version)
    except (NotFound, VersionConflict, Conflict):
        return False
    return True


def delete_expired_pages() -> int:
    """Delete the marks of editor pages that are too old for a request to be repeated."""
    with transaction() as connection:
        return import_origins.delete_older(connection, import_origins.PAGES, now() - PAGE_LIFETIME)


def prune_audit_log() -> int:
    """Delete audit events older than AUDIT_DAYS, but always keep the latest one."""
    columns = AuditEvent.__table__.c
    recent = select(columns.id).where(columns.created_at >= _days_ago("AUDIT_DAYS"))
    newest = select(func.max(columns.id))
    with read_connection() as connection:
        # ids follow time, so this scans old events only
        first = connection.execute(recent.order_by(columns.id).limit(1)).scalar()
        kept = first or connection.execute(newest).scalar()
    return 0 if kept is None else delete_in_batches(AuditEvent.__table__, columns.id < kept)


def forget_deleted_imports() -> int:
    """Delete the origins of imported records that were deleted, IMPORT_MEMORY_DAYS after their import."""
    table, before = ImportOrigin.__table__, _days_ago("IMPORT_MEMORY_DAYS")
    counts = [
        delete_in_batches(
            table,
            table.c.type == record.path,
            table.c.imported_at < before,
            ~exists().where(record.table.c.id == table.c.record_id),
        )
        for record in REGISTRY.values()
    ]
    return sum(counts)


def thin_revisions() -> int:
    """Thin out revisions: keep all for REVISION_DAYS, the last of each day for REVISION_DAILY_DAYS.

    The first, the latest, and those that were public are kept permanently.
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
    """The revisions older than `before`, with the first and latest version of their records."""
    same: dict[str, Any] = {"partition_by": (_rows.c.type, _rows.c.record_id)}
    every = select(
        *(_rows.c[name] for name in ("id", "type", "record_id", "version", "created_at")),
        _rows.c.data["published_at"].as_string().label("starts"),
        _rows.c.data["unpublish_at"].as_string().label("ends"),
        func.min(_rows.c.version).over(**same).label("first"),
        func.max(_rows.c.version).over(**same).label("latest"),
    ).subquery()
    statement = select(every).where(every.c.created_at < before)
    with read_connection() as connection:
        ordered = statement.order_by(every.c.type, every.c.record_id, every.c.version)
        return list(connection.execute(ordered).all())


def _was_public(row: Any) -> bool:
    """Whether readers saw this version, because it was live when it was created."""
    moment = rfc3339(row.created_at)
    return bool(row.starts) and row.starts <= moment and not (row.ends and row.ends <= moment)


def _same_day(row: Any, follower: Any) -> bool:
    return follower is not None and follower.created_at.date() == row.created_at.date()

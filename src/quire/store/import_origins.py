"""Where imported records came from, so that a second import recognises existing ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Any

from sqlalchemy import Connection, Index, String, Text, bindparam, delete, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from quire.declare.clock import now
from quire.declare.column_types import Time, Whole
from quire.declare.mixins import HasId, table_args
from quire.store.audit import RecordId, Word
from quire.store.db import Model, read_connection

PLACE_LENGTH = 500
TABLES = "table"
"""The source of rows imported from tables; their place is the record type."""
PAGES = "pages"
"""The source of drafts that editors start: a page of the panel, whose first response may be lost."""

Digest = Annotated[str, mapped_column(String(64))]


class ImportOrigin(HasId, Model):
    """An item of a source, and the record it became.

    `place` distinguishes blogs, `item` is the item's name within one. `fingerprint` is that of the
    imported values, `version` the record's version after the import.
    """

    __tablename__ = "origins"
    __table_args__ = table_args(Index("ix_origins_place", "source", "place"))

    digest: Mapped[Digest] = mapped_column(unique=True)
    source: Mapped[Word]
    place: Mapped[str] = mapped_column(String(PLACE_LENGTH))
    item: Mapped[str] = mapped_column(Text())
    type: Mapped[Word]
    record_id: Mapped[RecordId]
    fingerprint: Mapped[Digest]
    version: Mapped[Whole | None]
    imported_at: Mapped[Time] = mapped_column(default=now)


@dataclass(frozen=True, slots=True)
class KnownItem:
    """The stored origin of one item."""

    type: str
    record_id: int
    fingerprint: str
    version: int | None


_DELETE = delete(ImportOrigin).where(ImportOrigin.digest == bindparam("old"))
_INSERT = insert(ImportOrigin)
_COLUMNS = (
    ImportOrigin.type,
    ImportOrigin.record_id,
    ImportOrigin.fingerprint,
    ImportOrigin.version,
)
_FIND = select(*_COLUMNS).where(ImportOrigin.digest == bindparam("key_digest"))


def place_name(place: str) -> str:
    """`place` as it is stored: a very long one as its digest."""
    return place if len(place) <= PLACE_LENGTH else sha256(place.encode()).hexdigest()


def known_items(source: str, place: str) -> dict[str, KnownItem]:
    """All stored items of one place, by name."""
    statement = select(ImportOrigin.item, *_COLUMNS).where(
        ImportOrigin.source == source, ImportOrigin.place == place_name(place)
    )
    with read_connection() as connection:
        return {row[0]: KnownItem(*row[1:]) for row in connection.execute(statement)}


def known_item(source: str, place: str, item: str) -> KnownItem | None:
    """The stored origin of one item, None if it is unknown."""
    digest = _digest(source, place_name(place), item)
    with read_connection() as connection:
        row = connection.execute(_FIND, {"key_digest": digest}).first()
    return None if row is None else KnownItem(*row)


def known_places(source: str) -> list[str]:
    """All places of a source."""
    with read_connection() as connection:
        return list(
            connection.execute(
                select(ImportOrigin.place).where(ImportOrigin.source == source).distinct()
            ).scalars()
        )


def store_items(
    connection: Connection, source: str, place: str, items: Mapping[str, KnownItem]
) -> None:
    """Store the records that items became, in the open transaction, replacing earlier ones."""
    place = place_name(place)
    rows = [_row(source, place, item, origin) for item, origin in items.items()]
    connection.execute(_DELETE, [{"old": row["digest"]} for row in rows])
    connection.execute(_INSERT, rows)


def _row(source: str, place: str, item: str, origin: KnownItem) -> dict[str, Any]:
    return {
        "digest": _digest(source, place, item),
        "source": source,
        "place": place,
        "item": item,
        "type": origin.type,
        "record_id": origin.record_id,
        "fingerprint": origin.fingerprint,
        "version": origin.version,
        "imported_at": now(),
    }


def _digest(source: str, place: str, item: str) -> str:
    return sha256(f"{source}\0{place}\0{item}".encode("utf-8", "replace")).hexdigest()


def delete_origin(connection: Connection, source: str, place: str, record_id: int) -> None:
    """Delete the origin of a record, in the open transaction."""
    mine = (
        ImportOrigin.source == source,
        ImportOrigin.place == place_name(place),
        ImportOrigin.record_id == record_id,
    )
    connection.execute(delete(ImportOrigin).where(*mine))


def delete_older(connection: Connection, source: str, before: datetime) -> int:
    """Delete the origins of a source that are older than `before`; return how many there were."""
    old = ImportOrigin.source == source, ImportOrigin.imported_at < before
    return connection.execute(delete(ImportOrigin).where(*old)).rowcount

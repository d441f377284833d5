"""Where imported records came from, so that a second import knows what it has brought already."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Any

from sqlalchemy import Connection, Index, String, Text, bindparam, delete, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from quire.declare.clock import now
from quire.declare.columns import Numbered, table_args
from quire.declare.kinds import Time, Whole
from quire.store.audit import RecordId, Word
from quire.store.db import Model, reading

PLACE_LENGTH = 500
PAGES = "pages"
"""The source of what editors begin: a page of the panel, whose first answer may be lost."""

Digest = Annotated[str, mapped_column(String(64))]


class Origin(Numbered, Model):
    """An item of some source, and the record it became.

    `place` tells one blog from another, `item` is the item's name within it. `fingerprint` is
    that of the values as they were imported, `version` the record's version after that.
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
class Known:
    """What is remembered of one item."""

    type: str
    record_id: int
    fingerprint: str
    version: int | None


_FORGET = delete(Origin).where(Origin.digest == bindparam("old"))
_KEEP = insert(Origin)
_COLUMNS = (Origin.type, Origin.record_id, Origin.fingerprint, Origin.version)


def place_name(place: str) -> str:
    """`place` as it is stored: a very long one by its digest."""
    return place if len(place) <= PLACE_LENGTH else sha256(place.encode()).hexdigest()


def known_items(source: str, place: str) -> dict[str, Known]:
    """All that is remembered of one place, by item."""
    wanted = select(Origin.item, *_COLUMNS).where(
        Origin.source == source, Origin.place == place_name(place)
    )
    with reading() as connection:
        return {row[0]: Known(*row[1:]) for row in connection.execute(wanted)}


def known_places(source: str) -> list[str]:
    """Every place that something was imported from."""
    with reading() as connection:
        return list(
            connection.execute(
                select(Origin.place).where(Origin.source == source).distinct()
            ).scalars()
        )


def remember(connection: Connection, source: str, place: str, items: Mapping[str, Known]) -> None:
    """Note what items became, in the open transaction; what was noted before is replaced."""
    place = place_name(place)
    rows = [_row(source, place, item, known) for item, known in items.items()]
    connection.execute(_FORGET, [{"old": row["digest"]} for row in rows])
    connection.execute(_KEEP, rows)


def _row(source: str, place: str, item: str, known: Known) -> dict[str, Any]:
    name = f"{source}\0{place}\0{item}".encode("utf-8", "replace")
    return {
        "digest": sha256(name).hexdigest(),
        "source": source,
        "place": place,
        "item": item,
        "type": known.type,
        "record_id": known.record_id,
        "fingerprint": known.fingerprint,
        "version": known.version,
        "imported_at": now(),
    }


def forget(connection: Connection, source: str, place: str, record_id: int) -> None:
    """Forget that a record came from there, in the open transaction."""
    mine = (
        Origin.source == source,
        Origin.place == place_name(place),
        Origin.record_id == record_id,
    )
    connection.execute(delete(Origin).where(*mine))


def forget_old(connection: Connection, source: str, before: datetime) -> int:
    """Forget what came from a source earlier than that; how much it was."""
    old = Origin.source == source, Origin.imported_at < before
    return connection.execute(delete(Origin).where(*old)).rowcount

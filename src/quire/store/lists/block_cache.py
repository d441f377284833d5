"""Caches blocks of what was read from large tables, in memory and in a table, so that a new process need not read
everything.

The blocks in the table are as current as those in memory: a process that loads them re-reads the blocks of rows
changed since.
"""

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Dialect, Engine, String, Text, delete, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from quire.declare.clock import now
from quire.declare.column_types import Time
from quire.store.audit import Word
from quire.store.connections.prepared_statements import Prepared
from quire.store.data_versions import ignore_reads
from quire.store.database_state import DatabaseState, database_state
from quire.store.db import Model, db, transaction
from quire.store.events.feed_position import FeedPosition
from quire.store.lists.id_blocks import (
    BLOCK,
    BlockQuery,
    Blocks,
    blocks_of,
    can_be_kept,
    compiled_part,
    current_blocks,
    read_all,
    tables_read,
)

MIN_BLOCKS = 4
"""With fewer blocks, everything is read."""
MAX_ENTRIES = 100
"""The maximum number of queries per process whose blocks are in memory."""
MAX_STORED = 200
"""The maximum number of queries of all processes whose blocks are stored: the most recently stored ones."""


class StoredBlocks(Model):
    """The blocks of one query as JSON; `digest` identifies its text and values."""

    __tablename__ = "list_blocks"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    type: Mapped[Word]
    data: Mapped[str] = mapped_column(Text())
    stored_at: Mapped[Time]


_rows = StoredBlocks.__table__
_store = Prepared(
    insert(_rows),
    on_conflict="ON CONFLICT (digest) DO UPDATE SET data = excluded.data, stored_at = excluded.stored_at",
)


@dataclass(frozen=True, slots=True)
class Entry:
    """What is cached for a large table: its blocks, None before they are read, and those that are stored."""

    digest: str
    query: BlockQuery
    blocks: Blocks | None = None
    stored: Blocks | None = None

    @property
    def has_changed(self) -> bool:
        """Whether a new process would have to read more than this one."""
        blocks, stored = self.blocks, self.stored
        return blocks is not None and (stored is None or _contents(blocks) != _contents(stored))


_entries: WeakKeyDictionary[Engine, dict[Any, Entry]] = WeakKeyDictionary()
_digests: WeakKeyDictionary[Engine, dict[str, set[str]]] = WeakKeyDictionary()
"""What other processes had stored for a type when this one first looked, except what it has loaded since."""


def is_kept(engine: Engine, key: Any) -> bool:
    """Whether `keep` has been called for this key."""
    return key in _entries.get(engine, {})


def keep(
    connection: Connection,
    key: Any,
    query: BlockQuery,
    values: dict[str, Any],
    blocks: Blocks | None = None,
) -> None:
    """Let `read` cache blocks under `key`, if they can be kept current: reading all rows takes long."""
    if can_be_kept(query, connection.dialect):
        digest = _digest(connection.dialect, query, values)
        _add(connection.engine, key, Entry(digest, query, blocks))


def read(
    connection: Connection,
    state: DatabaseState,
    key: Any,
    query: BlockQuery,
    values: dict[str, Any],
) -> dict[int, Any] | None:
    """Return what `query` reads for each block; None if no blocks are cached under `key`."""
    if state.feed is None:
        return None
    engine = connection.engine
    entry = _entries.get(engine, {}).get(key) or _load(connection, query, values)
    if entry is None:
        return None
    entry = replace(entry, blocks=current_blocks(connection, state, query, values, entry.blocks))
    _add(engine, key, entry)
    assert entry.blocks is not None
    return entry.blocks.values


def read_or_keep(
    connection: Connection, key: Any, query: BlockQuery, values: dict[str, Any]
) -> dict[int, Any]:
    """Return what `query` reads for each block, cached under `key` if there are several."""
    state = database_state(connection, values["now"])
    found = read(connection, state, key, query, values)
    if found is None:
        found = read_all(connection, query, values)
        if len(found) >= MIN_BLOCKS and state.feed is not None:
            blocks = blocks_of(state, tables_read(query, connection.dialect), found)
            keep(connection, key, query, values, blocks)
    return found


def _add(engine: Engine, key: Any, entry: Entry) -> None:
    entries = _entries.setdefault(engine, {})
    if len(entries) >= MAX_ENTRIES and key not in entries:
        entries.clear()
    entries[key] = entry


def store() -> None:
    """Store the blocks that have changed, for other processes."""
    entries = _entries.get(db.engine, {})
    changed = [(key, one) for key, one in [*entries.items()] if one.has_changed]
    if not changed:
        return
    newest = select(_rows.c.digest).order_by(_rows.c.stored_at.desc()).limit(MAX_STORED)
    with transaction() as connection:
        for _, entry in changed:
            _store(connection, _row(entry))
        connection.execute(delete(_rows).where(_rows.c.digest.not_in(newest)))
    for key, entry in changed:
        entries[key] = replace(entries.get(key, entry), stored=entry.blocks)


def _row(entry: Entry) -> dict[str, Any]:
    blocks = entry.blocks
    assert blocks is not None
    times = (blocks.moment, blocks.until, blocks.checked)
    data = [*_contents(blocks), *(one.isoformat() for one in times)]
    return {
        "digest": entry.digest,
        "type": entry.query.record.path,
        "data": json.dumps(data),
        "stored_at": now(),
    }


def _contents(blocks: Blocks) -> list[Any]:
    return [blocks.values, blocks.any_row, blocks.feed.epoch, blocks.feed.last]


def _load(connection: Connection, query: BlockQuery, values: dict[str, Any]) -> Entry | None:
    """Load what another process has stored for a query, once."""
    digests = _stored_digests(connection, query.record.path)
    if not digests or not can_be_kept(query, connection.dialect):
        return None
    digest = _digest(connection.dialect, query, values)
    if digest not in digests:
        return None
    digests.discard(digest)
    with ignore_reads():
        data = connection.execute(select(_rows.c.data).where(_rows.c.digest == digest)).scalar()
    if data is None:
        return None
    stored = _parse(data)
    return Entry(digest, query, stored, stored)


def _parse(data: str) -> Blocks:
    values, any_row, epoch, last, *times = json.loads(data)
    by_block = {int(block): value for block, value in values.items()}
    moment, until, checked = map(datetime.fromisoformat, times)
    return Blocks(by_block, any_row, FeedPosition(epoch, last), moment, until, checked)


def _stored_digests(connection: Connection, path: str) -> set[str]:
    by_type = _digests.setdefault(connection.engine, {})
    if path not in by_type:
        with ignore_reads():
            digests = connection.execute(select(_rows.c.digest).where(_rows.c.type == path))
            by_type[path] = set(digests.scalars())
    return by_type[path]


def _digest(dialect: Dialect, query: BlockQuery, values: dict[str, Any]) -> str:
    """Return what identifies a query and its values except the time; its text determines who may see what."""
    text, parameters = compiled_part(query, dialect)
    given = {name: values.get(name, value) for name, value in parameters.items() if name != "now"}
    whole = repr((text, BLOCK, sorted(given.items())))
    return hashlib.sha256(whole.encode()).hexdigest()

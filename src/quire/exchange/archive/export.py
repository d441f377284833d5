"""Writes an archive as a stream of bytes while reading the records, so that memory use stays constant."""

import os
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, cast
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import orjson

from quire.config.version import VERSION
from quire.declare.clock import now, rfc3339
from quire.exchange.archive import files, read_store
from quire.exchange.archive.files import FILES
from quire.exchange.archive.format import (
    FORMAT,
    FORMAT_VERSION,
    MANIFEST,
    drafts_file,
    exported_types,
    has_file,
    has_revisions,
    installation_id,
    records_file,
    revisions_file,
)
from quire.exchange.model import Progress
from quire.store.db import snapshot

PIECE = 64 * 1024
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0)


class _StreamBuffer:
    """A file object that cannot seek; the written data is taken out in pieces."""

    def __init__(self) -> None:
        self._chunks: list[bytes] = []
        self.size = 0

    def write(self, data: Any) -> int:
        self._chunks.append(bytes(data))
        self.size += len(data)
        return len(data)

    def flush(self) -> None:
        """Does nothing: all data is in this buffer."""

    def take_all(self) -> bytes:
        """Return all data written since the last call."""
        data, self._chunks, self.size = b"".join(self._chunks), [], 0
        return data


class _ArchiveWriter:
    def __init__(self) -> None:
        self._outlet = _StreamBuffer()
        self._zip = ZipFile(cast(Any, self._outlet), "w", ZIP_DEFLATED)
        self._moment = now()
        self.files: list[dict[str, Any]] = []

    def add(
        self, name: str, parts: Iterable[bytes], packed: bool = True, **more: Any
    ) -> Iterator[bytes]:
        """Write one file; yields the archive so far, in pieces. `more` is added to its manifest
        entry."""
        digest, size, count = sha256(), 0, 0
        info = ZipInfo(name, self._moment.timetuple()[:6])
        info.compress_type = ZIP_DEFLATED if packed else ZIP_STORED
        with self._zip.open(info, "w", force_zip64=True) as file:
            for part in parts:
                file.write(part)
                digest.update(part)
                size, count = size + len(part), count + 1
                if self._outlet.size > PIECE:
                    yield self._outlet.take_all()
        facts = {"name": name, "bytes": size, "sha256": digest.hexdigest()}
        self.files.append(facts | more | ({"count": count} if more else {}))

    def end(self, **facts: Any) -> Iterator[bytes]:
        """Write the manifest and the central directory; yields the remaining pieces."""
        manifest = {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "quire": VERSION,
            "place": installation_id(),
            "created_at": rfc3339(self._moment),
            **facts,
            "files": list(self.files),
        }
        yield from self.add(MANIFEST, [orjson.dumps(manifest, option=orjson.OPT_INDENT_2)])
        self._zip.close()
        yield self._outlet.take_all()


class _ProgressMeter:
    """Reports how many records have been read, and the total."""

    def __init__(self, total: int, progress: Progress | None):
        self._total, self._done, self._progress = total, 0, progress

    def count(self, states: Iterable[read_store.State]) -> Iterator[read_store.State]:
        """Yield the states unchanged, and count them."""
        for state in states:
            yield state
            self._done += 1
            if self._progress is not None:
                self._progress(min(self._done, self._total), self._total)


def stream(*, passwords: bool = False, progress: Progress | None = None) -> Iterator[bytes]:
    """The archive in pieces: a snapshot of all records, unaffected by concurrent writes.

    Password hashes are included only with `passwords`; sessions, keys and second factors never are.
    """
    writer, types = _ArchiveWriter(), exported_types()
    with snapshot() as connection:
        meter = _ProgressMeter(
            sum(read_store.count_records(connection, one) for one in types), progress
        )
        for record in types:
            states = meter.count(read_store.read_states(connection, record, passwords))
            yield from writer.add(records_file(record), _lines(states), type=record.path)
            if has_revisions(record):
                past = _lines(read_store.read_revisions(connection, record))
                yield from writer.add(revisions_file(record), past, type=record.path)
            if record.drafts:
                drafts = _lines(read_store.read_drafts(connection, record))
                yield from writer.add(drafts_file(record), drafts, type=record.path)
            if has_file(record):
                for state in read_store.read_states(connection, record, False):
                    for name in files.file_names(state):
                        yield from _file(writer, state, name)
    yield from writer.end(passwords=passwords)


def _file(writer: _ArchiveWriter, state: read_store.State, name: str) -> Iterator[bytes]:
    """The file of a record called `name`, stored without compression; nothing if it no longer exists."""
    file_here = files.stored_file(state, name)
    if file_here is not None:
        with file_here.open() as file:
            yield from writer.add(FILES + name, iter(lambda: file.read(PIECE), b""), packed=False)


def _lines(states: Iterable[read_store.State]) -> Iterator[bytes]:
    return (orjson.dumps(state, option=orjson.OPT_APPEND_NEWLINE) for state in states)


def write_archive(file: Path, *, passwords: bool = False, progress: Progress | None = None) -> int:
    """Write the archive to `file`, which appears once it is complete; return its size in bytes.

    Raises OSError.
    """
    unfinished = file.with_name(f"{file.name}.part")
    try:
        # readable only by its owner: it holds personal email addresses
        with os.fdopen(os.open(unfinished, _FLAGS, 0o600), "wb") as out:
            for piece in stream(passwords=passwords, progress=progress):
                out.write(piece)
            out.flush()
            os.fsync(out.fileno())
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)
    return file.stat().st_size

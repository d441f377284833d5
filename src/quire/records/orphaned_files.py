"""Finds out which files records need, and deletes those left by a crash between storing a file and its row."""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

from sqlalchemy import Connection, select

from quire.declare.record import REGISTRY
from quire.records.media_files import file_names, stored_name
from quire.store.db import read_connection
from quire.store.files.local import ORIGINAL, incoming_dir
from quire.store.files.storage import delete_files, file_storage

DAY = 86_400
"""Seconds after which a file without a record will no longer get one."""
IN_USE: list[Callable[[], set[str]]] = []
"""Functions that return the names of files used by something other than records."""


def delete_orphans() -> int:
    """Delete orphaned and incomplete files; return how many."""
    old = time.time() - DAY
    incoming = [path for path in incoming_dir().iterdir() if path.stat().st_mtime < old]
    for path in incoming:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with suppress(PermissionError):  # Windows does not delete files that are being read
                path.unlink(missing_ok=True)
    states = _states()
    old_names = file_storage().older_than(old)
    used_names = {name for names in IN_USE for name in names()}
    orphans = [
        name
        for name in old_names
        if name not in used_names and _is_orphan(name, states.get(_stem(name)))
    ]
    delete_files(*orphans)
    return len(incoming) + len(orphans)


def referenced_files(connection: Connection) -> Iterator[tuple[str, ...]]:
    """Return the names of the files that records refer to; one file from each tuple is enough."""
    media = REGISTRY["media"].table.c
    columns = media.url, media.sha256, media.variants, media.state
    for row in connection.execute(select(*columns).execution_options(yield_per=1000)).mappings():
        original, served, *variants = file_names(dict(row))
        if row["state"] != "broken":  # its file may never have been stored
            yield (served,) if row["state"] == "ready" else (original, served)
        yield from ((name,) for name in variants)


def _states() -> dict[str, str]:
    """Return the state of each record, by the stem of its file names."""
    media = REGISTRY["media"].table.c
    with read_connection() as connection:
        rows = connection.execute(select(media.url, media.sha256, media.state))
        return {_stem(stored_name(url, sha256)): state for url, sha256, state in rows}


def _is_orphan(name: str, state: str | None) -> bool:
    """Whether no record needs the file; a processed image no longer needs its original."""
    return state is None or (state == "ready" and name.startswith(ORIGINAL))


def _stem(name: str) -> str:
    """Return the part that the names of a record's files have in common."""
    return "-".join(name.removeprefix(ORIGINAL).partition(".")[0].split("-")[:2])

"""Files that no record knows: what a crash between the file and its row has left behind."""

import time
from pathlib import Path

from sqlalchemy import select

from quire.declare.record import REGISTRY
from quire.store.blobs import ORIGINAL, blobs, waiting_room
from quire.store.db import reading

DAY = 86_400
"""Seconds after which a file without a record is not on its way to one any more."""


def sweep() -> int:
    """Delete them; how many there were."""
    old = time.time() - DAY
    waiting = [path for path in waiting_room().iterdir() if path.stat().st_mtime < old]
    for path in waiting:
        if path.is_file():
            path.unlink(missing_ok=True)
    known = _stems()
    strays = [name for name in blobs().older_than(old) if _stem(name) not in known]
    blobs().delete(*strays)
    return len(waiting) + len(strays)


def _stems() -> set[str]:
    with reading() as connection:
        urls = connection.execute(select(REGISTRY["media"].table.c.url)).scalars()
        return {_stem(Path(url).name) for url in urls}


def _stem(name: str) -> str:
    """What the names of all files of a record have in common."""
    return "-".join(name.removeprefix(ORIGINAL).partition(".")[0].split("-")[:2])

"""Files that no record knows: what a crash between the file and its row has left behind."""

import shutil
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
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    states = _states()
    strays = [name for name in blobs().older_than(old) if _is_stray(name, states.get(_stem(name)))]
    blobs().delete(*strays)
    return len(waiting) + len(strays)


def _states() -> dict[str, str]:
    """The state of each record, by what the names of its files have in common."""
    media = REGISTRY["media"].table.c
    with reading() as connection:
        rows = connection.execute(select(media.url, media.state))
        return {_stem(Path(url).name): state for url, state in rows}


def _is_stray(name: str, state: str | None) -> bool:
    """Whether no record needs it; a picture that is drawn does not need what it was drawn from."""
    return state is None or (state == "ready" and name.startswith(ORIGINAL))


def _stem(name: str) -> str:
    """What the names of all files of a record have in common."""
    return "-".join(name.removeprefix(ORIGINAL).partition(".")[0].split("-")[:2])

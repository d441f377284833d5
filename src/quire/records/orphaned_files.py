"""Files that no record knows: what a crash between the file and its row has left behind."""

import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from sqlalchemy import select

from quire.declare.record import REGISTRY
from quire.store.db import read_connection
from quire.store.files.local import ORIGINAL, incoming_dir
from quire.store.files.storage import file_storage

DAY = 86_400
"""Seconds after which a file without a record is not on its way to one any more."""
IN_USE: list[Callable[[], set[str]]] = []
"""Who has files beside the records: each says the names of its own."""


def delete_orphans() -> int:
    """Delete them; how many there were."""
    old = time.time() - DAY
    waiting = [path for path in incoming_dir().iterdir() if path.stat().st_mtime < old]
    for path in waiting:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with suppress(PermissionError):  # Windows keeps what somebody is reading
                path.unlink(missing_ok=True)
    states = _states()
    old_names = file_storage().older_than(old)
    used = {name for names in IN_USE for name in names()}
    strays = [
        name for name in old_names if name not in used and _is_orphan(name, states.get(_stem(name)))
    ]
    file_storage().delete(*strays)
    return len(waiting) + len(strays)


def _states() -> dict[str, str]:
    """The state of each record, by what the names of its files have in common."""
    media = REGISTRY["media"].table.c
    with read_connection() as connection:
        rows = connection.execute(select(media.url, media.state))
        return {_stem(Path(url).name): state for url, state in rows}


def _is_orphan(name: str, state: str | None) -> bool:
    """Whether no record needs it; a picture that is drawn does not need what it was drawn from."""
    return state is None or (state == "ready" and name.startswith(ORIGINAL))


def _stem(name: str) -> str:
    """What the names of all files of a record have in common."""
    return "-".join(name.removeprefix(ORIGINAL).partition(".")[0].split("-")[:2])

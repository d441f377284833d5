"""A log that several processes can share and rotate on every system: each has a file of its own.

Windows does not rename a file that another process has open, so a single file could not be rotated there.
"""

import logging.handlers
from contextlib import suppress
from itertools import count
from pathlib import Path

from filelock import FileLock, Timeout

MAX_PROCESSES = 1000


class ProcessLogFile(logging.handlers.RotatingFileHandler):
    """The first of `quire.log`, `quire.2.log`, `quire.3.log`... that no living process writes to.

    When a file reaches `max_bytes`, it becomes `quire.log.1`, and so on up to `keep`. Raises OSError.
    """

    def __init__(self, path: Path, max_bytes: int, keep: int):
        path.parent.mkdir(parents=True, exist_ok=True)
        own, self._lock_of_file = _own_file(
            path
        )  # held until the process ends, however that happens
        super().__init__(own, maxBytes=max_bytes, backupCount=keep, encoding="utf-8", delay=False)

    def rotate(self, source: str, dest: str) -> None:
        """Rename a file. While a program that reads it prevents that, this file grows."""
        with suppress(OSError):
            super().rotate(source, dest)


def _own_file(path: Path) -> tuple[Path, FileLock]:
    for number in count(1):
        name = path.name if number == 1 else f"{path.stem}.{number}{path.suffix}"
        lock = FileLock(path.with_name(f".{name}.lock"), fallback_to_soft=False)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            if number == MAX_PROCESSES:
                raise OSError(f"{MAX_PROCESSES} processes write to {path} already") from None
            continue
        return path.with_name(name), lock
    raise AssertionError

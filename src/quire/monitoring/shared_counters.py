"""Adds up the counters of all processes of an installation, through files in its instance folder.

Each process writes its numbers to a file of its own every few seconds; a process that is asked for the sums adds
them up. A file that is no longer written belongs to a process that has ended: its numbers are added to
`ended.json`, so that sums never decrease. Nothing here needs a fork or a signal.
"""

import json
import os
import secrets
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from quire.monitoring.counters import Counters, Numbers, add_up

WRITE_SECONDS = 5
"""How often each process writes its numbers."""
ALIVE_SECONDS = 4 * WRITE_SECONDS
"""A process that has written within this time is running."""
ENDED_SECONDS = 60
"""A process that has not written for this long has ended."""
LOCK_SECONDS = 1.0
ENDED = "ended.json"
_STARTED = time.time()


@dataclass(frozen=True)
class ProcessState:
    """The state of one process: start time, CPU seconds, bytes of memory (0: unknown), job threads."""

    started: float
    cpu_seconds: float
    memory_bytes: int
    job_threads: int


@dataclass(frozen=True)
class SharedNumbers:
    """The sums over all processes, and the state of each running one."""

    numbers: Numbers
    processes: list[ProcessState] = field(default_factory=list)


class SharedCounters:
    """The counters of this process and of those that share `folder` with it."""

    def __init__(self, folder: Path, own: Counters):
        self._folder, self._own = folder, own
        self._file: Path | None = None
        self._written: Numbers = {}

    def write(self, job_threads: int) -> None:
        """Write the numbers of this process, and take over those of processes that have ended.

        A full or read-only disk is no reason to stop: the next call writes everything.
        """
        with suppress(OSError):
            self._folder.mkdir(exist_ok=True)
            self._forget_taken_over()
            if (
                self._file is None
            ):  # not earlier, since gunicorn may fork after the application has been created
                self._file = self._folder / _file_name()
            numbers = self._own.snapshot()
            process = _process_state(job_threads)
            _write_file(self._file, {"process": vars(process), "numbers": _pairs(numbers)})
            self._written = numbers
        with suppress(OSError, Timeout), self._lock(0):
            self._take_over_ended()

    def read(self, job_threads: int) -> SharedNumbers:
        """Return the sums over all processes, with the present numbers of this one."""
        try:
            with self._lock(LOCK_SECONDS):
                others = self._read_others()
        except (OSError, Timeout):
            others = []
        self._forget_taken_over()
        own = {"process": vars(_process_state(job_threads)), "fresh": True}
        numbers = add_up([self._own.snapshot(), *(_numbers(one) for one in others)])
        running = [one["process"] for one in [own, *others] if one.get("fresh")]
        return SharedNumbers(numbers, [ProcessState(**one) for one in running])

    def _forget_taken_over(self) -> None:
        """Subtract what others have taken over because they assumed that this process had ended, as after a long
        sleep.
        """
        if self._written and self._file is not None and not self._file.exists():
            self._own.subtract(self._written)
            self._file, self._written = None, {}

    def _lock(self, seconds: float) -> Any:
        if not self._folder.is_dir():
            raise FileNotFoundError(self._folder)
        return FileLock(self._folder / "lock", timeout=seconds, fallback_to_soft=False)

    def _read_others(self) -> list[dict[str, Any]]:
        ended = _read_file(self._folder / ENDED)
        merged = set(ended.get("files", ()))
        paths = [path for path, _ in self._others() if path.name not in merged]
        return [ended, *(_read_file(path) for path in paths)]

    def _others(self) -> Iterator[tuple[Path, float]]:
        """Return the files of other processes, and how long ago each was written."""
        for path in self._folder.glob("*-*.json"):
            if path != self._file:
                with suppress(OSError):
                    yield path, time.time() - path.stat().st_mtime

    def _take_over_ended(self) -> None:
        old = [path for path, age in self._others() if age > ENDED_SECONDS]
        if not old:
            return
        ended = _read_file(self._folder / ENDED)
        merged = set(ended.get("files", ()))
        new = [_numbers(_read_file(path)) for path in old if path.name not in merged]
        numbers = add_up([_numbers(ended), *new])
        # named there first, so that after a kill in between nothing is counted twice
        content = {"numbers": _pairs(numbers), "files": [path.name for path in old]}
        _write_file(self._folder / ENDED, content)
        for path in old:
            path.unlink(missing_ok=True)


def _file_name() -> str:
    host = "".join(c if c.isalnum() else "-" for c in socket.gethostname())[:40]
    return f"{host}-{os.getpid()}-{secrets.token_hex(4)}.json"


def _write_file(path: Path, content: dict[str, Any]) -> None:
    new = path.with_suffix(".new")
    data = json.dumps(content)
    new.write_text(data, encoding="utf-8")
    new.replace(path)


def _read_file(path: Path) -> dict[str, Any]:
    """Return what a process has written; nothing if the file is gone, or incomplete after a crash."""
    try:
        age = time.time() - path.stat().st_mtime
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {**content, "fresh": "process" in content and age < ALIVE_SECONDS}


def _pairs(numbers: Numbers) -> list[Any]:
    return [[list(key), parts] for key, parts in numbers.items()]


def _numbers(content: dict[str, Any]) -> Numbers:
    return {tuple(key): parts for key, parts in content.get("numbers", ())}


def _process_state(job_threads: int) -> ProcessState:
    return ProcessState(_STARTED, time.process_time(), _memory_bytes(), job_threads)


def _memory_bytes() -> int:
    """Return the resident memory of this process; 0 if the system does not tell (Linux does)."""
    if sys.platform != "linux":
        return 0
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")

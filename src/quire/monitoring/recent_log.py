"""The latest log entries, for administrators: from the log files if there are any, otherwise of this process."""

import json
import logging
import re
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

LIMIT = 500
"""The maximum number of entries stored in memory, and shown."""
TAIL_BYTES = 256 * 1024
"""Bytes read from the end of each file."""
MAX_FILES = 20
"""The number of files, of the latest processes, that are read."""
_LINE = re.compile(r"(\d{4}-\d\d-\d\dT[\d:.]+Z) ([A-Z]+) (.*)", re.DOTALL)


@dataclass(frozen=True)
class LogEntry:
    """One entry: its time (RFC 3339), its level in lower case, and its text."""

    time: str
    level: str
    text: str


class RecentLines(logging.Handler):
    """Stores the last lines of this process as they are written elsewhere, without secrets."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: deque[str] = deque(maxlen=LIMIT)

    def emit(self, record: logging.LogRecord) -> None:
        """Store one line."""
        self.lines.append(self.format(record))


def recent_entries(config: Mapping[str, Any]) -> list[LogEntry]:
    """Return the latest entries, newest first."""
    texts = _file_tails(config) if config["LOG_FILE"] else [_own_lines()]
    entries = [one for text in texts for one in _entries(text)]
    return sorted(entries, key=lambda one: one.time, reverse=True)[:LIMIT]


def _own_lines() -> str:
    handlers = [one for one in logging.getLogger().handlers if isinstance(one, RecentLines)]
    return "\n".join(line for one in handlers for line in list(one.lines))


def _file_tails(config: Mapping[str, Any]) -> Iterator[str]:
    """Return the ends of the files that the latest processes write to."""
    path = Path(config["QUIRE_INSTANCE"]) / config["LOG_FILE"]
    files = [path, *path.parent.glob(f"{path.stem}.*{path.suffix}")]
    by_time = {one: one.stat().st_mtime for one in files if one.is_file()}
    for one in sorted(by_time, key=by_time.__getitem__, reverse=True)[:MAX_FILES]:
        yield _tail(one)


def _tail(path: Path) -> str:
    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - TAIL_BYTES, 0))
        return file.read().decode("utf-8", "replace")


def _entries(text: str) -> Iterator[LogEntry]:
    """Return the entries in a text; a traceback belongs to the line before it."""
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith("{") or _LINE.match(line):
            yield from _entry("\n".join(lines))
            lines = []
        lines.append(line)
    yield from _entry("\n".join(lines))


def _entry(text: str) -> Iterator[LogEntry]:
    """Return the entry in these lines; None if they are not an entry, such as the end of a truncated one."""
    entry = _read_text(text) or _read_json(text)
    with suppress(
        ValueError, TypeError
    ):  # a traceback may contain something that looks like a time
        if entry is not None and datetime.fromisoformat(entry.time):
            yield entry


def _read_text(text: str) -> LogEntry | None:
    match = _LINE.fullmatch(text)
    return LogEntry(match[1], match[2].lower(), match[3]) if match else None


def _read_json(text: str) -> LogEntry | None:
    try:
        fields = json.loads(text)
        time, level = fields.pop("time"), fields.pop("level")
    except (ValueError, KeyError, AttributeError, TypeError):
        return None
    message, exception = fields.pop("message", ""), fields.pop("exception", "")
    rest = ", ".join(f"{name}: {value}" for name, value in fields.items() if value is not None)
    return LogEntry(time, level, "\n".join(filter(None, (message, rest, exception))))

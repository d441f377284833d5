"""The folder of backups in the instance folder: their names, how many are kept, and how old they are."""

import errno
import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from flask import current_app

from quire.config.validation import StartupError
from quire.declare.clock import now, rfc3339

FORM = "%Y%m%d-%H%M%S"
MORE_ROOM = "Free some space on its disk, or keep fewer backups (BACKUP_KEEP)."
OWNER = "Check who owns it, and how its disk is mounted."
_WHAT_TO_DO: dict[int | None, str] = {
    errno.ENOSPC: MORE_ROOM,
    errno.EDQUOT: MORE_ROOM,
    errno.EFBIG: MORE_ROOM,
    errno.EROFS: OWNER,
    errno.EACCES: OWNER,
    errno.EPERM: OWNER,
}
_NAME = re.compile(r"quire-(\d{8}-\d{6})(-\d+)?\.zip(\.age)?", re.ASCII)


@dataclass(frozen=True)
class Verification:
    """When a backup was last verified (RFC 3339), and what was wrong with it; empty if nothing was."""

    at: str
    problem: str


class DiskProblem(StartupError):
    """The disk does not accept writes; the message says what to do."""


@contextmanager
def explain_disk_problems(folder: Path) -> Iterator[None]:
    """Wrap code that writes to `folder`. Raises DiskProblem if its disk is full or refuses."""
    try:
        yield
    except OSError as error:
        what_to_do = _WHAT_TO_DO.get(error.errno)
        if what_to_do is None:
            raise
        raise DiskProblem(f"{folder} cannot be written ({error.strerror}). {what_to_do}") from error
    except sqlite3.OperationalError as error:
        # SQLite itself writes the copy of a database
        if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
            raise
        raise DiskProblem(f"{folder} cannot be written ({error}). {MORE_ROOM}") from error


def backup_folder() -> Path:
    """Return the folder where backups are stored unless another file is named."""
    return Path(current_app.config["QUIRE_INSTANCE"]) / "backups"


def new_name(encrypted: bool) -> Path:
    """Return a path for a backup made now."""
    folder, moment = backup_folder(), now().strftime(FORM)
    suffix = ".zip.age" if encrypted else ".zip"
    path, number = folder / f"quire-{moment}{suffix}", 1
    while path.exists():
        number += 1
        path = folder / f"quire-{moment}-{number}{suffix}"
    return path


def stored_backups() -> list[tuple[datetime, Path]]:
    """Return the backups in the folder with the times they were made, oldest first."""
    return sorted(_dated_backups(backup_folder()))


def _dated_backups(folder: Path) -> Iterator[tuple[datetime, Path]]:
    with suppress(FileNotFoundError):
        for path in folder.iterdir():
            if match := _NAME.fullmatch(path.name):
                with suppress(ValueError):  # digits that are not a date
                    yield datetime.strptime(match[1], FORM).replace(tzinfo=UTC), path


def seconds_since_backup() -> float | None:
    """Return the age in seconds of the newest backup in the folder; None if there is none."""
    backups = stored_backups()
    return None if not backups else (datetime.now(UTC) - backups[-1][0]).total_seconds()


def delete_old_backups() -> list[Path]:
    """Delete all backups in the folder except the newest BACKUP_KEEP; return those deleted."""
    old = [path for _, path in stored_backups()[: -current_app.config["BACKUP_KEEP"]]]
    for path in old:
        path.unlink(missing_ok=True)
        _verification_file(path).unlink(missing_ok=True)
    return old


def _verification_file(path: Path) -> Path:
    return path.with_name(f"{path.name}.verified")


def note_verification(path: Path, problem: str) -> None:
    """Record beside a backup that it was verified now, and what was wrong with it."""
    if path.resolve().parent == backup_folder().resolve() and path.exists():
        text = json.dumps({"at": rfc3339(now()), "problem": problem})
        _verification_file(path).write_text(text, encoding="utf-8")


def last_verification(path: Path) -> Verification | None:
    """Return when this backup was last verified; None if never."""
    with suppress(OSError, ValueError, TypeError):
        return Verification(**json.loads(_verification_file(path).read_text(encoding="utf-8")))
    return None

"""The folder of backups in the instance folder: how they are called, how many stay, how old they are."""

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from flask import current_app

from quire.declare.clock import now

FORM = "%Y%m%d-%H%M%S"
_NAME = re.compile(r"quire-(\d{8}-\d{6})(-\d+)?\.zip(\.age)?", re.ASCII)


def backup_folder() -> Path:
    """The folder where backups are kept unless another file is named."""
    return Path(current_app.config["QUIRE_INSTANCE"]) / "backups"


def new_name(encrypted: bool) -> Path:
    """The path of a backup that is made now."""
    folder, moment = backup_folder(), now().strftime(FORM)
    suffix = ".zip.age" if encrypted else ".zip"
    path, number = folder / f"quire-{moment}{suffix}", 1
    while path.exists():
        number += 1
        path = folder / f"quire-{moment}-{number}{suffix}"
    return path


def stored_backups() -> list[tuple[datetime, Path]]:
    """The backups in the folder and when they were made, the oldest first."""
    return sorted(_dated(backup_folder()))


def _dated(folder: Path) -> Iterator[tuple[datetime, Path]]:
    with suppress(FileNotFoundError):
        for path in folder.iterdir():
            if match := _NAME.fullmatch(path.name):
                with suppress(ValueError):  # digits that are no date
                    yield datetime.strptime(match[1], FORM).replace(tzinfo=UTC), path


def seconds_since_backup() -> float | None:
    """The age in seconds of the newest backup in the folder, None where there is none."""
    backups = stored_backups()
    return None if not backups else (datetime.now(UTC) - backups[-1][0]).total_seconds()


def delete_old_backups() -> list[Path]:
    """Delete all backups in the folder but the newest BACKUP_KEEP; those that are gone."""
    old = [path for _, path in stored_backups()[: -current_app.config["BACKUP_KEEP"]]]
    for path in old:
        path.unlink(missing_ok=True)
    return old

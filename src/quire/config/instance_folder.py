"""The instance folder: created by whatever needs it first, and readable by its owner only.

It contains addresses, password hashes, secrets and mail. By the umask, everything the process creates from then on
belongs to the owner alone: SQLite's journals, incoming files, mail, backups before an upgrade. On Windows, the
folder has the permissions of its parent.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from quire.config.validation import UnsafeConfig

OTHERS = stat.S_IRWXG | stat.S_IRWXO
"""Permission bits of group and others."""


def prepare(folder: Path) -> None:
    """Create `folder` if it is missing, and make it private. Raises UnsafeConfig."""
    if os.name != "nt":
        os.umask(OTHERS)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnsafeConfig(_words("made", folder, error)) from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UnsafeConfig(_words("written to", folder))
    if os.name != "nt":
        _close(folder)


def open_to_everybody(file: Path) -> None:
    """Make a file that an operator has asked for readable to others: it contains nothing private."""
    if os.name != "nt":
        file.chmod(0o644)


def _words(participle: str, folder: Path, error: OSError | None = None) -> str:
    reason = f": {error.strerror or error}" if error else ""
    return (
        f"The instance folder {folder} cannot be {participle}{reason}. Set QUIRE_INSTANCE to a folder that "
        "this user can write to."
    )


def _close(folder: Path) -> None:
    """Remove the permissions of others from these paths."""
    for path in list(open_paths(folder)):
        with suppress(
            OSError
        ):  # it has been deleted meanwhile, or has another owner: `check` reports that
            path.chmod(stat.S_IMODE(path.stat().st_mode) & ~OTHERS)


def open_paths(folder: Path) -> Iterator[Path]:
    """Return paths that others have permissions for: all in a folder that is open itself, otherwise among its direct
    entries.
    """
    if not folder.stat().st_mode & OTHERS:
        yield from filter(_is_open, folder.iterdir())
        return
    yield folder
    for place, folders, files in os.walk(folder):
        yield from filter(_is_open, (Path(place, name) for name in (*folders, *files)))


def _is_open(path: Path) -> bool:
    with suppress(OSError):
        mode = path.lstat().st_mode
        return bool(mode & OTHERS) and not stat.S_ISLNK(mode)
    return False

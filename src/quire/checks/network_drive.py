"""Finds out whether a file is on another machine's disk, if Linux or Windows can tell."""

import ctypes
import sys
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")
"""Linux's list of mounts: https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html"""
NETWORK = {
    "nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "lustre",
    "fuse.sshfs", "fuse.glusterfs", "fuse.s3fs", "fuse.rclone",
}  # fmt: skip
"""Types of file systems whose locks and shared memory SQLite cannot rely on."""
DRIVE_REMOTE = 4
"""https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-getdrivetypew"""


def network_drive(path: Path) -> str | None:
    """Return which kind of network drive `path` is on; None if it is on none, or that is unknown."""
    path = path.resolve()
    if sys.platform == "win32":
        return _windows_share(path)
    try:
        lines = MOUNTS.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return None
    kind = _file_system(path, lines)
    return kind if kind in NETWORK else None


def _file_system(path: Path, mounts: list[str]) -> str:
    """Return the type of the nearest mount above `path`; of two at the same place, the later one is visible."""
    nearest, kind = -1, ""
    for line in mounts:
        fields, _, source = line.partition(" - ")
        point = Path(fields.split()[4].replace("\\040", " "))
        if path.is_relative_to(point) and len(point.parts) >= nearest:
            nearest, kind = len(point.parts), source.split()[0]
    return kind


def _windows_share(path: Path) -> str | None:
    if sys.platform != "win32":
        return None
    if path.drive.startswith("\\\\"):
        return path.drive
    kind = ctypes.windll.kernel32.GetDriveTypeW(f"{path.drive}\\")
    return path.drive if kind == DRIVE_REMOTE else None

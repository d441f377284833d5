"""The servers that run on an instance folder: each has files there, through which others can ask it to restart.

Files rather than signals: Windows has none, and a process id means another process in another container.
"""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

FOLDER = "servers"
LOCK, DESCRIPTION, REQUEST, RESPONSE = ".lock", ".json", ".request", ".response"


@dataclass(frozen=True)
class ServerFiles:
    """The files of one server, named after its machine and process, in `folder`."""

    folder: Path
    name: str

    def path(self, kind: str) -> Path:
        """Return the path of the file of this kind, such as LOCK."""
        return self.folder / f"{self.name}{kind}"

    def is_running(self) -> bool:
        """Return whether the server still holds its lock."""
        lock = FileLock(self.path(LOCK), timeout=0, fallback_to_soft=False)
        try:
            with lock:
                return False
        except Timeout:
            return True

    @property
    def address(self) -> str:
        """The address it listens on."""
        return str(_read_json(self.path(DESCRIPTION)).get("address", self.name))

    def request_restart(self, id: str) -> None:
        """Ask the server to restart; its response will have the same id."""
        _write_json(self.path(REQUEST), {"id": id})

    def take_request(self) -> str | None:
        """Return the id of a requested restart once, None if there is none."""
        if not self.path(REQUEST).exists():
            return None
        id = _read_json(self.path(REQUEST)).get("id")
        self.path(REQUEST).unlink(missing_ok=True)
        return str(id)

    def respond(self, id: str, problem: str | None) -> None:
        """Report how the restart requested as `id` ended; `problem` is None for a success."""
        _write_json(self.path(RESPONSE), {"id": id, "problem": problem})

    def take_response(self, id: str) -> dict[str, Any] | None:
        """Return the response to a request once there is one; its `problem` is None for a success."""
        response = _read_json(self.path(RESPONSE))
        if response.get("id") != id:
            return None
        self.path(RESPONSE).unlink(missing_ok=True)
        return response

    def remove(self) -> None:
        """Delete the files."""
        for kind in (DESCRIPTION, REQUEST, RESPONSE, LOCK):
            with suppress(
                OSError
            ):  # Windows does not delete a lock file that another process has open
                self.path(kind).unlink(missing_ok=True)


@contextmanager
def registered(instance: Path, address: str) -> Iterator[ServerFiles]:
    """Create the files of this process, a server at `address`, for as long as it runs. Raises OSError."""
    folder = instance / FOLDER
    folder.mkdir(exist_ok=True)
    files = ServerFiles(folder, f"{socket.gethostname()}-{os.getpid()}")
    files.remove()  # left by a process with the same id
    try:
        with FileLock(files.path(LOCK), timeout=5, fallback_to_soft=False):
            _write_json(files.path(DESCRIPTION), {"address": address, "pid": os.getpid()})
            yield files
    finally:
        files.remove()


def running_servers(instance: Path) -> list[ServerFiles]:
    """Return the servers that are running; delete the files of those that were killed."""
    folder = instance / FOLDER
    every = [ServerFiles(folder, path.stem) for path in sorted(folder.glob(f"*{DESCRIPTION}"))]
    running = [one for one in every if one.is_running()]
    for one in every:
        if one not in running:
            one.remove()
    return running


def _read_json(path: Path) -> dict[str, Any]:
    """Return the content of the file, empty if there is none."""
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content


def _write_json(path: Path, content: dict[str, Any]) -> None:
    """Write the file atomically."""
    part = path.with_name(f"{path.name}.part")
    text = json.dumps(content)
    part.write_text(text, encoding="utf-8")
    part.replace(path)

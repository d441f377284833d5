"""The secret that is made on the first run and kept in the instance folder."""

import os
import secrets
import time
from pathlib import Path

PATIENCE = 5.0
"""Seconds to wait for another process that is writing it."""


def load_or_create_secret_key(path: Path) -> str:
    """The secret kept in `path`, made on the first call; many processes at once get the same.

    Raises TimeoutError when it has been begun and is never written.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _wait_for_secret(path)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(secret := secrets.token_urlsafe(48))
        file.flush()
        os.fsync(file.fileno())
    return secret


def _wait_for_secret(path: Path) -> str:
    """Content of a secret that another process may be writing just now."""
    end = time.monotonic() + PATIENCE
    while not (secret := path.read_text(encoding="ascii").strip()):
        if time.monotonic() > end:
            raise TimeoutError(f"{path} is empty. Delete it and start again.")
        time.sleep(0.02)
    return secret

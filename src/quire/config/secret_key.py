"""The secret key, generated on the first run and stored in the instance folder."""

import os
import secrets
import time
from pathlib import Path

PATIENCE = 5.0
"""Seconds to wait for another process that is writing it."""


def load_or_create_secret_key(path: Path) -> str:
    """The secret in `path`, generated on the first call; concurrent processes get the same.

    Raises TimeoutError if another process has created the file and never writes it.
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
    """The content of a secret that another process may be writing right now."""
    end = time.monotonic() + PATIENCE
    while not (secret := path.read_text(encoding="ascii").strip()):
        if time.monotonic() > end:
            raise TimeoutError(f"{path} is empty. Delete it and start again.")
        time.sleep(0.02)
    return secret

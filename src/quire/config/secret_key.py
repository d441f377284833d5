"""The secret key: generated on the first run, stored in the instance folder, refused when it is weak."""

import os
import secrets
import time
from pathlib import Path

from quire.config.validation import UnsafeConfig

PATIENCE = 5.0
"""How many seconds to wait for another process that is writing it."""
KNOWN_SECRETS = ("change", "example", "secret-key", "secret_key", "password", "testing-only")
"""Parts of keys that appear in tutorials."""


def refuse_weak_key(secret: str) -> None:
    """Raise UnsafeConfig for a key that others could guess."""
    if len(secret) < 32 or len(set(secret)) < 10:
        raise UnsafeConfig(
            "SECRET_KEY is too short or too simple. Use at least 32 random characters."
        )
    if any(word in secret.lower() for word in KNOWN_SECRETS):
        raise UnsafeConfig("SECRET_KEY is a published example. Use at least 32 random characters.")


def load_or_create_secret_key(path: Path) -> str:
    """Return the secret in `path`, generated on the first call; concurrent processes get the same one.

    Raises TimeoutError if another process has created the file and never writes to it.
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
    """Return the content of a secret that another process may be writing at this moment."""
    end = time.monotonic() + PATIENCE
    while not (secret := path.read_text(encoding="ascii").strip()):
        if time.monotonic() > end:
            raise TimeoutError(f"{path} is empty. Delete it and start again.")
        time.sleep(0.02)
    return secret

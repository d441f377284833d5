"""Logs why something does not work: one line per minute and cause, however many requests are affected."""

import logging
import threading
import time

QUIET_SECONDS = 60

_logged_at: dict[str, float] = {}
"""When each cause was last logged; there are only as many as sentences in the code."""
_lock = threading.Lock()


def log_outage(logger: logging.Logger, cause: str, reason: object) -> None:
    """Log a warning: `cause`, a sentence with what to do, and the `reason` that the system gave."""
    present = time.monotonic()
    with _lock:
        if present - _logged_at.get(cause, -QUIET_SECONDS) < QUIET_SECONDS:
            return
        _logged_at[cause] = present
    logger.warning("%s (%s)", cause, reason)

"""Sets up the log of a process according to the settings, and writes the lines about requests and jobs."""

import logging
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from quire.config.validation import StartupError
from quire.monitoring.log_file import ProcessLogFile
from quire.monitoring.log_format import JsonFormatter, RedactingFormatter, TextFormatter
from quire.monitoring.recent_log import RecentLines

activity = logging.getLogger("quire.activity")
"""The logger of successes: each request, each job."""
SECRETS = ("SECRET_KEY", "MAIL_PASSWORD", "S3_SECRET_KEY", "METRICS_TOKEN")
URLS = ("DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL")
SHORTEST = 6
"""The minimum length of a secret that is removed from the log: shorter ones would occur in many words."""


def configure(config: Mapping[str, Any]) -> None:
    """Set up the log of this process, on standard error or in a file. Raises StartupError."""
    handler = _handler(config)
    form = JsonFormatter if config["LOG_FORMAT"] == "json" else TextFormatter
    level = logging.getLevelName(config["LOG_LEVEL"])
    handlers = [handler] if config["LOG_FILE"] else [handler, RecentLines()]
    for one in handlers:
        one.setFormatter(form(_secrets(config)))
        one.setLevel(level)
    root = logging.getLogger()
    for old in [one for one in root.handlers if isinstance(one.formatter, RedactingFormatter)]:
        root.removeHandler(old)
        old.close()
    for one in handlers:
        root.addHandler(one)
    # what libraries log below that level concerns only themselves
    root.setLevel(level if level < logging.INFO else max(level, logging.WARNING))
    logging.getLogger("quire").setLevel(level)
    activity.setLevel(level if _logs_activity(config) else logging.WARNING)


def configure_once(config: Mapping[str, Any]) -> None:
    """Do the same unless the log of this process has been set up already."""
    if not logging.getLogger().handlers:
        configure(config)


def _logs_activity(config: Mapping[str, Any]) -> bool:
    choice = config["LOG_ACTIVITY"]
    return bool(choice == "always" or (choice == "json" and config["LOG_FORMAT"] == "json"))


def _handler(config: Mapping[str, Any]) -> logging.Handler:
    if not config["LOG_FILE"]:
        return logging.StreamHandler(sys.stderr)
    path = Path(config["QUIRE_INSTANCE"]) / config["LOG_FILE"]
    try:
        return ProcessLogFile(path, config["LOG_FILE_BYTES"], config["LOG_FILE_KEEP"])
    except OSError as error:
        raise StartupError(
            f"LOG_FILE: cannot write to {path}: {error.strerror or error}."
        ) from None


def _secrets(config: Mapping[str, Any]) -> list[str]:
    """Return the secrets among the settings, both whole and as parts of URLs."""
    values = [config.get(name) or "" for name in SECRETS]
    for name in URLS:
        password = urlsplit(config.get(name) or "").password or ""
        values += [password, unquote(password)]
    return [one for one in dict.fromkeys(values) if len(one) >= SHORTEST]


def log_job(id: int, name: str, attempts: int, result: str, seconds: float) -> None:
    """Log an attempt at a job and its outcome, if that is enabled."""
    milliseconds = round(seconds * 1000, 1)
    fields = {"job": id, "name": name, "attempt": attempts, "result": result, "ms": milliseconds}
    extra = {"event": "job", "fields": fields}
    activity.info("Job %d (%s): %s, %s ms", id, name, result, milliseconds, extra=extra)

"""The format of log lines: JSON for programs, or text for people."""

import json
import logging
import re
import time
from collections.abc import Sequence
from typing import Any

from quire.monitoring.redaction import redact
from quire.monitoring.request_id import current_request_id

_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""Characters that would break a line, or control a terminal."""


class RedactingFormatter(logging.Formatter):
    """Knows the secrets of this installation, so that no line contains one."""

    def __init__(self, secrets: Sequence[str]):
        super().__init__()
        self._secrets = secrets

    def redact(self, text: str) -> str:
        """Return `text` without secrets."""
        return redact(text, self._secrets)

    def traceback(self, record: logging.LogRecord) -> str:
        """Return the traceback of a record, empty if it has none."""
        return self.redact(self.formatException(record.exc_info)) if record.exc_info else ""


class JsonFormatter(RedactingFormatter):
    """One JSON object in ASCII per record, whatever it contains."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line for `record`; `extra={"fields": {...}}` adds to it."""
        fields: dict[str, Any] = getattr(record, "fields", {})
        line: dict[str, Any] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "event": getattr(record, "event", record.name.removeprefix("quire.")),
            "request_id": current_request_id(),
        }
        if not fields.get("method"):  # the fields of a request say everything
            line["message"] = self.redact(record.getMessage())
        line |= {name: _text(value, self) for name, value in fields.items()}
        if traceback := self.traceback(record):
            line["exception"] = traceback
        return json.dumps(line)


class TextFormatter(RedactingFormatter):
    """One line for people per record; a traceback follows on lines of its own."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the text for `record`."""
        message = _CONTROLS.sub(_escape, self.redact(record.getMessage()))
        request_id = current_request_id()
        line = f"{_time(record)} {record.levelname} {record.name}: {message}"
        if request_id is not None:
            line += f" (request {request_id})"
        traceback = self.traceback(record)
        return f"{line}\n{traceback}" if traceback else line


def _text(value: Any, formatter: RedactingFormatter) -> Any:
    return formatter.redact(value) if isinstance(value, str) else value


def _time(record: logging.LogRecord) -> str:
    """Return its time in UTC (RFC 3339)."""
    seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
    return f"{seconds}.{int(record.msecs):03d}Z"


def _escape(match: re.Match[str]) -> str:
    return ascii(match[0])[1:-1]

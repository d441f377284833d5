"""Emails stored in a folder because there is no SMTP server: lists and reads them."""

import email
from collections.abc import Iterator
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from pathlib import Path

from flask import current_app

from quire.declare.clock import rfc3339

MAX_LISTED = 200
"""The maximum number of emails listed, newest first."""


@dataclass(frozen=True)
class StoredMessage:
    """An email in the folder; `name` is the name of its file."""

    name: str
    message: EmailMessage

    @property
    def sent_at(self) -> str:
        """The time when it was written (RFC 3339)."""
        return rfc3339(self.message["Date"].datetime)

    def part(self, kind: str) -> str:
        """Return the body as `plain` or `html`; empty if there is none."""
        body_part = self.message.get_body((kind,))
        return str(body_part.get_content()) if body_part is not None else ""


def folder() -> Path:
    """Return the folder of the emails."""
    return Path(current_app.config["QUIRE_INSTANCE"]) / "outbox"


def list_messages() -> Iterator[StoredMessage]:
    """Return the newest emails."""
    for path in sorted(folder().glob("*.eml"), reverse=True)[:MAX_LISTED]:
        yield _read_message(path)


def get_message(name: str) -> StoredMessage | None:
    """Return the email in the file `name`."""
    return next((_read_message(path) for path in folder().glob("*.eml") if path.name == name), None)


def _read_message(path: Path) -> StoredMessage:
    return StoredMessage(
        path.name, email.message_from_bytes(path.read_bytes(), policy=policy.default)
    )

"""Receives an upload: writes it to disk as it arrives, counting and hashing its bytes."""

import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import IO

from flask import current_app

from quire.declare.value_kinds_files import Upload
from quire.errors import TooLarge
from quire.store.files.local import incoming_dir, writing_files
from quire.translations.messages import Message

CHUNK = 1024 * 1024
LONGEST_NAME = 255
# invisible characters and direction controls do not belong in a name
_ODD = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@contextmanager
def receive(stream: IO[bytes], name: str) -> Iterator[Upload]:
    """Yield the file in `stream` for the duration of the block; storing it moves it away.

    Raises TooLarge beyond the limit, and Unavailable if the disk is full, here or in the block. However the block
    ends, no temporary file remains.
    """
    with writing_files():
        path = incoming_dir() / f"{secrets.token_hex(16)}.part"
        try:
            size, sha256 = _write(stream, path)
            yield Upload(display_name(name), path, size, sha256)
        finally:
            _remove(path)


@contextmanager
def hard_link(upload: Upload) -> Iterator[Upload]:
    """Return the same file under a name of its own, which may be moved away while `upload` stays."""
    path = upload.path.with_name(f"{secrets.token_hex(16)}.part")
    try:
        try:
            os.link(upload.path, path)
        except OSError:  # not every file system has links
            shutil.copyfile(upload.path, path)
        yield replace(upload, path=path)
    finally:
        _remove(path)


def _remove(path: Path) -> None:
    # Windows does not delete a file that is being read under its other name; daily maintenance does
    with suppress(PermissionError):
        path.unlink(missing_ok=True)


def _write(stream: IO[bytes], path: Path) -> tuple[int, str]:
    limit, size, digest = current_app.config["MAX_UPLOAD_BYTES"], 0, hashlib.sha256()
    with os.fdopen(os.open(path, _FLAGS, 0o600), "wb") as file:
        while chunk := stream.read(CHUNK):
            size += len(chunk)
            if size > limit:
                raise TooLarge(Message("The file is larger than %(limit)s bytes.", limit=limit))
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return size, digest.hexdigest()


_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


def display_name(name: str) -> str:
    """Return the last part of a path that a client sent, fit for display; never used to open a file."""
    last = re.split(r"[/\\]", _ODD.sub("", name))[-1].strip()
    return last[-LONGEST_NAME:] or "unnamed"

"""Whether the database accepts changes at all, whoever holds a lock on it."""

import errno
import os
from pathlib import Path
from tempfile import TemporaryFile

from flask import current_app, has_app_context
from sqlalchemy import Connection, make_url, text

_REFUSED = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})


def is_read_only(connection: Connection) -> bool:
    """Whether the database behind `connection` refuses every change."""
    if connection.dialect.name == "sqlite":
        return is_file_read_only()
    return bool(connection.execute(text("SHOW transaction_read_only")).scalar_one() == "on")


def is_file_read_only() -> bool:
    """Whether the file of SQLite, or the folder that its log comes into, cannot be written.

    A disk that has turned read-only while the database was open is an I/O error to SQLite. The file
    is not opened: closing it would let go of the locks that this process has on it.
    """
    uri = current_app.config["SQLALCHEMY_DATABASE_URI"] if has_app_context() else "sqlite://"
    name = make_url(uri).database
    if name in (None, "", ":memory:"):
        return False
    path = Path(str(name))
    if path.exists() and not os.access(path, os.W_OK):
        return True
    try:
        with TemporaryFile(dir=path.parent):
            return False
    except OSError as fault:
        return fault.errno in _REFUSED

"""Selects the file storage of this installation: a local folder, or an S3 bucket."""

from importlib import import_module
from typing import cast

from flask import current_app

from quire.store.files.local import FileStorage, local_storage
from quire.store.instance_locks import is_backup_running


def file_storage() -> FileStorage:
    """Return the file storage of this installation; the S3 library is only loaded if there is a bucket."""
    local = local_storage()
    if not current_app.config["S3_BUCKET"]:
        return local
    return cast(FileStorage, import_module("quire.store.files.s3").with_fallback(local))


def delete_files(*names: str) -> None:
    """Delete files that no record needs any more.

    While a backup runs they stay, since the database in it may need them; daily maintenance deletes them.
    """
    if not is_backup_running():
        file_storage().delete(*names)

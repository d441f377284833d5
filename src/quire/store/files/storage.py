"""Selects the file storage of this installation: a local folder, or an S3 bucket."""

from importlib import import_module
from typing import cast

from flask import current_app

from quire.store.files.local import FileStorage, local_storage


def file_storage() -> FileStorage:
    """The file storage of this installation; the S3 library is loaded only if there is a bucket."""
    local = local_storage()
    if not current_app.config["S3_BUCKET"]:
        return local
    return cast(FileStorage, import_module("quire.store.files.s3").with_fallback(local))

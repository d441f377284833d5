"""The storage of this installation: the folder of this machine, or an S3 bucket."""

from importlib import import_module
from typing import cast

from flask import current_app

from quire.store.files.local import FileStorage, local_storage


def file_storage() -> FileStorage:
    """The store of this installation; the library for buckets is loaded where there is one."""
    near = local_storage()
    if not current_app.config["S3_BUCKET"]:
        return near
    return cast(FileStorage, import_module("quire.store.files.s3").with_fallback(near))

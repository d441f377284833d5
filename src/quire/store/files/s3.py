"""Stores files in an S3-compatible bucket, which several machines can share; uses obstore."""

import io
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import IO, Any, cast

import obstore
from flask import current_app
from obstore.exceptions import BaseError
from obstore.store import S3Store

from quire.errors import Unavailable
from quire.store.files.local import LocalStorage, StoredFile, is_stored_name

logger = logging.getLogger("quire.media")

CLIENT = {"connect_timeout": "3s", "read_timeout": "10s", "timeout": "120s"}
RETRIES = {"max_retries": 2, "retry_timeout": timedelta(seconds=10)}
PIECE = 256 * 1024
"""Bytes fetched at a time while a file is read."""
PROBE = "quire-check"
_EXTENSION = "quire-bucket"
_FAILURES = (BaseError, OSError)
"""The errors of the library; some are built-in ones."""


class S3Storage:
    """Files under their names in the root of a bucket that contains nothing else."""

    def __init__(self, config: Mapping[str, Any]):
        self.name = f"bucket {config['S3_BUCKET']}"
        settings = {
            "endpoint": config["S3_ENDPOINT"],
            "region": config["S3_REGION"],
            "access_key_id": config["S3_ACCESS_KEY"],
            "secret_access_key": config["S3_SECRET_KEY"],
        }
        plain = config["S3_ENDPOINT"].startswith("http://")
        self.store = S3Store(
            config["S3_BUCKET"],
            config=cast(Any, {name: value for name, value in settings.items() if value}),
            client_options=cast(Any, {**CLIENT, "allow_http": plain}),
            retry_config=cast(Any, RETRIES),
        )

    def put(self, name: str, source: Path) -> None:
        """Upload a file; it appears under its name once it is complete."""
        with self.translate_errors(f"put {name}"):
            obstore.put(self.store, name, source)
        source.unlink()

    def find(self, name: str) -> StoredFile | None:
        """Return the file; its content is fetched when it is read."""
        with self.translate_errors(f"find {name}"):
            try:
                size = obstore.head(self.store, name)["size"]
            except FileNotFoundError:
                return None
        return StoredFile(size, lambda: self._reader(name, size))

    def delete(self, *names: str) -> None:
        """Delete files; those that cannot be deleted now are orphans, which are deleted later."""
        try:
            obstore.delete(self.store, names)
        except FileNotFoundError:
            pass  # some stores report missing files, most do not
        except _FAILURES as error:
            logger.warning("Could not delete from the %s: %s", self.name, _message(error))

    def older_than(self, moment: float) -> list[str]:
        """Return the names of files stored before `moment`; foreign names are ignored."""
        with self.translate_errors("list files"):
            objects = [one for some in obstore.list(self.store) for one in some]
        names = (one["path"] for one in objects if one["last_modified"].timestamp() < moment)
        return [name for name in names if is_stored_name(name)]

    def fault(self) -> str | None:
        """Return why files cannot be stored in the bucket or deleted from it; None if all is well."""
        try:
            obstore.put(self.store, PROBE, b"")
            obstore.delete(self.store, PROBE)
        except _FAILURES as error:
            return f"the {self.name} cannot be used: {_message(error)}"
        return None

    def _reader(self, name: str, size: int) -> IO[bytes]:
        return cast(IO[bytes], io.BufferedReader(_RemoteFile(self, name, size), PIECE))

    @contextmanager
    def translate_errors(self, operation: str) -> Iterator[None]:
        """Wrap calls of the library: log its errors and raise Unavailable."""
        try:
            yield
        except _FAILURES as error:
            logger.warning("Could not %s in the %s: %s", operation, self.name, _message(error))
            raise Unavailable(
                "The file storage is not responding. Try again.", headers={"Retry-After": "5"}
            ) from error


class _RemoteFile(io.RawIOBase):
    """An object as a seekable file."""

    def __init__(self, bucket: S3Storage, name: str, size: int):
        self._bucket, self._name, self._size, self._at = bucket, name, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        length = min(len(buffer), self._size - self._at)
        if length <= 0:
            return 0
        with self._bucket.translate_errors(f"read {self._name}"):
            data = obstore.get_range(
                self._bucket.store, self._name, start=self._at, length=length
            ).to_bytes()
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def _message(error: Exception) -> str:
    """The library's message without its debug information."""
    return " ".join(str(error).partition("\n\nDebug source:")[0].split())


class FallbackStorage:
    """A bucket for new files, and a local folder with files that have not been moved there yet."""

    def __init__(self, bucket: S3Storage, local: LocalStorage):
        self.bucket, self.local = bucket, local

    def put(self, name: str, source: Path) -> None:
        """Upload a file to the bucket."""
        self.bucket.put(name, source)

    def find(self, name: str) -> StoredFile | None:
        """Return the file; the folder is tried first, as it is faster."""
        return self.local.find(name) or self.bucket.find(name)

    def delete(self, *names: str) -> None:
        """Delete files from both."""
        self.local.delete(*names)
        self.bucket.delete(*names)

    def older_than(self, moment: float) -> list[str]:
        """Return the names of files stored before `moment` in either."""
        return [*{*self.local.older_than(moment), *self.bucket.older_than(moment)}]

    def fault(self) -> str | None:
        """Return why the bucket or the folder, where files are received, cannot be used; None if both can."""
        return self.bucket.fault() or self.local.fault()


def s3_storage() -> S3Storage:
    """Return the bucket of this application: a single object, since it pools connections."""
    extensions = current_app.extensions
    if _EXTENSION not in extensions:
        extensions[_EXTENSION] = S3Storage(current_app.config)
    return cast(S3Storage, extensions[_EXTENSION])


def with_fallback(local: LocalStorage) -> FallbackStorage:
    """Return the bucket of this application with the folder `local` as its fallback."""
    return FallbackStorage(s3_storage(), local)

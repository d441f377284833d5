"""A bucket of S3, or of what speaks like it, for files that several machines share; by obstore."""

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
"""Bytes that are fetched at once while a file is read."""
PROBE = "quire-check"
_KEPT = "quire-bucket"
_FAILURES = (BaseError, OSError)
"""What the library raises; some of its errors are those of Python."""


class S3Storage:
    """Files under their names at the top of a bucket that holds nothing else."""

    def __init__(self, config: Mapping[str, Any]):
        self.name = f"bucket {config['S3_BUCKET']}"
        given = {
            "endpoint": config["S3_ENDPOINT"],
            "region": config["S3_REGION"],
            "access_key_id": config["S3_ACCESS_KEY"],
            "secret_access_key": config["S3_SECRET_KEY"],
        }
        plain = config["S3_ENDPOINT"].startswith("http://")
        self.store = S3Store(
            config["S3_BUCKET"],
            config=cast(Any, {name: value for name, value in given.items() if value}),
            client_options=cast(Any, {**CLIENT, "allow_http": plain}),
            retry_config=cast(Any, RETRIES),
        )

    def put(self, name: str, source: Path) -> None:
        """Send a file; it has its name when all of it has come."""
        with self.reached(f"put {name}"):
            obstore.put(self.store, name, source)
        source.unlink()

    def find(self, name: str) -> StoredFile | None:
        """The file; what is read of it is fetched when it is read."""
        with self.reached(f"find {name}"):
            try:
                size = obstore.head(self.store, name)["size"]
            except FileNotFoundError:
                return None
        return StoredFile(size, lambda: self._reader(name, size))

    def delete(self, *names: str) -> None:
        """Remove files; what the bucket does not let go is swept up later."""
        try:
            obstore.delete(self.store, names)
        except FileNotFoundError:
            pass  # some stores say so, most do not
        except _FAILURES as error:
            logger.warning("Could not delete from the %s: %s", self.name, _message(error))

    def older_than(self, moment: float) -> list[str]:
        """The names of the older ones; what has no name of ours is not touched."""
        with self.reached("list files"):
            found = [one for some in obstore.list(self.store) for one in some]
        names = (one["path"] for one in found if one["last_modified"].timestamp() < moment)
        return [name for name in names if is_stored_name(name)]

    def fault(self) -> str | None:
        """Whether a file can be put into the bucket, and taken out of it."""
        try:
            obstore.put(self.store, PROBE, b"")
            obstore.delete(self.store, PROBE)
        except _FAILURES as error:
            return f"the {self.name} cannot be used: {_message(error)}"
        return None

    def _reader(self, name: str, size: int) -> IO[bytes]:
        return cast(IO[bytes], io.BufferedReader(_RemoteFile(self, name, size), PIECE))

    @contextmanager
    def reached(self, operation: str) -> Iterator[None]:
        """Whatever goes wrong on the way says 503, and why in the log."""
        try:
            yield
        except _FAILURES as error:
            logger.warning("Could not %s in the %s: %s", operation, self.name, _message(error))
            raise Unavailable(
                "The file storage is not responding. Try again.", headers={"Retry-After": "5"}
            ) from error


class _RemoteFile(io.RawIOBase):
    """An object as a file that can be read from any place."""

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
        with self._bucket.reached(f"read {self._name}"):
            data = obstore.get_range(
                self._bucket.store, self._name, start=self._at, length=length
            ).to_bytes()
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def _message(error: Exception) -> str:
    """The library's words without what is only of use to those who write it."""
    return " ".join(str(error).partition("\n\nDebug source:")[0].split())


class FallbackStorage:
    """A bucket that takes all that comes, and a folder whose files have not been moved there yet."""

    def __init__(self, bucket: S3Storage, near: LocalStorage):
        self.bucket, self.near = bucket, near

    def put(self, name: str, source: Path) -> None:
        """Send a file to the bucket."""
        self.bucket.put(name, source)

    def find(self, name: str) -> StoredFile | None:
        """The file; the folder is asked first, it does not take a journey."""
        return self.near.find(name) or self.bucket.find(name)

    def delete(self, *names: str) -> None:
        """Remove files wherever they are."""
        self.near.delete(*names)
        self.bucket.delete(*names)

    def older_than(self, moment: float) -> list[str]:
        """The names of the older ones in both."""
        return [*{*self.near.older_than(moment), *self.bucket.older_than(moment)}]

    def fault(self) -> str | None:
        """Whether both can be used; files are received in the folder."""
        return self.bucket.fault() or self.near.fault()


def s3_storage() -> S3Storage:
    """The bucket of this application: one, since it keeps its connections."""
    kept = current_app.extensions
    if _KEPT not in kept:
        kept[_KEPT] = S3Storage(current_app.config)
    return cast(S3Storage, kept[_KEPT])


def with_fallback(near: LocalStorage) -> FallbackStorage:
    """The bucket of this application, and the folder `near`."""
    return FallbackStorage(s3_storage(), near)

"""The files of media on their way: out under their own names, and in again under the same addresses."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from quire.declare.record import Record
from quire.exchange.archive import has_file
from quire.exchange.items import Unusable
from quire.exchange.opening import Archive
from quire.records.media import ADDRESS
from quire.store.blobs import NAME, ORIGINAL, Blob, blobs
from quire.store.intake import received

FILES = "files/"
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)

Raw = dict[str, Any]


def name_of(state: Raw) -> str:
    """The name of the file of a record: the last part of its address."""
    return str(state.get("url", "")).removeprefix(ADDRESS)


def stored(name: str) -> Blob | None:
    """That file: as it is served, or as it came while it waits to be drawn."""
    return blobs().find(name) or blobs().find(ORIGINAL + name)


@contextmanager
def brought(archive: Archive, record: Record, raw: Raw) -> Iterator[Raw]:
    """`raw` with its file taken in, where records of this type have one.

    Pictures are drawn anew like every upload. Raises Unusable when the file is not there, and
    TooLarge.
    """
    if not has_file(record):
        yield raw
        return
    name = name_of(raw)
    if not NAME.fullmatch(name) or FILES + name not in archive:
        raise Unusable("its file is not in the archive")
    with archive.open(FILES + name) as stream, received(stream, str(raw["original_name"])) as new:
        # the store makes the address of the digest of what was uploaded, which need not be that
        # of what is left of it, and of how the file is called meanwhile
        digest, mark = str(raw.get("sha256")), name[33:41]
        path = new.path.with_name(f"{mark}{new.path.name}")
        new.path.replace(path)
        try:
            known = bool(_DIGEST.fullmatch(digest)) and digest.startswith(name[:32])
            yield raw | {"file": replace(new, path=path, sha256=digest if known else new.sha256)}
        finally:
            path.unlink(missing_ok=True)

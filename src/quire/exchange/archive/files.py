"""The files of media in an archive: exported under their own names, imported at the same addresses."""

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeGuard

from pydantic import TypeAdapter, ValidationError

from quire.declare.record import Record
from quire.declare.value_kinds_files import ProcessedImage, Upload, Variant
from quire.exchange.archive.format import has_file
from quire.exchange.archive.id_map import is_id
from quire.exchange.archive.validate import ValidatedArchive
from quire.exchange.model import Unusable
from quire.records.media_files import ADDRESS, stored_name
from quire.store.files.detect import PICTURES
from quire.store.files.image_headers import read_header
from quire.store.files.local import NAME, ORIGINAL, StoredFile
from quire.store.files.receive import receive
from quire.store.files.storage import file_storage

FILES = "files/"
SUFFIXES = frozenset(suffix for _, suffix in PICTURES.values())
_VARIANTS = TypeAdapter(dict[str, Variant])
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)

Raw = dict[str, Any]


def file_name(state: Raw) -> str:
    """The name of the file of a record: the last part of its address."""
    return str(state.get("url", "")).removeprefix(ADDRESS)


def file_names(state: Raw) -> list[str]:
    """The names of a record's files in the archive: the original first, then its variants."""
    return list(dict.fromkeys([file_name(state), *_variant_names(state["variants"])]))


def _variant_names(variants: dict[str, Variant]) -> list[str]:
    addresses = [one[part] for one in variants.values() for part in ("url", "webp")]
    return [str(address).removeprefix(ADDRESS) for address in addresses]


def stored_file(state: Raw, name: str) -> StoredFile | None:
    """A stored file of a record: as it is served, or as uploaded while it waits to be processed."""
    if name == file_name(state):  # the file may have been replaced
        name = stored_name(state["url"], state["sha256"])
    return file_storage().find(name) or file_storage().find(ORIGINAL + name)


@contextmanager
def with_file(archive: ValidatedArchive, record: Record, state: Raw, raw: Raw) -> Iterator[Raw]:
    """`raw` with its file received, if records of this type have one; `state` is the archived record.

    An image that another installation has processed stays as it is; others are processed like any
    upload. Raises Unusable if the file is missing, and TooLarge.
    """
    if not has_file(record):
        yield raw
        return
    name = file_name(raw)
    if not NAME.fullmatch(name) or FILES + name not in archive:
        raise Unusable("its file is missing from the archive")
    with ExitStack() as stack:
        new = _receive(stack, archive, name, str(raw["original_name"]))
        # the store derives the address from the digest of the upload, which may differ from that of
        # the processed file, and from the name of the temporary file
        path = new.path.with_name(f"{name[33:41]}{new.path.name}")
        new.path.replace(path)
        stack.callback(path.unlink, missing_ok=True)
        new = replace(new, path=path)
        digest = str(raw.get("sha256"))
        if _DIGEST.fullmatch(digest) and digest.startswith(name[:32]):
            new = replace(
                new, sha256=digest, processed=_processed_image(stack, archive, name, state)
            )
        elif _DIGEST.fullmatch(
            digest
        ):  # the file was replaced, but is still served at its first address
            new = replace(new, sha256=digest, address=name)
        yield raw | {"file": new}


def _receive(stack: ExitStack, archive: ValidatedArchive, name: str, called: str) -> Upload:
    stream = stack.enter_context(archive.open(FILES + name))
    return stack.enter_context(receive(stream, called))


def _processed_image(
    stack: ExitStack, archive: ValidatedArchive, name: str, state: Raw
) -> ProcessedImage | None:
    """The processed image `name` with its variants, if all of them are in the archive and valid."""
    variants, size = state.get("variants"), state.get("bytes")
    if state.get("state") != "ready" or not is_id(size) or not _are_variants(variants, name):
        return None
    names = _variant_names(variants)
    if not all(FILES + one in archive for one in names):
        return None
    files = {one: _receive(stack, archive, one, one).path for one in dict.fromkeys(names)}
    return ProcessedImage(size, variants, files) if _are_sound(variants, files) else None


def _are_variants(variants: Any, name: str) -> TypeGuard[dict[str, Variant]]:
    """Whether these are variants that Quire makes of the image called `name`."""
    try:
        _VARIANTS.validate_python(variants, strict=True)
    except ValidationError:
        return False
    stem, _, suffix = name.partition(".")
    return suffix in SUFFIXES and all(
        width == str(one["width"])
        and one["url"] == f"{ADDRESS}{stem}-{width}.{suffix}"
        and one["webp"] == f"{ADDRESS}{stem}-{width}.webp"
        and NAME.fullmatch(f"{stem}-{width}.webp")
        for width, one in variants.items()
    )


def _are_sound(variants: dict[str, Variant], files: dict[str, Path]) -> bool:
    """Whether each file is an image of the stated format and size, judging by its header alone."""
    for one in variants.values():
        for address in (one["url"], one["webp"]):
            name = address.removeprefix(ADDRESS)
            header = read_header(files[name])
            if header is None or not header.is_complete:
                return False
            actual = PICTURES[header.format][1], header.width, header.height
            if actual != (name.rpartition(".")[2], one["width"], one["height"]):
                return False
    return True

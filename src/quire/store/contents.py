"""What a file is, by what is in it: its name and the type that a client claims do not count."""

import re
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from quire.declare.uploads import Upload

MAX_PIXELS = 40_000_000
HEAD, TAIL = 4096, 64 * 1024
PICTURES = {
    "JPEG": ("image/jpeg", "jpg"),
    "PNG": ("image/png", "png"),
    "GIF": ("image/gif", "gif"),
    "WEBP": ("image/webp", "webp"),
}
OTHERS: tuple[tuple[re.Pattern[bytes], str, str], ...] = (
    (re.compile(rb"%PDF-\d"), "application/pdf", "pdf"),
    # an ID3 tag, or the head of a frame: MPEG 1, 2 or 2.5, layer III, at a rate
    (
        re.compile(rb"ID3[\x02-\x04]|\xff[\xe2\xe3\xf2\xf3\xfa\xfb][\x10-\xef]", re.DOTALL),
        "audio/mpeg",
        "mp3",
    ),
    (re.compile(rb"OggS\0"), "audio/ogg", "ogg"),
    (re.compile(rb"fLaC\0"), "audio/flac", "flac"),
    (re.compile(rb"RIFF....WAVE", re.DOTALL), "audio/wav", "wav"),
)
"""Other files that are taken, by how they begin; they are only ever served as downloads."""
TAKEN = "JPEG, PNG, GIF, WebP, PDF, MP3, Ogg, FLAC and WAV"
_MARKUP = re.compile(rb"\s*(<\?xml|<!doctype|<svg|<html|<!--|<[a-z]+[\s>])", re.IGNORECASE)


class NotTaken(ValueError):
    """A file that is not taken; `code` is one of DETAIL_CODES, the words complete "File ..."."""

    def __init__(self, code: str, words: str):
        super().__init__(words)
        self.code, self.words = code, words


@dataclass(frozen=True)
class Content:
    """What a file is: media type, the ending of its stored name, pixels where it is a picture."""

    media_type: str
    suffix: str
    width: int | None = None
    height: int | None = None

    @property
    def is_picture(self) -> bool:
        """Whether it is drawn anew, in several sizes."""
        return self.width is not None


def content_of(upload: Upload) -> Content:
    """What an upload is. Raises NotTaken for what is empty, broken, too large or of no use here."""
    if not upload.size:
        raise NotTaken("too_short", "is empty.")
    found = heads().head(upload.path)
    return _other(upload) if found is None else _picture(upload, *found)


def heads() -> Any:
    """The module that reads the heads of pictures."""
    return import_module("quire.picture_heads")


def _picture(upload: Upload, format: str, width: int, height: int) -> Content:
    if width * height > MAX_PIXELS:
        raise NotTaken("too_large", f"has {width} x {height} pixels; {MAX_PIXELS:,} are the most.")
    if not _is_whole(upload, format):
        raise NotTaken("bad_format", "is cut off or damaged.")
    return Content(*PICTURES[format], width, height)


def _is_whole(upload: Upload, format: str) -> bool:
    """Whether a picture has its end; only decoding it would tell the rest."""
    first, last = _ends(upload.path)
    if format == "JPEG":
        return b"\xff\xd9" in last
    if format == "GIF":
        return last.rstrip(b"\0").endswith(b";")
    if format == "WEBP":
        return int.from_bytes(first[4:8], "little") + 8 <= upload.size
    return b"IEND" in last and bool(heads().is_sound(upload.path))


def _ends(path: Path) -> tuple[bytes, bytes]:
    with path.open("rb") as file:
        first = file.read(HEAD)
        file.seek(0, 2)
        file.seek(max(file.tell() - TAIL, 0))
        return first, file.read()


def _other(upload: Upload) -> Content:
    first, _ = _ends(upload.path)
    for begins, media_type, suffix in OTHERS:
        if begins.match(first):
            return Content(media_type, suffix)
    if _MARKUP.match(first.removeprefix(b"\xef\xbb\xbf")):
        raise NotTaken("not_allowed", f"is SVG, HTML or XML, which can carry scripts. {_list()}")
    raise NotTaken("not_allowed", f"is of no type that is taken here, or is damaged. {_list()}")


def _list() -> str:
    return f"Taken are {TAKEN}."

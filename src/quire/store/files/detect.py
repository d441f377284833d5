"""Detects the type of a file by its content, ignoring its name and the type that a client claims."""

import re
from dataclasses import dataclass
from pathlib import Path

from quire.declare.value_kinds_files import Upload
from quire.store.files.image_headers import ImageHeader, read_header
from quire.translations.messages import Message

MAX_PIXELS = 40_000_000
HEAD = 4096
PICTURES = {
    "JPEG": ("image/jpeg", "jpg"),
    "PNG": ("image/png", "png"),
    "GIF": ("image/gif", "gif"),
    "WEBP": ("image/webp", "webp"),
}
OTHERS: tuple[tuple[re.Pattern[bytes], str, str], ...] = (
    (re.compile(rb"%PDF-\d"), "application/pdf", "pdf"),
    # an ID3 tag, or the header of a frame: MPEG 1, 2 or 2.5, layer III, with a bit rate
    (
        re.compile(rb"ID3[\x02-\x04]|\xff[\xe2\xe3\xf2\xf3\xfa\xfb][\x10-\xef]", re.DOTALL),
        "audio/mpeg",
        "mp3",
    ),
    (re.compile(rb"OggS\0"), "audio/ogg", "ogg"),
    (re.compile(rb"fLaC\0"), "audio/flac", "flac"),
    (re.compile(rb"RIFF....WAVE", re.DOTALL), "audio/wav", "wav"),
)
"""Other accepted files by their first bytes; they are only ever served as downloads."""
ACCEPTED = Message("JPEG, PNG, GIF, WebP, PDF, MP3, Ogg, FLAC and WAV")
NOT_ACCEPTED = Message(
    "is damaged or not of an accepted type. Accepted types: JPEG, PNG, GIF, WebP, PDF, MP3, Ogg, FLAC and WAV."
)
MARKUP = Message(
    "is SVG, HTML or XML, which can carry scripts. Accepted types: JPEG, PNG, GIF, WebP, PDF, MP3, Ogg, FLAC and WAV."
)
TOO_MANY_PIXELS = Message("has too many pixels; the maximum is 40,000,000.")
_MARKUP = re.compile(rb"\s*(<\?xml|<!doctype|<svg|<html|<!--|<[a-z]+[\s>])", re.IGNORECASE)


class UnsupportedFile(ValueError):
    """A file that is not accepted; `code` is one of DETAIL_CODES, the message continues "File ..."."""

    def __init__(self, code: str, words: str):
        super().__init__(words)
        self.code, self.words = code, words


@dataclass(frozen=True)
class FileType:
    """The type of a file: media type, suffix of its stored name, size in pixels if it is an image."""

    media_type: str
    suffix: str
    width: int | None = None
    height: int | None = None

    @property
    def is_picture(self) -> bool:
        """Whether it is an image, which is resized."""
        return self.width is not None


def detect(upload: Upload) -> FileType:
    """Return the type of an upload. Raises UnsupportedFile if it is empty, damaged, too large or not accepted."""
    if not upload.size:
        raise UnsupportedFile("too_short", "is empty.")
    header = read_header(upload.path)
    return _detect_other(upload) if header is None else _detect_image(header)


def _detect_image(header: ImageHeader) -> FileType:
    width, height = header.width, header.height
    if width * height > MAX_PIXELS:
        raise UnsupportedFile("too_large", TOO_MANY_PIXELS)
    if not header.is_complete:
        raise UnsupportedFile("bad_format", "is incomplete or damaged.")
    return FileType(*PICTURES[header.format], width, height)


def _first_bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD)


def _detect_other(upload: Upload) -> FileType:
    first = _first_bytes(upload.path)
    for pattern, media_type, suffix in OTHERS:
        if pattern.match(first):
            return FileType(media_type, suffix)
    if _MARKUP.match(first.removeprefix(b"\xef\xbb\xbf")):
        raise UnsupportedFile("not_allowed", MARKUP)
    raise UnsupportedFile("not_allowed", NOT_ACCEPTED)

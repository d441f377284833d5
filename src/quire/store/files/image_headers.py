"""Reads the header of an image from the structure of its file, without decoding anything.

JPEG (ITU-T T.81, annex B), PNG (3rd edition), GIF89a and WebP (RFC 9649) are scanned segment by segment, as
decoders do, so anything after the end of an image is ignored.
"""

import mmap
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_END = b"\0\0\0\0IEND\xaeB`\x82"
SIDEWAYS = (5, 6, 7, 8)
"""Values of the orientation that turn an image on its side."""
_ORIENTATION = 0x0112
"""The tag of the orientation (Exif 2.32, 4.6.4)."""
_EXIF = b"Exif\0\0"
_PART = 64 * 1024
_LARGEST_IFD = 512
"""How many entries of a tag directory are read."""

# markers that begin a segment or end the image; padding, restarts and stuffed bytes are data
_JPEG_MARKER = re.compile(rb"\xff([\xc0-\xcf\xd8-\xfe])", re.DOTALL)
_SOI, _EOI, _SOS, _APP1 = 0xD8, 0xD9, 0xDA, 0xE1
_SOF = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_IMAGE, _EXTENSION, _TRAILER = b",", b"!", b";"


@dataclass(frozen=True)
class ImageHeader:
    """The format (JPEG, PNG, GIF or WEBP) and the size in pixels, after applying the orientation.

    `is_complete` if the file has its entire structure: neither truncated nor damaged.
    """

    format: str
    width: int
    height: int
    is_complete: bool


class _Unreadable(ValueError):
    """Not an image of that format."""


class _Truncated(Exception):
    """The file ends or is damaged before the end of the image."""


class _Reader:
    """The bytes of a file, and what the scan has found."""

    def __init__(self, data: mmap.mmap):
        self.data = data
        self.width = self.height = 0
        self.orientation = 1
        self.has_image = False
        # files of real programs have a few hundred segments at most; this bounds the scan
        self._steps = 50_000 + len(data) // 64

    def take(self, start: int, count: int) -> bytes:
        """Return `count` bytes from `start`. Raises _Truncated if the file is shorter."""
        self._steps -= 1
        if start + count > len(self.data) or not self._steps:
            raise _Truncated
        return self.data[start : start + count]

    def number(self, start: int, count: int) -> int:
        """Return the big-endian number at `start`."""
        return int.from_bytes(self.take(start, count), "big")

    def grow(self, width: int, height: int) -> None:
        """Record a size; if a file contains several, decoders may use the largest."""
        self.width, self.height = max(self.width, width), max(self.height, height)

    def read_exif(self, start: int, end: int) -> None:
        """Record the orientation, if the Exif data between `start` and `end` contains one."""
        if self.data[start : start + len(_EXIF)] == _EXIF:
            start += len(_EXIF)
        mark = self.data[start : start + 4]
        if mark == b"II*\0":
            self.orientation = _orientation(self.data, start, end, "little")
        elif mark == b"MM\0*":
            self.orientation = _orientation(self.data, start, end, "big")


def _orientation(data: mmap.mmap, start: int, end: int, order: Literal["little", "big"]) -> int:
    """Return the orientation in the first directory of tags (TIFF 6.0, section 2); 1 if there is none."""

    def number(place: int, count: int) -> int:
        return int.from_bytes(data[place : min(place + count, end)], order)

    place = start + number(start + 4, 4)
    if place + 2 > end:
        return 1
    for entry in range(place + 2, place + 2 + 12 * min(number(place, 2), _LARGEST_IFD), 12):
        if number(entry, 2) == _ORIENTATION:
            return number(entry + 8, 2)
    return 1


def read_header(path: Path) -> ImageHeader | None:
    """Return the header of an image; None for a file of any other format."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        for format, begins, walk in _FORMATS:
            if begins.match(data[:16]):
                return _header(format, walk, _Reader(data))
    return None


def _header(format: str, walk: Callable[[_Reader], None], reader: _Reader) -> ImageHeader | None:
    try:
        walk(reader)
        is_complete = True
    except _Truncated:
        is_complete = False
    except _Unreadable:
        return None
    if not reader.width or not reader.height:
        return None
    size = (reader.width, reader.height)
    width, height = reversed(size) if reader.orientation in SIDEWAYS else size
    return ImageHeader(format, width, height, is_complete and reader.has_image)


def _walk_jpeg(reader: _Reader) -> None:
    place = 2
    while match := _JPEG_MARKER.search(reader.data, place):
        place, marker = match.end(), match[1][0]
        if marker == _EOI and reader.has_image:
            return
        if marker in (_SOI, _EOI):
            continue
        length = reader.number(place, 2)
        reader.take(place, length)
        _read_segment(reader, marker, place + 2, place + length)
        place += length
    raise _Truncated


def _read_segment(reader: _Reader, marker: int, start: int, end: int) -> None:
    if marker in _SOF:
        reader.grow(height=reader.number(start + 1, 2), width=reader.number(start + 3, 2))
    elif marker == _APP1:
        reader.read_exif(start, end)
    elif marker == _SOS:
        reader.has_image = True


def _walk_png(reader: _Reader) -> None:
    for kind, start, end in _png_chunks(reader):
        if kind == b"IHDR":
            reader.grow(reader.number(start, 4), reader.number(start + 4, 4))
        elif not reader.width:
            raise _Unreadable
        elif kind == b"eXIf":
            reader.read_exif(start, end)
        elif kind == b"IDAT":
            reader.has_image = True


def _png_chunks(reader: _Reader) -> Iterator[tuple[bytes, int, int]]:
    """Yield the name, start and end of each chunk. Raises _Truncated, also for a wrong checksum."""
    place = len(PNG_SIGNATURE)
    while True:
        if reader.has_image and _PNG_END.startswith(reader.data[place : place + len(_PNG_END)]):
            return  # some programs omit it, or a part of it
        length, kind = reader.number(place, 4), reader.take(place + 4, 4)
        start, end = place + 8, place + 8 + length
        if reader.number(end, 4) != _checksum(reader.data, place + 4, end):
            raise _Truncated
        yield kind, start, end
        place = end + 4


def _checksum(data: mmap.mmap, start: int, end: int) -> int:
    check = 0
    for part in range(start, end, _PART):
        check = zlib.crc32(data[part : min(part + _PART, end)], check)
    return check


def _walk_gif(reader: _Reader) -> None:
    head = reader.take(6, 7)
    reader.grow(*_little(head[:4], 2))
    place = 13 + _color_table_size(head[4])
    while (kind := reader.data[place : place + 1]) not in (b"", _TRAILER):
        if kind == _EXTENSION:
            place = _after_blocks(reader, place + 2)
        elif kind == _IMAGE:
            place = _after_frame(reader, place + 1)
        elif reader.has_image:
            return  # decoders stop at anything else
        else:
            raise _Truncated
    if not reader.has_image:
        raise _Truncated


def _after_frame(reader: _Reader, place: int) -> int:
    head = reader.take(place, 9)
    left, top, width, height = _little(head[:8], 2)
    reader.grow(left + width, top + height)  # a frame may exceed the canvas
    place = _after_blocks(reader, place + 9 + _color_table_size(head[8]) + 1)
    reader.has_image = True
    return place


def _after_blocks(reader: _Reader, place: int) -> int:
    while size := reader.take(place, 1)[0]:
        place += size + 1
    return place + 1


def _color_table_size(flags: int) -> int:
    """Return the size in bytes of the color table that follows."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _little(numbers: bytes, size: int) -> list[int]:
    """Return the consecutive little-endian numbers of `size` bytes each."""
    return [int.from_bytes(numbers[n : n + size], "little") for n in range(0, len(numbers), size)]


def _walk_webp(reader: _Reader) -> None:
    end = int.from_bytes(reader.take(4, 4), "little") + 8
    place = 12
    while place + 8 <= min(end, len(reader.data)):
        kind, size = reader.take(place, 4), int.from_bytes(reader.take(place + 4, 4), "little")
        _read_chunk(reader, kind, place + 8, place + 8 + size)
        place += 8 + size + size % 2
    if end > len(reader.data):
        raise _Truncated


def _read_chunk(reader: _Reader, kind: bytes, start: int, end: int) -> None:
    if kind == b"VP8X":
        reader.grow(*(1 + n for n in _little(reader.take(start + 4, 6), 3)))
    elif kind == b"VP8 ":
        reader.grow(*(n & 0x3FFF for n in _little(reader.take(start + 6, 4), 2)))
    elif kind == b"VP8L":
        bits = _little(reader.take(start + 1, 4), 4)[0]
        reader.grow((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    elif kind == b"EXIF":
        reader.read_exif(start, end)
    reader.has_image = reader.has_image or kind in (b"VP8 ", b"VP8L", b"ANMF")


_FORMATS: tuple[tuple[str, re.Pattern[bytes], Callable[[_Reader], None]], ...] = (
    ("JPEG", re.compile(rb"\xff\xd8\xff"), _walk_jpeg),
    ("PNG", re.compile(re.escape(PNG_SIGNATURE)), _walk_png),
    ("GIF", re.compile(rb"GIF8[79]a"), _walk_gif),
    ("WEBP", re.compile(rb"RIFF....WEBP", re.DOTALL), _walk_webp),
)

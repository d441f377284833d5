"""What a picture's file says about itself, read from its structure: nothing is ever decoded here.

JPEG (ITU-T T.81, annex B), PNG (3rd edition), GIF89a and WebP (RFC 9649) are walked from one
segment to the next, as decoders do, so what stands behind the end of a picture does not matter.
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
"""Values of the orientation that lay a picture on its side."""
_ORIENTATION = 0x0112
"""The tag of the orientation (Exif 2.32, 4.6.4)."""
_EXIF = b"Exif\0\0"
_PART = 64 * 1024
_LARGEST_IFD = 512
"""Entries of a directory of tags that are looked through."""

# markers that begin a segment or end the picture; padding, restarts and stuffed bytes are data
_JPEG_MARKER = re.compile(rb"\xff([\xc0-\xcf\xd8-\xfe])", re.DOTALL)
_SOI, _EOI, _SOS, _APP1 = 0xD8, 0xD9, 0xDA, 0xE1
_SOF = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_IMAGE, _EXTENSION, _TRAILER = b",", b"!", b";"


@dataclass(frozen=True)
class ImageHeader:
    """Format (JPEG, PNG, GIF or WEBP) and size in pixels, as a viewer turns the picture.

    `is_complete` says that the file has all of its structure: neither cut off nor damaged.
    """

    format: str
    width: int
    height: int
    is_complete: bool


class _Unreadable(ValueError):
    """This is no picture of that format."""


class _CutOff(Exception):
    """The file ends, or makes no more sense, before the picture does."""


class _Reader:
    """The bytes of a file, and what has been learnt on the way through them."""

    def __init__(self, data: mmap.mmap):
        self.data = data
        self.width = self.height = 0
        self.orientation = 1
        self.has_image = False
        # files of real programs have segments of hundreds of bytes; a walk is not made to last
        self._steps = 50_000 + len(data) // 64

    def take(self, start: int, count: int) -> bytes:
        """`count` bytes from `start`. Raises _CutOff when they are not all there."""
        self._steps -= 1
        if start + count > len(self.data) or not self._steps:
            raise _CutOff
        return self.data[start : start + count]

    def number(self, start: int, count: int) -> int:
        """The big-endian number at `start`."""
        return int.from_bytes(self.take(start, count), "big")

    def grow(self, width: int, height: int) -> None:
        """Note a size; where a file names several, decoders may take the largest."""
        self.width, self.height = max(self.width, width), max(self.height, height)

    def read_exif(self, start: int, end: int) -> None:
        """Note the orientation, where the Exif data between `start` and `end` has one."""
        if self.data[start : start + len(_EXIF)] == _EXIF:
            start += len(_EXIF)
        mark = self.data[start : start + 4]
        if mark == b"II*\0":
            self.orientation = _orientation(self.data, start, end, "little")
        elif mark == b"MM\0*":
            self.orientation = _orientation(self.data, start, end, "big")


def _orientation(data: mmap.mmap, start: int, end: int, order: Literal["little", "big"]) -> int:
    """The orientation in the first directory of tags (TIFF 6.0, section 2); 1 where there is none."""

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
    """What the file says of itself; None when it is no picture of a format that is read here."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        for format, begins, walk in _FORMATS:
            if begins.match(data[:16]):
                return _header(format, walk, _Reader(data))
    return None


def _header(format: str, walk: Callable[[_Reader], None], seen: _Reader) -> ImageHeader | None:
    try:
        walk(seen)
        is_complete = True
    except _CutOff:
        is_complete = False
    except _Unreadable:
        return None
    if not seen.width or not seen.height:
        return None
    size = (seen.width, seen.height)
    width, height = reversed(size) if seen.orientation in SIDEWAYS else size
    return ImageHeader(format, width, height, is_complete and seen.has_image)


def _walk_jpeg(seen: _Reader) -> None:
    place = 2
    while match := _JPEG_MARKER.search(seen.data, place):
        place, marker = match.end(), match[1][0]
        if marker == _EOI and seen.has_image:
            return
        if marker in (_SOI, _EOI):
            continue
        length = seen.number(place, 2)
        seen.take(place, length)
        _see_segment(seen, marker, place + 2, place + length)
        place += length
    raise _CutOff


def _see_segment(seen: _Reader, marker: int, start: int, end: int) -> None:
    if marker in _SOF:
        seen.grow(height=seen.number(start + 1, 2), width=seen.number(start + 3, 2))
    elif marker == _APP1:
        seen.read_exif(start, end)
    elif marker == _SOS:
        seen.has_image = True


def _walk_png(seen: _Reader) -> None:
    for kind, start, end in _png_chunks(seen):
        if kind == b"IHDR":
            seen.grow(seen.number(start, 4), seen.number(start + 4, 4))
        elif not seen.width:
            raise _Unreadable
        elif kind == b"eXIf":
            seen.read_exif(start, end)
        elif kind == b"IDAT":
            seen.has_image = True


def _png_chunks(seen: _Reader) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and end of each chunk. Raises _CutOff also where a checksum does not hold."""
    place = len(PNG_SIGNATURE)
    while True:
        if seen.has_image and _PNG_END.startswith(seen.data[place : place + len(_PNG_END)]):
            return  # some programs leave it out, or a part of it
        length, kind = seen.number(place, 4), seen.take(place + 4, 4)
        start, end = place + 8, place + 8 + length
        if seen.number(end, 4) != _checksum(seen.data, place + 4, end):
            raise _CutOff
        yield kind, start, end
        place = end + 4


def _checksum(data: mmap.mmap, start: int, end: int) -> int:
    check = 0
    for part in range(start, end, _PART):
        check = zlib.crc32(data[part : min(part + _PART, end)], check)
    return check


def _walk_gif(seen: _Reader) -> None:
    head = seen.take(6, 7)
    seen.grow(*_little(head[:4], 2))
    place = 13 + _color_table_size(head[4])
    while (kind := seen.data[place : place + 1]) not in (b"", _TRAILER):
        if kind == _EXTENSION:
            place = _after_blocks(seen, place + 2)
        elif kind == _IMAGE:
            place = _after_frame(seen, place + 1)
        elif seen.has_image:
            return  # decoders stop at what is none of these
        else:
            raise _CutOff
    if not seen.has_image:
        raise _CutOff


def _after_frame(seen: _Reader, place: int) -> int:
    head = seen.take(place, 9)
    left, top, width, height = _little(head[:8], 2)
    seen.grow(left + width, top + height)  # a frame may reach beyond the canvas
    place = _after_blocks(seen, place + 9 + _color_table_size(head[8]) + 1)
    seen.has_image = True
    return place


def _after_blocks(seen: _Reader, place: int) -> int:
    while size := seen.take(place, 1)[0]:
        place += size + 1
    return place + 1


def _color_table_size(flags: int) -> int:
    """Bytes of the table of colours that follows."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _little(numbers: bytes, size: int) -> list[int]:
    """The little-endian numbers of `size` bytes that stand one after the other."""
    return [int.from_bytes(numbers[n : n + size], "little") for n in range(0, len(numbers), size)]


def _walk_webp(seen: _Reader) -> None:
    end = int.from_bytes(seen.take(4, 4), "little") + 8
    place = 12
    while place + 8 <= min(end, len(seen.data)):
        kind, size = seen.take(place, 4), int.from_bytes(seen.take(place + 4, 4), "little")
        _see_chunk(seen, kind, place + 8, place + 8 + size)
        place += 8 + size + size % 2
    if end > len(seen.data):
        raise _CutOff


def _see_chunk(seen: _Reader, kind: bytes, start: int, end: int) -> None:
    if kind == b"VP8X":
        seen.grow(*(1 + n for n in _little(seen.take(start + 4, 6), 3)))
    elif kind == b"VP8 ":
        seen.grow(*(n & 0x3FFF for n in _little(seen.take(start + 6, 4), 2)))
    elif kind == b"VP8L":
        bits = _little(seen.take(start + 1, 4), 4)[0]
        seen.grow((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    elif kind == b"EXIF":
        seen.read_exif(start, end)
    seen.has_image = seen.has_image or kind in (b"VP8 ", b"VP8L", b"ANMF")


_FORMATS: tuple[tuple[str, re.Pattern[bytes], Callable[[_Reader], None]], ...] = (
    ("JPEG", re.compile(rb"\xff\xd8\xff"), _walk_jpeg),
    ("PNG", re.compile(re.escape(PNG_SIGNATURE)), _walk_png),
    ("GIF", re.compile(rb"GIF8[79]a"), _walk_gif),
    ("WEBP", re.compile(rb"RIFF....WEBP", re.DOTALL), _walk_webp),
)

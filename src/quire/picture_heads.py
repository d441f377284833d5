"""What the head of a picture says, read by Pillow without decoding it.

Pillow is large: this module is imported when the first file comes, never at the start.
"""

import struct
import zlib
from pathlib import Path

from PIL import ExifTags, Image

# the limit is ours, in pixels, and says so in words; Pillow's own is a warning
Image.MAX_IMAGE_PIXELS = None

FORMATS = ("JPEG", "PNG", "GIF", "WEBP")
TURNED = (5, 6, 7, 8)
"""Values of the orientation (Exif 2.32, tag 0x0112) that lay a picture on its side."""
BROKEN = (
    OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, AttributeError,
    OverflowError, EOFError, RuntimeError, struct.error, zlib.error, Warning,
)  # fmt: skip
"""What Pillow raises for files that no program has written; warnings, where they are errors."""


def head(path: Path) -> tuple[str, int, int] | None:
    """Format (of FORMATS), width and height in pixels as it is seen; None for no such picture."""
    try:
        with Image.open(path, formats=FORMATS) as picture:
            width, height = picture.size
            name = "JPEG" if picture.format == "MPO" else str(picture.format)
            if _orientation(picture) in TURNED:
                width, height = height, width
    except BROKEN:
        return None
    return name, width, height


def _orientation(picture: Image.Image) -> int:
    try:
        return int(picture.getexif().get(ExifTags.Base.Orientation, 1))
    except BROKEN:
        return 1


def is_sound(path: Path) -> bool:
    """Whether the checksums of a PNG hold."""
    try:
        with Image.open(path, formats=("PNG",)) as picture:
            picture.verify()
    except BROKEN:
        return False
    return True

"""Pictures of the demo, drawn as PNG without an image library: hills below a sun."""

import math
import struct
import zlib

WIDTH, HEIGHT = 1280, 720
SHADES = 120
"""Shades of the sky from top to bottom."""
SUN = 85
"""The radius of the sun."""

Colour = tuple[int, int, int]
SKIES: tuple[tuple[Colour, Colour, Colour], ...] = (
    ((250, 214, 165), (238, 121, 97), (66, 50, 92)),
    ((203, 231, 240), (120, 178, 190), (24, 73, 84)),
    ((247, 232, 200), (214, 164, 90), (83, 66, 40)),
    ((214, 222, 246), (139, 146, 206), (43, 46, 96)),
    ((222, 240, 214), (126, 176, 120), (28, 72, 56)),
    ((251, 220, 221), (219, 130, 152), (86, 40, 74)),
)
"""The colours of each picture: the sky above, the sky at the horizon, the nearest hill."""


def landscape(number: int) -> bytes:
    """The picture with this number, as a PNG with a palette."""
    above, horizon, near = SKIES[number]
    sky = [_mix(above, horizon, step / (SHADES - 1)) for step in range(SHADES)]
    hills = [_mix(horizon, near, share) for share in (0.35, 0.65, 1.0)]
    palette = [*sky, *hills, _mix(above, (255, 255, 255), 0.6)]
    rows = zip(*(_column(x, number) for x in range(WIDTH)), strict=True)  # columns to rows
    return _png(palette, b"".join(b"\0" + bytes(row) for row in rows))


def _mix(one: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _column(x: int, number: int) -> bytearray:
    """The pixels of a column from top to bottom, as indexes into the palette."""
    column = bytearray(y * SHADES // HEIGHT for y in range(HEIGHT))
    middle, across = 240 + number * 30, x - 250 - number * 150
    if abs(across) < SUN:
        half = int(math.sqrt(SUN**2 - across**2))
        column[middle - half : middle + half] = bytes([SHADES + 3]) * (2 * half)
    for hill, (height, length) in enumerate(((410, 310.0), (500, 210.0), (590, 150.0))):
        wave = math.sin(x / length + number * 1.7 + hill) + 0.4 * math.sin(x / length * 2.3 + hill)
        top = height + int(46 * wave)
        column[top:] = bytes([SHADES + hill]) * (HEIGHT - top)
    return column


def _png(palette: list[Colour], data: bytes) -> bytes:
    head = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 3, 0, 0, 0)
    colours = b"".join(bytes(one) for one in palette)
    chunks = (
        (b"IHDR", head),
        (b"PLTE", colours),
        (b"IDAT", zlib.compress(data, 6)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, body) for name, body in chunks)


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

"""Transparency is preserved in images and their variants, however a file encodes it."""

import io
import struct
import zlib

import pytest
from PIL import Image, ImageDraw

from tests.sample_images import opened, png, png_chunk

WIDTH, HEIGHT = 208, 40


def halves(bits, color, left, right, key, more=b""):
    """Return a PNG with one value on the left and one on the right, each in bytes; `key` is its tRNS."""
    head = struct.pack(">IIBBBBB", WIDTH, HEIGHT, bits, color, 0, 0, 0)
    count = WIDTH * bits // 16 if bits < 8 else WIDTH // 2
    row = b"\0" + left * count + right * count
    chunks = more + png_chunk(b"tRNS", key)
    return png(head, chunks, pixels=zlib.compress(row * HEIGHT))


def grey(value):
    return struct.pack(">H", value)


def rgb(*values):
    return struct.pack(">HHH", *values)


PALETTE = png_chunk(b"PLTE", bytes([9, 9, 9, 200, 200, 200]))
KEYS = {
    "1 bit": halves(1, 0, b"\0", b"\xff", grey(0)),
    "2 bits": halves(2, 0, b"\x55", b"\xff", grey(1)),
    "4 bits": halves(4, 0, b"\x77", b"\xff", grey(7)),
    "grey": halves(8, 0, b"\x4d", b"\xc8", grey(77)),
    "deep grey": halves(16, 0, grey(0x1234), grey(0xC800), grey(0x1234)),
    "colours": halves(8, 2, b"\x01\x02\x03", b"\xc8\xc8\xc8", rgb(1, 2, 3)),
    "deep colours": halves(
        16, 2, rgb(0x102, 0x203, 0x304), rgb(0xC800, 0xC800, 0xC800), rgb(0x102, 0x203, 0x304)
    ),
    "palette": halves(8, 3, b"\0", b"\x01", b"\0", PALETTE),
    "small palette": halves(1, 3, b"\0", b"\xff", b"\0", PALETTE),
}


@pytest.mark.parametrize("kind", list(KEYS))
def test_transparent_colour_stays_transparent(draw, kind):
    _, files = draw(KEYS[kind])
    assert len(files) == 3
    for name, content in files.items():
        image = opened(content).convert("RGBA")
        assert image.getpixel((20, 20))[3] == 0, name
        assert image.getpixel((image.width - 20, 20))[3] == 255, name
        assert image.getpixel((image.width - 20, 20))[0] >= 195, name


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_edges_are_soft_without_the_transparent_colour(draw, mode):
    image, out = Image.new(mode, (400, 400), "white"), io.BytesIO()
    ImageDraw.Draw(image).ellipse((40, 40, 360, 360), fill="black")
    image.save(out, "PNG", transparency=255 if mode == "L" else (255, 255, 255))
    _, files = draw(out.getvalue())
    small = opened(files["x-160.png"]).convert("RGBA")
    edge = [small.getpixel((x, 80)) for x in range(30)]
    assert [one for one in edge if 0 < one[3] < 255]
    assert max(one[0] for one in edge if one[3] > 20) < 40

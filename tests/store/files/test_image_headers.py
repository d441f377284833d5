"""Image headers, read without decoding: size, orientation and completeness."""

import io
import struct
import tracemalloc
import zlib
from functools import cache

import pytest
from PIL import ExifTags, Image

from quire.store.files.image_headers import read_header
from tests.sample_images import photo, picture, png, png_chunk

FORMATS = ("JPEG", "PNG", "GIF", "WEBP")


@pytest.fixture
def read(tmp_path):
    """`read(content)`: the header of a file with that content."""

    def header(content):
        path = tmp_path / "picture"
        path.write_bytes(content)
        return read_header(path)

    return header


def saved(image, format, **more):
    out = io.BytesIO()
    image.save(out, format, **more)
    return out.getvalue()


def exif(orientation, order="<"):
    """Exif data with only the orientation."""
    values = Image.Exif()
    values.endian = order
    values[ExifTags.Base.Orientation] = orientation
    return values.tobytes()


KINDS = {
    "JPEG": {"format": "JPEG"},
    "progressive JPEG": {"format": "JPEG", "progressive": True},
    "JPEG with restarts": {"format": "JPEG", "restart_marker_blocks": 1},
    "PNG": {"format": "PNG"},
    "GIF": {"format": "GIF"},
    "WebP": {"format": "WEBP"},
    "WebP without loss": {"format": "WEBP", "lossless": True},
}


@pytest.mark.parametrize("kind", list(KINDS))
def test_size_is_read_in_each_format(read, kind):
    header = read(saved(Image.effect_noise((301, 77), 50).convert("RGB"), **KINDS[kind]))
    assert (header.width, header.height, header.is_complete) == (301, 77, True)
    assert header.format == KINDS[kind]["format"]


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_size_respects_the_exif_orientation(read, format, order):
    sizes = {}
    for orientation in range(10):
        header = read(picture(301, 77, format, exif=exif(orientation, order)))
        sizes[orientation] = (header.width, header.height)
    assert {n for n, size in sizes.items() if size == (77, 301)} == {5, 6, 7, 8}
    assert set(sizes.values()) == {(77, 301), (301, 77)}


def test_png_orientation_may_follow_the_pixels(read):
    chunk = png_chunk(b"eXIf", exif(6).removeprefix(b"Exif\0\0"))
    content = picture(301, 77)
    header = read(content[:-12] + chunk + content[-12:])
    assert (header.width, header.height) == (77, 301)


def interlaced(width, height):
    """Return an interlaced PNG without pixels."""
    return png(struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 1), b"")


MOVING = [Image.new("RGBA", (30, 20), colour) for colour in ("red", "blue", "lime")]
AFTER_THE_END = {
    "nothing": b"",
    "a line break": b"\r\n",
    "zeros": bytes(100_000),
    "a film": b"\0\0\0\x18ftypmp42" + bytes(range(256)) * 300,
    "another end": bytes(70_000) + b"\xff\xd9",
}


@pytest.mark.parametrize("tail", list(AFTER_THE_END))
@pytest.mark.parametrize("format", FORMATS)
def test_data_after_the_end_is_ignored(read, format, tail):
    content = picture(301, 77, format)
    assert read(content + AFTER_THE_END[tail]) == read(content)
    assert read(content).is_complete


@pytest.mark.parametrize("format", ["GIF", "PNG", "WEBP"])
def test_animations_are_read(read, format):
    header = read(saved(MOVING[0], format, save_all=True, append_images=MOVING[1:]))
    assert (header.width, header.height, header.is_complete) == (30, 20, True)


def test_gif_frame_larger_than_the_canvas_sets_the_size(read):
    small = saved(Image.new("P", (40, 30)), "GIF")
    assert small[6:10] == struct.pack("<HH", 40, 30)
    header = read(small[:6] + struct.pack("<HH", 4, 3) + small[10:])
    assert (header.width, header.height) == (40, 30)


def test_omitted_end_markers_are_accepted(read):
    assert read(picture(format="GIF")[:-1]).is_complete
    for count in range(1, 13):
        assert read(picture(format="PNG")[:-count]).is_complete


GIF = saved(Image.new("P", (40, 30)), "GIF")
GIF_BEGIN = GIF[: 13 + 3 * 2 ** ((GIF[10] & 7) + 1)]


@pytest.mark.parametrize(
    "content",
    [
        png(struct.pack(">IIBBBBB", 0, 77, 8, 2, 0, 0, 0), b""),
        png(struct.pack(">IIBBBBB", 301, 0, 8, 2, 0, 0, 0), b""),
        picture()[:8] + png_chunk(b"tEXt", b"a") + picture()[8:],
    ],
    ids=["no width", "no height", "another chunk first"],
)
def test_file_without_a_size_is_not_an_image(read, content):
    assert read(content) is None


def test_gif_without_a_frame_is_incomplete(read):
    assert not read(GIF_BEGIN + b";").is_complete
    assert not read(GIF_BEGIN + b"?").is_complete
    assert read(GIF[:-1] + b"?").is_complete, "decoders stop at an invalid block"


def test_nested_start_marker_in_a_jpeg_is_skipped(read):
    content = picture(301, 77, "JPEG")
    header = read(content[:2] + b"\xff\xd8\xff\xd9" + content[2:])
    assert (header.width, header.height, header.is_complete) == (301, 77, True)


def test_exif_offset_outside_its_segment_is_ignored(read):
    data = b"Exif\0\0II*\0" + struct.pack("<I", 70_000)
    segment = b"\xff\xe1" + struct.pack(">H", len(data) + 2) + data
    content = picture(301, 77, "JPEG")
    header = read(content[:2] + segment + content[2:])
    assert (header.width, header.height) == (301, 77)


NOISE = Image.effect_noise((200, 150), 60).convert("RGB")


@pytest.mark.parametrize("format", FORMATS)
def test_truncated_file_is_incomplete(read, format):
    content = saved(NOISE, format)
    for part in (0.3, 0.6, 0.9, 0.995):
        header = read(content[: int(len(content) * part)])
        assert header is None or not header.is_complete


def test_thumbnail_in_the_metadata_is_ignored(read):
    values = exif(1) + saved(NOISE, "JPEG")
    header = read(picture(301, 77, "JPEG", exif=values))
    assert (header.width, header.height) == (301, 77)
    cut_off = picture(301, 77, "JPEG", exif=values)[:-2]
    assert not read(cut_off).is_complete


def test_png_with_a_damaged_chunk_is_incomplete(read):
    content = picture()
    assert not read(content.replace(b"IDAT", b"IDAT\x01", 1)).is_complete


def head_of(width, height):
    return struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)


@cache
def zeros():
    """50 MB of zeros, compressed."""
    packer = zlib.compressobj(9)
    return b"".join([*(packer.compress(bytes(10**6)) for _ in range(50)), packer.flush()])


def small(more):
    return png(head_of(40, 30), more)


BOMBS = {
    "pixels": lambda: png(head_of(6000, 6600), b"", pixels=zeros()),
    "a compressed text": lambda: small(png_chunk(b"zTXt", b"Comment\0\0" + zeros())),
    "an international text": lambda: small(png_chunk(b"iTXt", b"Comment\0\1\0\0\0" + zeros())),
    "a colour profile": lambda: small(png_chunk(b"iCCP", b"icc\0\0" + zeros())),
    "much Exif": lambda: small(png_chunk(b"eXIf", b"MM\0*\0\0\0\x08\xff\xff" + bytes(10**6))),
    "many chunks": lambda: small(png_chunk(b"tEXt", b"a\0b") * 60_000),
    "passes": lambda: interlaced(6000, 6600),
    "a canvas": lambda: b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\xff\x3f\0\xff\x3f\0",
    "a GIF": lambda: b"GIF89a\xff\xff\xff\xff\0\0\0,\0\0\0\0\xff\xff\xff\xff\0\x08\x01\0\0;",
}  # fmt: skip
"""The function that creates each one when a test needs it."""


@pytest.mark.parametrize("kind", list(BOMBS))
def test_reading_headers_decompresses_nothing(read, kind):
    content = BOMBS[kind]()
    tracemalloc.start()
    try:
        assert read(content) is not None
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 500_000


ENDLESS = {
    "empty blocks": (b"GIF89a\1\0\1\0\0\0\0", b"!\xfe\0", 400_000),
    "tiny blocks": (b"GIF89a\1\0\1\0\0\0\0!\xfe", b"\1x", 400_000),
    "segments": (b"\xff\xd8", b"\xff\xe1\0\2", 400_000),
    "padding": (b"\xff\xd8", b"\xff", 1_000_000),
    "chunks": (b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", head_of(1, 1)), png_chunk(b"a", b""), 99_000),
}  # fmt: skip
"""The beginning of each, the repeated part, and the number of repetitions."""


@pytest.mark.parametrize("kind", list(ENDLESS))
def test_endless_structures_are_incomplete(read, kind):
    start, part, times = ENDLESS[kind]
    header = read(start + part * times)
    assert header is None or not header.is_complete


@pytest.mark.parametrize(
    "content",
    [
        b"\0\0\1\0\1\0\x10\x10" + bytes(40),  # ICO
        b"\0\0\0\x1cftypavif" + bytes(40),
        b"II*\0" + bytes(40),
        b"BM" + bytes(40),
        b"\xff\xd8\xff\xe0",
        b"\x89PNG\r\n\x1a\n",
        b"GIF89a",
        b"RIFF\0\0\0\0WEBP",
        b"x",
    ],
)
def test_unsupported_formats_are_not_images(read, content):
    assert read(content) is None


def test_photo_of_a_phone_is_read(read):
    header = read(photo(800, 600))
    assert (header.width, header.height, header.is_complete) == (600, 800, True)

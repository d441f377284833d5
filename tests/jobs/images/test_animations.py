"""Animations stay animated, with the same visible frames, durations and loops."""

import io
import struct

import pytest
from PIL import ExifTags, Image, ImageCms, ImageSequence

from quire.jobs.images import render
from tests.sample_images import opened

SUFFIXES = {"GIF": "gif", "PNG": "png", "WEBP": "webp"}
CLEAR, RED, BLACK = (0, 0, 0, 0), (200, 30, 30, 255), (0, 0, 0, 255)


def square(background, step):
    """Return a red square that moves from left to right, next to a fixed black bar."""
    image = Image.new("RGBA", (60, 30), background)
    image.paste(BLACK, (0, 0, 4, 30))
    image.paste(RED, (8 + 10 * step, 5, 16 + 10 * step, 20))
    return image


def film(format, background, mode="RGBA", **more):
    """Return an animation of four such frames with different durations."""
    frames = [square(background, step).convert(mode) for step in range(4)]
    more = {"duration": [80, 90, 100, 110], "loop": 3, **more}
    out = io.BytesIO()
    frames[0].save(out, format, save_all=True, append_images=frames[1:], **more)
    return out.getvalue()


def seen(content):
    """Return the visible pixels and milliseconds of each frame shown."""
    image = Image.open(io.BytesIO(content))
    frames = []
    for frame in ImageSequence.Iterator(image):
        pixels = frame.convert("RGBA").convert("RGBa").tobytes()
        if frames and frames[-1][0] == pixels:
            frames[-1][1] += round(frame.info.get("duration", 0))
        else:
            frames.append([pixels, round(frame.info.get("duration", 0))])
    return frames


def assert_same(before, after):
    assert seen(after) == seen(before)
    assert opened(after).info.get("loop") == opened(before).info.get("loop")


@pytest.mark.parametrize("background", [CLEAR, (9, 90, 9, 255)])
@pytest.mark.parametrize("disposal", [0, 1, 2, 3])
def test_gif_disposal_methods_are_preserved(draw, disposal, background):
    content = film("GIF", background, disposal=disposal)
    _, files = draw(content)
    assert_same(content, files["x.gif"])


def block(x, width, color, disposal, sees_through):
    """Return a frame that covers a part of a GIF, in one of four colours."""
    image = Image.new("P", (width, 10), color)
    image.putpalette(PALETTE)
    if sees_through:
        image.paste(3, (1, 1, width // 2, 5))
    out = io.BytesIO()
    image.save(out, "GIF", optimize=False)
    content = out.getvalue()
    start = content.index(b",\0\0\0\0")
    table = 3 << ((content[start + 9] & 7) + 1) if content[start + 9] & 0x80 else 0
    control = bytes([disposal << 2 | sees_through]) + struct.pack("<H", 10) + b"\x03\0"
    place = struct.pack("<HHHHB", x, 2, width, 10, 0)
    return b"!\xf9\x04" + control + b"," + place + content[start + 10 + table : -1]


PALETTE = (255, 255, 255, 200, 0, 0, 0, 0, 200, 0, 0, 0)


@pytest.mark.parametrize("sees_through", [False, True])
@pytest.mark.parametrize("one", range(4))
@pytest.mark.parametrize("other", range(4))
def test_partial_gif_frames_are_preserved(draw, one, other, sees_through):
    head = b"GIF89a" + struct.pack("<HHBBB", 40, 20, 0xF1, 0, 0) + bytes(PALETTE)
    frames = [
        block(0, 40, 0, one, sees_through),
        block(5, 10, 1, other, sees_through),
        block(20, 12, 2, one, sees_through),
        block(30, 10, 1, other, sees_through),
    ]
    content = head + b"".join(frames) + b";"
    _, files = draw(content)
    assert_same(content, files["x.gif"])


@pytest.mark.parametrize("background", [CLEAR, (9, 90, 9, 255)])
@pytest.mark.parametrize("disposal", range(3))
@pytest.mark.parametrize("blend", range(2))
def test_animated_png_is_preserved(draw, disposal, blend, background):
    content = film("PNG", background, disposal=disposal, blend=blend)
    made, files = draw(content)
    assert_same(content, files["x.png"])
    assert (made["width"], made["height"]) == (60, 30)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB"])
def test_animated_png_is_preserved_in_every_mode(draw, mode):
    content = film("PNG", CLEAR, mode)
    _, files = draw(content)
    assert_same(content, files["x.png"])


def test_animated_png_with_a_transparent_colour_is_preserved(draw):
    content = film("PNG", (9, 90, 9, 255), "RGB", transparency=(9, 90, 9))
    _, files = draw(content)
    assert_same(content, files["x.png"])


def test_default_image_of_an_animated_png_is_preserved(draw):
    content = film("PNG", CLEAR, default_image=True, duration=[80, 90, 100])
    _, files = draw(content)
    assert_same(content, files["x.png"])
    assert opened(files["x.png"]).info["default_image"] is True


@pytest.mark.parametrize("format", list(SUFFIXES))
def test_animations_stay_animated_and_their_variants_are_still(draw, format):
    frames = [Image.new("RGB", (200, 100), (40 * n, 0, 0)) for n in range(4)]
    out = io.BytesIO()
    frames[0].save(out, format, save_all=True, append_images=frames[1:], duration=80, loop=0)
    _, files = draw(out.getvalue())
    moving = opened(files[f"x.{SUFFIXES[format]}"])
    assert (moving.n_frames, moving.info["duration"], moving.info["loop"]) == (4, 80, 0)
    for name in ("x-160.webp", f"x-160.{SUFFIXES[format]}"):
        assert getattr(opened(files[name]), "n_frames", 1) == 1


@pytest.mark.parametrize("format", ["PNG", "WEBP"])
def test_frames_are_rotated_and_converted_like_the_first(draw, format):
    turned = Image.Exif()
    turned[ExifTags.Base.Orientation] = 6
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    content = film(format, BLACK, "RGB", exif=turned, icc_profile=profile)
    made, files = draw(content)
    after = opened(files[f"x.{SUFFIXES[format]}"])
    assert (made["width"], made["height"]) == after.size == (30, 60)
    assert not {"exif", "icc_profile"} & after.info.keys()


def test_too_many_frames_are_refused(draw, monkeypatch):
    monkeypatch.setattr(render, "MAX_ALL_FRAMES", 5_000)
    with pytest.raises(render.UnsuitableImage):
        draw(film("GIF", BLACK))

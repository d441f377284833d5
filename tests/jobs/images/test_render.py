"""Re-rendering images: upright, without metadata, in several sizes; bad files do no harm."""

import io
import struct
import sys

import pytest
from PIL import Image, ImageCms

from quire.actor import SYSTEM
from quire.errors import Conflict
from quire.jobs.images import process, render
from quire.jobs.worker import run_due_jobs
from quire.records import MEDIA
from quire.records.media import upload
from quire.store.files.local import ORIGINAL
from quire.store.files.receive import receive
from quire.store.files.storage import file_storage
from quire.store.write import act, delete
from tests.sample_images import files, opened, photo, picture, png, whole

SECRETS = (b"canary", b"Exif", b"GPS", b"photoshop", b"http://ns.adobe.com")


@pytest.fixture
def keep(app):
    """`keep(content)`: the id of a record whose image is not rendered yet."""

    def kept(content):
        with app.app_context(), receive(io.BytesIO(content), "x") as file:
            return upload(SYSTEM, file, {}).id

    return kept


def test_photos_are_rotated_and_lose_their_metadata(draw):
    content = photo(800, 600)
    assert b"canary-artist" in content and b"canary-comment" in content
    made, files = draw(content)
    assert (made["width"], made["height"], list(made["variants"])) == (600, 800, ["160"])
    assert opened(files["x.jpg"]).size == (600, 800)
    assert opened(files["x-160.webp"]).size == (160, 213)
    assert not [name for name, data in files.items() if any(word in data for word in SECRETS)]


def test_image_with_too_many_pixels_is_refused(draw):
    large = png(struct.pack(">IIBBBBB", 8000, 5001, 1, 0, 0, 0, 0), b"", pixels=bytes(64))
    with pytest.raises(render.UnsuitableImage, match="more than 40,000,000 pixels"):
        draw(large)


@pytest.mark.parametrize("format", ["PNG", "WEBP", "GIF"])
def test_other_formats_lose_their_metadata(draw, format):
    image, out = Image.new("P" if format == "GIF" else "RGBA", (200, 100), 3), io.BytesIO()
    exif = Image.Exif()
    exif[0x013B] = "canary-artist"
    more = {"comment": b"canary-comment"} if format == "GIF" else {"exif": exif}
    image.save(out, format, **more)
    assert b"canary" in out.getvalue()
    _, files = draw(out.getvalue())
    assert not [name for name, data in files.items() if any(word in data for word in SECRETS)]
    names = {"x-160.webp", f"x-160.{format.lower()}", f"x.{format.lower()}"}
    assert files.keys() == names


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "YCbCr"])
def test_images_of_every_mode_are_rendered(draw, mode):
    format = {"CMYK": "JPEG", "YCbCr": "JPEG"}.get(mode, "PNG")
    image, out = Image.new("L", (700, 20), 90), io.BytesIO()
    deep = Image.new("I;16", image.size, 90 * 256)
    (deep if mode == "I;16" else image.convert(mode)).save(out, format)
    made, files = draw(out.getvalue())
    assert list(made["variants"]) == ["640", "160"]
    shade = opened(files["x-640.webp"]).convert("RGB").getpixel((300, 5))
    assert mode == "1" or abs(shade[0] - 90) < 12, shade


def test_colour_profiles_are_converted_and_removed(draw):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    out = io.BytesIO()
    Image.new("RGB", (200, 100), (9, 99, 199)).save(out, "JPEG", icc_profile=profile)
    _, files = draw(out.getvalue())
    assert "icc_profile" not in opened(files["x.jpg"]).info


HOLLOW = png(struct.pack(">IIBBBBB", 500, 500, 8, 2, 0, 0, 0), b"", pixels=bytes(64))
"""A PNG with valid checksums but without an image."""


def test_damaged_image_is_marked_broken_and_leaves_no_file(app, keep, client):
    before, id = files(app), keep(HOLLOW)
    with app.app_context():
        process.process_media(id)
        state = whole(id)
        with pytest.raises(Conflict):
            act(MEDIA, SYSTEM, id, "regenerate_variants")
    assert (state["state"], state["variants"]) == ("broken", {})
    assert state["fault"].startswith("The file is damaged")
    assert files(app) == before
    assert client.get(state["url"]).status_code == 404


def test_image_is_rendered_only_once(app, keep):
    id = keep(picture(200, 100))
    with app.app_context():
        process.process_media(id)
        first = whole(id)
        process.process_media(id)
        process.process_media(id + 1)
        assert whole(id) == first
    assert first["state"] == "ready"


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are those of Linux")
def test_memory_of_the_render_process_is_limited(app, keep, monkeypatch, tmp_path):
    greedy = tmp_path / "greedy.py"
    words = render.__file__
    greedy.write_text(
        f"import runpy\nmade = runpy.run_path({words!r})\nmade['limit']()\nbytes(3 * 2**30)\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(process, "PROGRAM", greedy)
    with app.app_context():
        id = keep(picture())
        process.process_media(id)
        state = whole(id)
    assert (state["state"], "memory" in state["fault"]) == ("given_up", True)


def test_image_that_timed_out_can_be_rendered_again(app, keep, monkeypatch, tmp_path):
    slow = tmp_path / "slow.py"
    slow.write_text("import time\ntime.sleep(30)\n", encoding="utf-8")
    id = keep(picture(200, 100))
    with app.app_context():
        with monkeypatch.context() as patched:
            patched.setattr(process, "PROGRAM", slow)
            patched.setattr(process, "SECONDS", 1)
            process.process_media(id)
        state = whole(id)
        said = "Processing stopped because it took too much memory or time."
        assert (state["state"], state["fault"]) == ("given_up", said)
        act(MEDIA, SYSTEM, id, "regenerate_variants")
        run_due_jobs()
        state = whole(id)
    assert (state["state"], state["fault"], list(state["variants"])) == ("ready", None, ["160"])
    assert not [name for name in files(app) if name == ORIGINAL + state["url"].rpartition("/")[2]]


def test_too_large_image_names_the_limit(app, keep, monkeypatch, tmp_path):
    strict = tmp_path / "strict.py"
    strict.write_text(
        f"import runpy\nmade = runpy.run_path({render.__file__!r})\n"
        "made['main'].__globals__['MAX_PIXELS'] = 5\nmade['main']()\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(process, "PROGRAM", strict)
    with app.app_context():
        id = keep(picture())
        process.process_media(id)
        assert whole(id)["fault"] == "It has more than 5 pixels."


def test_missing_file_marks_the_image_broken(app, keep):
    id = keep(picture())
    with app.app_context():
        file_storage().delete(ORIGINAL + whole(id)["url"].rpartition("/")[2])
        process.process_media(id)
        assert (whole(id)["state"], whole(id)["fault"]) == ("broken", process.MISSING_FILE)


def test_render_process_and_caller_share_exit_codes():
    assert (render.DAMAGED, render.UNFIT) == (process.DAMAGED, process.UNFIT)


def test_record_deleted_during_rendering_leaves_no_file(app, keep, monkeypatch):
    before, id = files(app), keep(picture(200, 100))
    drawn = process._process_file

    def deleting(*args):
        made = drawn(*args)
        delete(MEDIA, SYSTEM, id)
        return made

    monkeypatch.setattr(process, "_process_file", deleting)
    with app.app_context():
        process.process_media(id)
    assert files(app) == before


def test_render_program_exists():
    assert process.PROGRAM.is_file() and "def main" in process.PROGRAM.read_text(encoding="utf-8")

"""Drawing pictures anew: upright, without metadata, in sizes; what cannot be drawn harms nobody."""

import io
import struct
import sys
import zlib

import pytest
from PIL import Image, ImageCms

from quire.actor import SYSTEM
from quire.errors import Conflict
from quire.jobs import drawing, pictures
from quire.jobs.worker import work_off
from quire.records import MEDIA
from quire.records.media import upload
from quire.store.blobs import ORIGINAL, blobs
from quire.store.intake import received
from quire.store.write import act, delete
from tests.pictures import files, opened, photo, picture, whole

SECRETS = (b"canary", b"Exif", b"GPS", b"photoshop", b"http://ns.adobe.com")


@pytest.fixture
def draw(tmp_path):
    """`draw(content)`: what the program says and the files it makes, by name."""

    def drawn(content):
        (tmp_path / "in").write_bytes(content)
        folder = tmp_path / "out"
        folder.mkdir(exist_ok=True)
        made = drawing.draw(tmp_path / "in", folder, "x")
        return made, {path.name: path.read_bytes() for path in folder.iterdir()}

    return drawn


@pytest.fixture
def keep(app):
    """`keep(content)`: the id of a record, its picture not drawn yet."""

    def kept(content):
        with app.app_context(), received(io.BytesIO(content), "x") as file:
            return upload(SYSTEM, file, {}).id

    return kept


def test_photos_are_turned_and_say_nothing_of_where_they_were_taken(draw):
    content = photo(800, 600)
    assert b"canary-artist" in content and b"canary-comment" in content
    made, files = draw(content)
    assert (made["width"], made["height"], list(made["variants"])) == (600, 800, ["160"])
    assert opened(files["x.jpg"]).size == (600, 800)
    assert opened(files["x-160.webp"]).size == (160, 213)
    assert not [name for name, data in files.items() if any(word in data for word in SECRETS)]


@pytest.mark.parametrize("format", ["PNG", "WEBP", "GIF"])
def test_other_formats_leave_their_metadata_behind_too(draw, format):
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
def test_pictures_in_every_mode(draw, mode):
    format = {"CMYK": "JPEG", "YCbCr": "JPEG"}.get(mode, "PNG")
    image, out = Image.new("L", (700, 20), 90), io.BytesIO()
    deep = Image.new("I;16", image.size, 90 * 256)
    (deep if mode == "I;16" else image.convert(mode)).save(out, format)
    made, files = draw(out.getvalue())
    assert list(made["variants"]) == ["640", "160"]
    shade = opened(files["x-640.webp"]).convert("RGB").getpixel((300, 5))
    assert mode == "1" or abs(shade[0] - 90) < 12, shade


def test_colours_of_other_screens_become_those_of_every_screen(draw):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    out = io.BytesIO()
    Image.new("RGB", (200, 100), (9, 99, 199)).save(out, "JPEG", icc_profile=profile)
    _, files = draw(out.getvalue())
    assert "icc_profile" not in opened(files["x.jpg"]).info


def test_moving_pictures_go_on_moving(draw):
    frames = [Image.new("RGB", (200, 100), (40 * n, 0, 0)) for n in range(4)]
    for format in ("GIF", "WEBP"):
        out = io.BytesIO()
        frames[0].save(out, format, save_all=True, append_images=frames[1:], duration=80, loop=0)
        _, files = draw(out.getvalue())
        moving = opened(files[f"x.{format.lower()}"])
        assert (moving.n_frames, moving.info["duration"], moving.info["loop"]) == (4, 80, 0)
        assert getattr(opened(files["x-160.webp"]), "n_frames", 1) == 1


def test_too_many_frames(draw, monkeypatch):
    monkeypatch.setattr(drawing, "MAX_ALL_FRAMES", 50_000)
    out = io.BytesIO()
    frames = [Image.new("RGB", (200, 100), (40 * n, 0, 0)) for n in range(4)]
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    with pytest.raises(drawing.Unfit):
        draw(out.getvalue())


def hollow():
    """A PNG whose checksums hold and whose picture is not there."""

    def chunk(kind, data):
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    head = struct.pack(">IIBBBBB", 500, 500, 8, 2, 0, 0, 0)
    parts = (chunk(b"IHDR", head), chunk(b"IDAT", b"\0" * 64), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def test_what_cannot_be_drawn_is_broken_and_leaves_no_file(app, keep, client):
    before, id = files(app), keep(hollow())
    with app.app_context():
        pictures.process(id)
        state = whole(id)
        with pytest.raises(Conflict):
            act(MEDIA, SYSTEM, id, "draw_again")
    assert (state["state"], state["variants"]) == ("broken", {})
    assert state["fault"].startswith("The file is damaged")
    assert files(app) == before
    assert client.get(state["url"]).status_code == 404


def test_a_picture_is_drawn_once_however_often_it_is_asked_for(app, keep):
    id = keep(picture(200, 100))
    with app.app_context():
        pictures.process(id)
        first = whole(id)
        pictures.process(id)
        pictures.process(id + 1)
        assert whole(id) == first
    assert first["state"] == "ready"


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are those of Linux")
def test_the_program_gets_so_much_memory_and_no_more(app, keep, monkeypatch, tmp_path):
    greedy = tmp_path / "greedy.py"
    words = drawing.__file__
    greedy.write_text(
        f"import runpy\nmade = runpy.run_path({words!r})\nmade['limit']()\nbytes(3 * 2**30)\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(pictures, "PROGRAM", greedy)
    with app.app_context():
        id = keep(picture())
        pictures.process(id)
        state = whole(id)
    assert (state["state"], "memory" in state["fault"]) == ("given_up", True)


def test_what_took_too_long_can_be_drawn_again(app, keep, monkeypatch, tmp_path):
    slow = tmp_path / "slow.py"
    slow.write_text("import time\ntime.sleep(30)\n", encoding="utf-8")
    id = keep(picture(200, 100))
    with app.app_context():
        with monkeypatch.context() as patched:
            patched.setattr(pictures, "PROGRAM", slow)
            patched.setattr(pictures, "SECONDS", 1)
            pictures.process(id)
        state = whole(id)
        said = "Drawing it took more than 1 seconds."
        assert (state["state"], state["fault"]) == ("given_up", said)
        act(MEDIA, SYSTEM, id, "draw_again")
        work_off()
        state = whole(id)
    assert (state["state"], state["fault"], list(state["variants"])) == ("ready", None, ["160"])
    assert not [name for name in files(app) if name == ORIGINAL + state["url"].rpartition("/")[2]]


def test_what_is_too_large_says_how_much_may_be(app, keep, monkeypatch, tmp_path):
    strict = tmp_path / "strict.py"
    strict.write_text(
        f"import runpy\nmade = runpy.run_path({drawing.__file__!r})\n"
        "made['main'].__globals__['MAX_PIXELS'] = 5\nmade['main']()\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(pictures, "PROGRAM", strict)
    with app.app_context():
        id = keep(picture())
        pictures.process(id)
        assert whole(id)["fault"] == "It has more than 5 pixels."


def test_a_file_that_is_gone_says_so(app, keep):
    id = keep(picture())
    with app.app_context():
        blobs().delete(ORIGINAL + whole(id)["url"].rpartition("/")[2])
        pictures.process(id)
        assert (whole(id)["state"], whole(id)["fault"]) == ("broken", pictures.LOST)


def test_program_and_caller_mean_the_same():
    assert (drawing.DAMAGED, drawing.UNFIT) == (pictures.DAMAGED, pictures.UNFIT)


def test_a_record_that_is_deleted_meanwhile_leaves_no_file(app, keep, monkeypatch):
    before, id = files(app), keep(picture(200, 100))
    drawn = pictures._drawn

    def deleting(*args):
        made = drawn(*args)
        delete(MEDIA, SYSTEM, id)
        return made

    monkeypatch.setattr(pictures, "_drawn", deleting)
    with app.app_context():
        pictures.process(id)
    assert files(app) == before

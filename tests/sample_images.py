"""Files for tests: images with and without metadata, and files that only look like images."""

import io
import itertools
import struct
import zlib
from pathlib import Path

from PIL import ExifTags, Image
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from quire.actor import SYSTEM
from quire.declare.query import Query
from quire.records import MEDIA
from quire.store.files.local import incoming_dir
from quire.store.files.receive import receive
from quire.store.read import get_record

_numbers = itertools.count(1)


def picture(width=40, height=30, format="PNG", **more):
    """Return the bytes of an image that no other call returns."""
    number = next(_numbers)
    colour = (number % 256, number // 256 % 256, 7)
    image = Image.new("RGB", (width, height), colour)
    out = io.BytesIO()
    image.save(out, format, **more)
    return out.getvalue()


def photo(width=4000, height=3000, orientation=6):
    """Return a JPEG as phones make them: noisy, rotated, and with the location in its metadata."""
    noise = Image.effect_noise((width // 8, height // 8), 60).resize((width, height))
    image = Image.merge("RGB", (noise, noise.point(lambda v: 255 - v), noise))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.Artist] = "canary-artist"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (52.0, 31.0, 12.0)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=92, exif=exif, comment=b"canary-comment")
    return out.getvalue()


def form(content, name="picture.png", **more):
    """Return the form that uploads `content`."""
    return {"file": (io.BytesIO(content), name), **more}


def encoded_form(content, name="x.pdf", **fields):
    """Return the same form as bytes with its type: the test client would write a large one to the disk."""
    boundary, body = encode_multipart({**fields, "file": FileStorage(io.BytesIO(content), name)})
    return {"data": body, "content_type": f"multipart/form-data; boundary={boundary}"}


def opened(content):
    """Return the image in `content`."""
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


def keep():
    """Create an upload for the store in an application context; its file is deleted at the end of the block."""
    return receive(io.BytesIO(picture()), "picture.png")


def whole(id):
    """Return all fields of a file, including rarely read ones."""
    return get_record(MEDIA, SYSTEM, id, Query(fields=MEDIA.field_names))


def files(app):
    """Return the names of all files in the store of uploads."""
    root = Path(app.config["QUIRE_INSTANCE"]) / "uploads"
    with app.app_context():
        incoming_dir()
    return sorted(path.name for path in root.rglob("*") if path.is_file())


def png_chunk(kind, data):
    """Return a chunk of a PNG, with its checksum."""
    checksum = struct.pack(">I", zlib.crc32(kind + data))
    return struct.pack(">I", len(data)) + kind + data + checksum


def png(head, more, pixels=b""):
    """Return a PNG of the chunk IHDR with `head`, the chunks `more` and compressed `pixels`."""
    parts = (png_chunk(b"IHDR", head), more, png_chunk(b"IDAT", pixels), png_chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)

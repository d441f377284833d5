"""Files from /uploads/: cached, in parts, never executed; names lead nowhere else."""

import io
import os
from pathlib import Path

import pytest

from quire.actor import SYSTEM
from quire.records import orphaned_files
from quire.records.media import upload
from quire.site import uploads
from quire.store.db import transaction
from quire.store.files.receive import receive
from tests.sample_images import opened, photo, picture


@pytest.fixture
def put(app):
    """`put(content)`: the address of an upload."""

    def kept(content, name="x.png"):
        with app.app_context(), receive(io.BytesIO(content), name) as file:
            return upload(SYSTEM, file, {}).state["url"]

    return kept


def test_image_is_available_immediately_processed_and_cached_for_a_minute(client, put):
    address = put(photo(800, 600))
    answer = client.get(address)
    assert (answer.status_code, answer.mimetype) == (200, "image/jpeg")
    assert b"canary" not in answer.data and opened(answer.data).size == (600, 800)
    headers = answer.headers
    assert headers["Cache-Control"] == "public, max-age=60"
    small = client.get(address.replace(".jpg", "-160.webp")).headers
    assert small["Cache-Control"] == "public, max-age=31536000, immutable"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in headers["Content-Security-Policy"]
    assert "Set-Cookie" not in headers
    assert not headers.get("Content-Disposition", "").startswith("attachment")


def test_revalidation_and_ranges(client, put):
    address = put(picture(300, 200))
    whole = client.get(address)
    etag = whole.headers["ETag"]
    assert client.get(address, headers={"If-None-Match": etag}).status_code == 304
    part = client.get(address, headers={"Range": "bytes=2-9", "If-Range": etag})
    assert (part.status_code, part.data) == (206, whole.data[2:10])
    assert part.headers["Content-Range"] == f"bytes 2-9/{len(whole.data)}"
    beyond = client.get(address, headers={"Range": "bytes=999999-"})
    assert (beyond.status_code, beyond.headers["Cache-Control"]) == (416, "no-cache")
    small = client.get(address.replace(".png", "-160.png"))
    # caches that do not know max-age use Expires
    assert not any("Expires" in one.headers for one in (whole, part, beyond, small))
    head = client.head(address)
    assert (head.status_code, head.data, head.content_length) == (200, b"", len(whole.data))


PARTS = {
    "bytes=0-0": (206, slice(0, 1)),
    "bytes=10-": (206, slice(10, None)),
    "bytes=10-99999999": (206, slice(10, None)),
    "Bytes=2-9": (206, slice(2, 10)),
    "bytes=-5": (206, slice(-5, None)),
    # RFC 9110, 14.1.2: a suffix longer than the file means all of it
    "bytes=-99999999": (200, slice(None)),
    # 14.2: many ranges, other units and invalid ranges may or must be ignored
    "bytes=0-1,4-5": (200, slice(None)),
    "bytes=0-9,5-14": (200, slice(None)),
    "bytes=0-1,-2": (200, slice(None)),
    "bytes=" + ",".join(f"{n}-{n}" for n in range(300)): (200, slice(None)),
    "bytes=0-,": (200, slice(None)),
    "bytes=9-2": (200, slice(None)),
    "bytes=x-y": (200, slice(None)),
    "bytes=" + "9" * 4000 + "-": (200, slice(None)),
    "bytes": (200, slice(None)),
    "lines=0-1": (200, slice(None)),
    # 15.5.17
    "bytes=99999999-": (416, slice(0, 0)),
    "bytes=-0": (416, slice(0, 0)),
}


@pytest.mark.parametrize("wanted", list(PARTS), ids=lambda wanted: wanted[:20])
def test_each_range_request_has_a_valid_response(client, put, wanted):
    address = put(picture(300, 200))
    whole = client.get(address).data
    status, part = PARTS[wanted]
    answer = client.get(address, headers={"Range": wanted})
    assert (answer.status_code, answer.data) == (status, whole[part])
    assert ("Content-Range" in answer.headers) == (status in (206, 416))
    assert answer.content_length == len(answer.data)
    asset = client.get("/static/site.css", headers={"Range": wanted})
    assert asset.status_code == status


def test_conditional_range_requests(client, put):
    address = put(picture(300, 200))
    etag = client.get(address).headers["ETag"]
    for other in ('"another"', f"W/{etag}", "Mon, 01 Jan 2001 00:00:00 GMT", "nonsense"):
        answer = client.get(address, headers={"Range": "bytes=2-9", "If-Range": other})
        assert answer.status_code == 200, other
    known = {"Range": "bytes=2-9", "If-None-Match": etag}
    assert client.get(address, headers=known).status_code == 304
    head = client.head(address, headers={"Range": "bytes=2-9"})
    assert (head.status_code, "Content-Range" in head.headers) == (200, False)


def test_variant_larger_than_the_image_is_the_image_itself(client, put):
    address = put(picture(100, 50))
    stem = address.rpartition(".")[0]
    answer = client.get(f"{stem}-160.webp")
    assert (answer.status_code, answer.mimetype) == (200, "image/png")
    assert opened(answer.data).size == (100, 50)
    assert client.get(f"{stem}.webp").status_code == 404


@pytest.mark.parametrize("name", [
    "CON", "NUL.txt", "CON::$DATA", "..", "..%2f..%2fsecret_key", "..%5c..%5csecret_key", "%00",
    "a%00.png", "original-{name}", "incoming", "originals%2foriginal-{name}", "{stem}.html",
    "{stem}.svg", "{stem}.png.html", "{stem}.PNG", "{stem}", "x" * 300, "{stem}-1.png%0d%0a",
    "%C3%A9.png", "{stem}-99999.png.",
])  # fmt: skip
def test_invalid_names_are_404(client, put, name):
    address = put(picture())
    full = address.rpartition("/")[2]
    path = f"/uploads/{name.format(name=full, stem=full.partition('.')[0])}"
    answer = client.get(path)
    assert answer.status_code == 404
    assert "text/html" in answer.content_type


def test_polyglot_file_is_served_as_an_image_only(client, put):
    page = b"<script>alert(1)</script>"
    for content in (
        picture(format="GIF") + b"PK\x03\x04jar;",
        photo(200, 100) + page + b"\xff\xd9",
    ):
        answer = client.get(put(content))
        assert answer.status_code == 200
        assert page not in answer.data and b"PK\x03\x04" not in answer.data


def test_only_one_image_is_processed_at_a_time(client, put):
    address = put(picture())
    with uploads._drawing:
        busy = client.get(address)
    assert (busy.status_code, busy.headers["Retry-After"]) == (503, "1")
    assert client.get(address).status_code == 200


def test_no_file_is_kept_after_a_rollback(app):
    root = Path(app.config["QUIRE_INSTANCE"]) / "uploads"
    before = sorted(root.rglob("*.*"))
    with app.app_context(), pytest.raises(ZeroDivisionError), transaction():
        with receive(io.BytesIO(picture()), "x") as file:
            upload(SYSTEM, file, {})
        raise ZeroDivisionError
    assert sorted(root.rglob("*.*")) == before


def test_files_left_by_a_crash_are_deleted_after_a_day(app, client, put):
    kept, root = put(picture(200, 100)), Path(app.config["QUIRE_INSTANCE"]) / "uploads"
    assert client.get(kept).status_code == 200
    stray, young = "0" * 32 + "-12345678", "0" * 32 + "-87654321"
    drawn = root / "originals" / f"original-{kept.rpartition('/')[2]}"
    waiting = root / "originals" / f"original-{put(picture()).rpartition('/')[2]}"
    gone = [
        root / "incoming" / "x.part",
        root / "incoming" / "tmp.drawing" / "original-",
        root / "00" / f"{stray}-160.webp",
        root / "originals" / f"original-{stray}.png",
        drawn,
    ]
    stays = root / "00" / f"{young}.png"
    for path in (*gone, stays):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    for path in root.rglob("*.*"):
        if young not in path.name:
            os.utime(path, (1_000_000, 1_000_000))
    with app.app_context():
        assert orphaned_files.delete_orphans() >= 5
    assert not [path for path in gone if path.exists()]
    assert stays.exists() and waiting.exists() and client.get(kept).status_code == 200
    stays.unlink()

"""Images in archives: our own renderings arrive byte for byte, all others are rendered again."""

import io
import zipfile
from pathlib import Path

import pytest

from quire.actor import SYSTEM
from quire.declare.query import Query
from quire.exchange.archive import merge
from quire.jobs.images.process import process_media
from quire.records import MEDIA
from quire.records.media import upload
from quire.records.media_files import stored_name
from quire.records.media_replacement import replace_file
from quire.store import read
from quire.store.files.receive import receive
from quire.store.write import delete
from tests.exchange.archive import archives
from tests.sample_images import opened, photo, picture, whole

SUFFIXES = {"JPEG": "jpg", "PNG": "png", "GIF": "gif", "WEBP": "webp"}


def drawn(content):
    """Return the id of an image that was uploaded and processed."""
    with receive(io.BytesIO(content), "picture") as file:
        id = upload(SYSTEM, file, {}).id
    process_media(id)
    return id


@pytest.fixture
def image_archive(site, tmp_path):
    """An archive of a photo, an image of each format, a small one and a document."""
    contents = [photo(800, 600), *(picture(700, 300, format) for format in SUFFIXES)]
    for content in (*contents, picture(30, 20, "JPEG"), b"%PDF-1.7\n"):
        drawn(content)
    path = tmp_path / "all.zip"
    path.write_bytes(archives.packed())
    return path


def files_in(path):
    with zipfile.ZipFile(path) as zip:
        return {name: zip.read(name) for name in zip.namelist() if name.startswith("files/")}


def records_in(path):
    return archives.contents(path.read_bytes())["records/media.ndjson"]


def stored(app):
    """Return the files of an installation that can be fetched, by name."""
    root = Path(app.config["QUIRE_INSTANCE"]) / "uploads"
    return {f"files/{path.name}": path.read_bytes() for path in root.rglob("*.*")}


def test_processed_images_arrive_byte_for_byte(image_archive, elsewhere, tmp_path):
    before = files_in(image_archive)
    report = merge.load(image_archive)
    assert report.skipped == 0, str(report)
    assert stored(elsewhere) == before
    back = tmp_path / "back.zip"
    back.write_bytes(archives.packed())
    assert files_in(back) == before
    assert records_in(back) == records_in(image_archive)
    assert {line["state"] for line in records_in(image_archive)} == {"ready"}
    assert set(merge.load(image_archive).counts) == set(merge.load(back).counts) == {"unchanged"}
    assert stored(elsewhere) == before


def test_replaced_file_arrives_at_its_first_url(site, elsewhere, tmp_path):
    paths = [tmp_path / name for name in ("first.zip", "second.zip", "third.zip")]
    with site.app_context():
        id = drawn(picture(700, 300))
        url = read.get_record(MEDIA, SYSTEM, id)["url"]
        paths[0].write_bytes(archives.packed())
        for path, width in ((paths[1], 200), (paths[2], 300)):
            with receive(io.BytesIO(picture(width, 100)), "new.png") as file:
                replace_file(SYSTEM, id, file)
            process_media(id)
            path.write_bytes(archives.packed())
    for path, width in zip(paths, (700, 200, 300), strict=True):
        report = merge.load(path)
        assert report.skipped == 0 and set(report.counts) <= {"created", "updated", "unchanged"}
        there = read.list_records(MEDIA, SYSTEM, Query()).rows
        assert [(one["url"], one["width"]) for one in there] == [(url, width)]
        process_media(there[0]["id"])
        name = stored_name(url, there[0]["sha256"])
        assert opened(stored(elsewhere)[f"files/{name}"]).size[0] == width
    fresh = merge.load(paths[2])
    assert set(fresh.counts) == {"unchanged"}


def without(lines, files):
    return [{n: v for n, v in one.items() if n != "variants"} for one in lines], files


def of_another_state(lines, files):
    return [one | {"state": "given_up"} for one in lines], files


def of_another_name(lines, files):
    for one in lines:
        for variant in one["variants"].values():
            variant["url"] = variant["url"].replace("/uploads/", "/uploads/../")
    return lines, files


def of_another_size(lines, files):
    for one in lines:
        for variant in one["variants"].values():
            variant["width"] += 1
    return lines, files


def without_variants(lines, files):
    return lines, {name: data for name, data in files.items() if name.count("-") == 1}


def with_pages(lines, files):
    page = b"<script>alert(1)</script>"
    return lines, {n: page if n.count("-") > 1 else data for n, data in files.items()}


def cut_off(lines, files):
    return lines, {n: data[:-40] if n.count("-") > 1 else data for n, data in files.items()}


FORGERIES = (
    without, of_another_state, of_another_name, of_another_size, without_variants, with_pages, cut_off
)  # fmt: skip


def test_incomplete_or_damaged_images_are_processed_again(site, elsewhere, tmp_path):
    path = tmp_path / "all.zip"
    with site.app_context():
        url = whole(drawn(picture(700, 300, "JPEG")))["url"]
        path.write_bytes(archives.packed())
    whole_archive = path.read_bytes()
    for forge in FORGERIES:
        path.write_bytes(whole_archive)
        lines, files = forge(records_in(path), files_in(path))
        content = {"records/media.ndjson": lines, **files}
        merge.load(archives.forged(path, content, {"place": forge.__name__}))
        state = whole(read.find_id(MEDIA, SYSTEM, url=url))
        assert (state["state"], state["variants"]) == ("pending", {}), forge
        delete(MEDIA, SYSTEM, state["id"])

"""Damaged or malicious archives: each results in one clear line, and nothing is written."""

import json
import zipfile

import pytest
from sqlalchemy import func, select

from quire.actor import SYSTEM
from quire.exchange.archive import merge, validate
from quire.records import AUDIT_EVENTS, TAGS, USERS
from quire.store import read
from quire.store.db import read_connection
from quire.store.files import checked_zip
from tests.exchange.archive import archives

TAG = {"id": 3, "name": "Ice", "slug": "ice", "description": "", "version": 1,
       "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z"}  # fmt: skip


@pytest.fixture
def refused(site, tmp_path):
    """`refused(bytes or None)`: the message for a file that is refused as a whole."""

    def load(data=None):
        file = tmp_path / "bad.zip"
        if data is not None:
            file.write_bytes(data)
        with read_connection() as connection:
            count = select(func.count()).select_from(AUDIT_EVENTS.table)
            before = connection.execute(count).scalar()
        report = merge.load(file)
        assert not report.has_content and len(report.lines) == 1, str(report)
        with read_connection() as connection:
            assert connection.execute(count).scalar() == before
        return report.lines[0].words

    load.file = tmp_path / "bad.zip"
    return load


@pytest.fixture
def loaded(site, tmp_path):
    """`loaded({"records/tags.ndjson": [...]})`: the report on an archive made by hand."""

    def load(files, **facts):
        return merge.load(archives.forged(tmp_path / "made.zip", files, facts))

    return load


def test_file_that_is_not_a_zip(refused):
    assert "is not a valid ZIP file" in refused(b"")
    assert "is not a valid ZIP file" in refused(b"id,title\n1,x\n" * 100)


def test_truncated_file(refused, people):
    archives.fill(people)
    data = archives.packed()
    for part in (1, 2, 3, 9):
        assert "is not a valid ZIP file" in refused(data[: len(data) * part // 10])
    assert "is not a valid ZIP file" in refused(data[:-1])


def test_changed_byte(refused, people):
    archives.fill(people)
    data = bytearray(archives.packed())
    place = data.index(b"records/posts.ndjson") + 200
    data[place] ^= 0xFF
    assert "damaged" in refused(bytes(data))


def test_changed_record(refused):
    archives.forged(refused.file, {"records/tags.ndjson": [TAG]})
    with zipfile.ZipFile(refused.file) as zip:
        files = {name: zip.read(name) for name in zip.namelist()}
    with zipfile.ZipFile(refused.file, "w") as zip:
        for name, data in files.items():
            zip.writestr(name, data.replace(b"Ice", b"Sun"))
    assert "its hash does not match" in refused()


@pytest.mark.parametrize(
    "name",
    ["../evil", "/etc/passwd", "records/../../x.ndjson", "records\\x.ndjson", "C:/x", "records/CON",
     "files/../x", "records/tags.ndjson/"],
)  # fmt: skip
def test_paths_outside_the_archive_are_refused(refused, name):
    archives.forged(refused.file, {name: b"x"})
    assert "which is not part of a Quire export" in refused()


def test_zip_bombs_are_refused(refused):
    archives.forged(refused.file, {"records/tags.ndjson": b"0" * 12_000_000})
    assert "too large for its compressed size" in refused()


@pytest.mark.parametrize(
    ("module", "name", "limit"),
    [(checked_zip, "MAX_FILES", 1), (validate, "MAX_BYTES", 100)],
    ids=["files", "bytes"],
)
def test_too_many_files_or_bytes_are_refused(refused, monkeypatch, module, name, limit):
    monkeypatch.setattr(module, name, limit)
    archives.forged(refused.file, {"records/tags.ndjson": [TAG] * 9})
    assert "more than" in refused()


def test_oversized_directory_is_refused(refused, monkeypatch):
    monkeypatch.setattr(checked_zip, "SMALL_DIRECTORY", 10_000)
    with zipfile.ZipFile(refused.file, "w") as zip:
        for number in range(1000):
            zip.writestr(f"files/{number}", b"")
    assert "has a table of contents of" in refused()


def test_duplicate_names_are_refused(refused):
    archives.forged(refused.file, {"records/tags.ndjson": [TAG]})
    with zipfile.ZipFile(refused.file, "a") as zip, pytest.warns(UserWarning, match="Duplicate"):
        zip.writestr("records/tags.ndjson", b"{}")
    assert "twice" in refused()


def test_encrypted_zip_is_refused(refused):
    archives.forged(refused.file, {"records/tags.ndjson": [TAG]})
    data = bytearray(refused.file.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + offset] |= 1
    assert "encrypted" in refused(bytes(data))


def test_unknown_compression_is_refused(refused):
    with zipfile.ZipFile(refused.file, "w", zipfile.ZIP_LZMA) as zip:
        zip.writestr("manifest.json", "{}")
    assert "with an unsupported compression method" in refused()


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"format": "ghost"}, "is not a Quire export"),
        ({"format_version": 2}, "newer version of Quire (format 2; this version reads 1)"),
        ({"format_version": None}, "newer version of Quire"),
        ({"place": 5}, "cannot be read"),
        ({"files": {}}, "cannot be read"),
        ({"files": []}, "does not match its manifest"),
        ({"files": [{"name": "records/tags.ndjson", "sha256": "x"}] * 2}, "does not match"),
    ],
)
def test_manifests(refused, facts, words):
    archives.forged(refused.file, {"records/tags.ndjson": [TAG]}, facts)
    assert words in refused()


def test_missing_manifest_is_refused(refused):
    with zipfile.ZipFile(refused.file, "w") as zip:
        zip.writestr("records/tags.ndjson", "{}")
    assert "it has no manifest.json" in refused()
    with zipfile.ZipFile(refused.file, "w") as zip:
        zip.writestr("manifest.json", "{")
    assert "cannot be read" in refused()


def test_invalid_lines_are_named_and_stop_nothing_else(loaded):
    lines = [
        b"{", b"[1]", b'{"id":true}', b'{"id":1,"name":5,"slug":"a"}',
        b'{"id":2,"name":"x","slug":"../x"}', json.dumps(TAG).encode(), b'{"id":9,"nam": "Y"}',
        b"[" * 100_000,
    ]  # fmt: skip
    report = loaded({"records/tags.ndjson": b"\n".join(lines)})
    assert report.counts["created"] == 1 and report.skipped == 7
    said = [line.source + ": " + line.words for line in report.lines if line.words]
    assert said[0] == "tags, line 1: is not valid JSON (unexpected end of data)"
    assert "tags, line 4: Name must be text" in said
    assert read.find_id(TAGS, SYSTEM, name="Ice")


def test_oversized_lines_are_refused(loaded, monkeypatch):
    monkeypatch.setattr(validate, "MAX_OF_LINE", 300)
    long = {**TAG, "id": 4, "description": "x" * 900}
    report = loaded({"records/tags.ndjson": [long, TAG]})
    assert "longer than" in str(report) and report.created == 1


@pytest.mark.parametrize("value", [{}, [], 1])
def test_lines_with_too_many_values_are_refused(loaded, monkeypatch, value):
    monkeypatch.setattr(validate, "MAX_VALUES", 100)
    report = loaded({"records/tags.ndjson": [TAG, {"a": [value] * 100}]})
    assert "line 2: has too many values" in str(report)


def test_invalid_revisions_are_reported(loaded):
    past = [
        {"record_id": 3, "version": 1, "action": 5, "created_at": "x", "data": []},
        {"record_id": "3", "version": 1},
        {"record_id": 3, "version": 1, "action": "create", "created_at": "2026-01-01",
         "data": {"name": {"a": 1}, "slug": "then", "odd": 1}, "actor": {"id": "1"}},
        {"record_id": 3, "version": 99, "action": "x", "created_at": "2026-01-01", "data": {}},
    ]  # fmt: skip
    report = loaded({"records/tags.ndjson": [TAG], "revisions/tags.ndjson": past})
    assert report.created == 1
    kept = archives.contents(archives.packed())["revisions/tags.ndjson"]
    assert [one["data"] for one in kept] == [{"name": None, "slug": "then", "description": ""}]


def test_dangling_references_are_reported(loaded):
    post = {"id": 1, "title": "T", "slug": "t", "body": "x", "created_at": "2026-01-01T00:00:00Z",
            "published_at": None, "author": {"id": 77}}  # fmt: skip
    report = loaded({"records/posts.ndjson": [post]})
    assert "its author is not here" in str(report)
    user = {"id": 77, "username": "new", "role": "author", "created_at": "2026-01-01T00:00:00Z"}
    posts = [post | {"category": {"id": 5}, "tags": [{"id": 8}]}]
    report = loaded({"records/users.ndjson": [user], "records/posts.ndjson": posts})
    assert report.created == 2
    assert "its category is not here; its tags are not all here" in str(report)


def test_invalid_hashes_are_refused(loaded, rows):
    user = {"id": 7, "username": "new", "created_at": "2026-01-01T00:00:00Z", "password": "plain"}
    assert loaded({"records/users.ndjson": [user]}, passwords=True).created == 1
    assert rows("SELECT password FROM users WHERE username = 'new'") == [{"password": None}]
    assert read.find_id(USERS, SYSTEM, username="new")

"""An unusable archive changes nothing, prints one clear line and exits with status 1."""

import hashlib
import json
import random
import warnings
import zipfile

import pytest

from quire.backup.read import open_backup
from quire.backup.write import make_backup
from quire.config.validation import StartupError
from tests.backup.conftest import fill, opened, tree
from tests.cli.conftest import settle

NAME = "files/" + "0" * 32 + "-00000000.pdf"


def members(archive):
    """Return the members of an archive and their content."""
    with zipfile.ZipFile(archive) as zip:
        return {name: zip.read(name) for name in zip.namelist()}


def written(archive, content, manifest=None, listed=True):
    """Write an archive with that content; its manifest lists all members, with changes."""
    facts = json.loads(content["manifest.json"]) | (manifest or {})
    if listed:
        facts["files"] = [
            {"name": name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in content.items()
            if name != "manifest.json"
        ]
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zip:
        for name, data in content.items():
            zip.writestr(name, json.dumps(facts) if name == "manifest.json" else data)


def cut(archive):
    archive.write_bytes(archive.read_bytes()[:-500])


def foreign(archive):
    with zipfile.ZipFile(archive, "w") as zip:
        zip.writestr("holiday.jpg", b"a picture")


def no_zip(archive):
    archive.write_bytes(b"SQLite format 3\0" + bytes(5000))


def damaged(archive):
    data = bytearray(archive.read_bytes())
    for place in range(2000, 2064):
        data[place] ^= 0xFF
    archive.write_bytes(data)


def escaping(archive):
    written(archive, members(archive) | {"files/../../quire.db": b"x"})


def twice(archive):
    with warnings.catch_warnings(), zipfile.ZipFile(archive, "a") as zip:
        warnings.simplefilter("ignore")
        zip.writestr("database.sqlite", b"another")


def unlisted(archive):
    with zipfile.ZipFile(archive, "a") as zip:
        zip.writestr(NAME, b"x")


def exchanged(archive):
    content = members(archive)
    file = next(name for name in content if name.startswith("files/"))
    written(archive, content | {file: b"another"}, listed=False)


def bomb(archive):
    written(archive, members(archive) | {NAME: bytes(30_000_000)})


def larger_database(archive):
    data = members(archive)["database.sqlite"]
    written(archive, members(archive) | {"database.sqlite": data + bytes(30_000_000)})


def other_rows(archive):
    written(archive, members(archive), {"tables": {"posts": 7}})


def damaged_database(archive):
    data = bytearray(members(archive)["database.sqlite"])
    data[8192:16384] = random.Random(1).randbytes(8192)
    written(archive, members(archive) | {"database.sqlite": bytes(data)})


def without_head(archive):
    written(archive, members(archive) | {"database.sqlite": b"no database at all" * 100})


def newer_schema(archive):
    written(archive, members(archive), {"revision": "ffffffffffff"})


def newer_format(archive):
    written(archive, members(archive), {"format_version": 2})


def other_engine(archive):
    content = members(archive)
    content["database.pgdump"] = b"PGDMP" + content.pop("database.sqlite")
    written(archive, content, {"engine": "postgresql"})


def odd_manifest(archive):
    written(archive, members(archive), {"tables": ["posts"]})


def no_manifest(archive):
    content = members(archive)
    with zipfile.ZipFile(archive, "w") as zip:
        zip.writestr("database.sqlite", content["database.sqlite"])


WORDS = {
    cut: "is not a valid ZIP file",
    foreign: "contains 'holiday.jpg', which is not part of a Quire backup.",
    no_zip: "is not a valid ZIP file",
    damaged: "database.sqlite",
    escaping: "contains 'files/../../quire.db', which is not part of a Quire backup.",
    twice: "contains database.sqlite twice.",
    unlisted: f"does not match its manifest ({NAME}).",
    exchanged: "has been changed or damaged: its hash does not match.",
    bomb: "which decompresses to 30,000,000 bytes, too large for its compressed size.",
    larger_database: "contains database.sqlite, which is not complete.",
    other_rows: "The database in the backup has other rows than its manifest says.",
    damaged_database: "The database is damaged",
    without_head: "contains database.sqlite, which is not a database.",
    newer_schema: "with a newer schema (ffffffffffff). Install that version first.",
    newer_format: "was made by a newer version of Quire (format 2; this version reads 1).",
    other_engine: "To move between them: manage.py export there, and manage.py import json here.",
    odd_manifest: "has a manifest.json that cannot be read.",
    no_manifest: "is not a Quire backup: it has no manifest.json.",
}


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """The bytes of a backup of a small installation."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        folder = tmp_path_factory.mktemp("sample")
        settle(monkeypatch, folder / "instance")
        with opened():
            fill()
            make_backup(folder / "backup.zip", None, lambda *_: None)
        return (folder / "backup.zip").read_bytes()


@pytest.mark.parametrize("spoil", WORDS, ids=lambda one: one.__name__)
def test_refused_archive_is_explained_and_changes_nothing(
    spoil, sample, console, instance, tmp_path
):
    archive = tmp_path / "backup.zip"
    archive.write_bytes(sample)
    spoil(archive)
    before = tree(instance)
    status, output, errors = console("restore", archive, "--yes")
    assert (status, output) == (1, "")
    assert errors.startswith("Error: ") and errors.count("\n") == 1
    assert WORDS[spoil] in errors
    assert tree(instance) == before


def test_damaged_zip_directory_never_ends_in_a_traceback(sample, instance):
    """A ZIP file with any change in its directory is refused, or read unchanged."""
    chance = random.Random(7)
    with opened():
        for _ in range(150):
            data = bytearray(sample)
            for _ in range(chance.randint(1, 3)):
                data[-chance.randint(1, 700)] = chance.randrange(256)
            path = instance / "spoilt.zip"
            path.write_bytes(data)
            try:
                with open_backup(path, instance, str, lambda *_: None):
                    pass
            except StartupError as error:
                assert "\n" not in str(error)

"""Files in a bucket are backed up, and restored to the bucket."""

import pytest

from tests.backup.conftest import PDF, content_of, fill, opened
from tests.s3_server import Store

pytestmark = pytest.mark.slow


@pytest.fixture
def store(instance, monkeypatch):
    """A bucket named by the settings, with a file of the installation."""
    made = Store()
    made.clear()  # all stores of a process share their content
    for name, value in made.settings().items():
        monkeypatch.setenv(name, value)
    with opened():
        made.url = fill()["url"]
    yield made
    made.stop()


@pytest.fixture
def archive(store, console, tmp_path):
    """A backup of it."""
    path = tmp_path / "backup.zip"
    status, output, errors = console("backup", path)
    assert (status, errors) == (0, "") and "1 files" in output
    return path


def test_restore_puts_files_into_the_bucket(store, archive, console):
    names = store.names()
    assert names
    store.clear()
    assert console("backup", "--verify", archive)[0] == 0
    assert store.names() == []
    status, output, errors = console("restore", archive, "--yes")
    assert (status, errors) == (0, "") and "1 files added" in output
    assert set(names) <= set(store.names())
    with opened():
        assert content_of(store.url) == PDF


def test_restore_without_a_bucket_puts_files_into_the_folder(store, archive, console, monkeypatch):
    store.clear()
    for name in store.settings():
        monkeypatch.delenv(name)
    assert console("restore", archive, "--yes")[0] == 0
    with opened():
        assert content_of(store.url) == PDF
    assert store.names() == []


def test_backup_names_files_missing_from_the_bucket(store, console, tmp_path):
    name = store.url.rpartition("/")[2]
    store.clear()
    status, _, errors = console("backup", tmp_path / "backup.zip")
    assert status == 0
    assert errors == f"Warning: {name} is missing: the database refers to it.\n"


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_unreachable_bucket_stops_backup_and_restore(
    store, archive, console, monkeypatch, tmp_path, command
):
    database = (console.instance / "quire.db").read_bytes()
    monkeypatch.setenv("S3_ENDPOINT", "http://127.0.0.1:9")
    words = (
        ["restore", archive, "--yes"] if command == "restore" else ["backup", tmp_path / "new.zip"]
    )
    status, _, errors = console(*words)
    assert status == 1 and errors.count("\n") == 1 and "is not responding" in errors
    assert not (tmp_path / "new.zip").exists()
    assert (console.instance / "quire.db").read_bytes() == database

"""A backup holds database and files as they were, and restores them here or elsewhere."""

import json
import os
import stat
import zipfile

import pytest

from quire.actor import SYSTEM
from quire.records import MEDIA, SESSIONS, TAGS
from quire.store.feed_position import current_position
from quire.store.files.storage import file_storage
from quire.store.instance_locks import backing_up, serving
from quire.store.write import create, delete
from tests.backup.conftest import PDF, column, content_of, opened, store_file, tree
from tests.cli.conftest import settle


def test_it_restores_what_there_was_and_keeps_what_it_replaces(filled, archive, console):
    with opened():
        before = current_position()
        (url,) = column(MEDIA.table, "url")
        delete(MEDIA, SYSTEM, 1)
        create(TAGS, SYSTEM, {"name": "after"})
        later = store_file(b"%PDF-1.7\nlater")
    status, output, errors = console("restore", archive, "--yes")
    assert (status, errors) == (0, "")
    with opened():
        assert column(TAGS.table, "name") == ["before"]
        assert column(MEDIA.table, "url") == [url]
        assert content_of(url) == PDF
        assert column(SESSIONS.table, "id") == []
        assert current_position().epoch != before.epoch
    (replaced,) = filled.glob("replaced-*")
    assert str(replaced) in output
    assert later["url"].rpartition("/")[2] in {name.rpartition("/")[2] for name in tree(replaced)}
    with pytest.MonkeyPatch.context() as monkeypatch:  # what was replaced is an installation itself
        settle(monkeypatch, replaced)
        with opened():
            assert column(TAGS.table, "name") == ["before", "after"]


def test_it_restores_on_another_machine(archive, console, monkeypatch, tmp_path):
    settle(monkeypatch, tmp_path / "elsewhere")
    assert console("restore", archive, "--yes")[0] == 0
    with opened():
        assert column(TAGS.table, "name") == ["before"]
        (url,) = column(MEDIA.table, "url")
        assert content_of(url) == PDF


def test_ids_of_sessions_are_not_given_again(archive, console):
    assert console("restore", archive, "--yes")[0] == 0
    with opened():
        assert column(SESSIONS.table, "id") == []
        raw = {"user": 1, "kind": "token", "hash": "x", "created_at": "2026-01-01T00:00:00Z",
               "last_seen_at": "2026-01-01T00:00:00Z", "expires_at": "2036-01-01T00:00:00Z"}  # fmt: skip
        assert create(SESSIONS, SYSTEM, raw).id > 1_000_000


def test_the_archive_says_what_is_in_it(archive):
    if os.name != "nt":
        assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    with zipfile.ZipFile(archive) as zip:
        manifest = json.loads(zip.read("manifest.json"))
    assert (manifest["engine"], manifest["tables"]["tags"], manifest["missing"]) == (
        "sqlite",
        1,
        [],
    )
    assert len(manifest["files"]) == 2


def test_the_newest_backups_are_kept(filled, console, monkeypatch):
    monkeypatch.setenv("BACKUP_KEEP", "2")
    (filled / "backups").mkdir()
    for day in ("01", "02", "03"):
        (filled / "backups" / f"quire-202001{day}-000000.zip").touch()
    (filled / "backups" / "mine.zip").touch()
    (filled / "backups" / "quire-20200104-000000.zip.part").touch()
    status, output, _ = console("backup")
    names = sorted(path.name for path in (filled / "backups").iterdir())
    assert status == 0
    assert names[0] == "mine.zip" and names[1] == "quire-20200103-000000.zip" and len(names) == 3
    assert ":" not in names[2] and names[2] in output


def test_a_missing_file_is_told_and_stops_nothing(filled, console, tmp_path):
    with opened():
        (url,) = column(MEDIA.table, "url")
        file_storage().delete(name := url.rpartition("/")[2])
    status, _, errors = console("backup", tmp_path / "b.zip")
    assert (status, errors) == (0, f"Warning: {name} is missing: the database refers to it.\n")
    assert console("restore", tmp_path / "b.zip", "--yes")[0] == 0


def test_files_stay_while_a_backup_runs(filled):
    with opened():
        (url,) = column(MEDIA.table, "url")
        with backing_up():
            delete(MEDIA, SYSTEM, 1)
        assert file_storage().find(url.rpartition("/")[2]) is not None


def test_nothing_is_restored_under_a_running_server(filled, archive, console):
    before = tree(filled)
    with serving({"QUIRE_INSTANCE": filled}):
        status, _, errors = console("restore", archive, "--yes")
    assert status == 1
    assert errors == (
        "Error: A server or worker of this installation is running. Stop it, then restore.\n"
    )
    assert tree(filled) == before


def test_without_a_database_there_is_nothing_to_back_up(console, monkeypatch, tmp_path):
    settle(monkeypatch, tmp_path / "new")
    assert console("backup") == (
        1, "", "Error: There is no database yet: nothing to back up.\n",
    )  # fmt: skip


def test_no_answer_leaves_all_as_it_is(filled, archive, console):
    before = tree(filled)
    assert console("restore", archive, given="n\n")[0] == 1
    assert tree(filled) == before

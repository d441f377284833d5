"""A backup contains the database and files, and restores them here or on another machine."""

import json
import os
import sqlite3
import stat
import zipfile
from contextlib import closing

import pytest
from sqlalchemy import select

from quire.actor import SYSTEM
from quire.app import create_app
from quire.jobs.webhooks.fan_out import fan_out
from quire.records import DELIVERIES, MEDIA, SESSIONS, TAGS, WEBHOOKS
from quire.store.db import db, read_connection
from quire.store.events.feed_position import current_position
from quire.store.events.outbox import OutboxEvent, enqueue
from quire.store.files.storage import file_storage
from quire.store.instance_locks import backing_up, serving
from quire.store.write import create, delete
from tests.backup.conftest import PDF, column, content_of, opened, store_file, tree
from tests.cli.conftest import settle
from tests.cli.test_installation import add_script, scripts  # noqa: F401


def test_restore_brings_back_the_content_and_keeps_what_it_replaces(filled, archive, console):
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
    with (
        pytest.MonkeyPatch.context() as monkeypatch
    ):  # the replaced content is an installation itself
        settle(monkeypatch, replaced)
        with opened():
            assert column(TAGS.table, "name") == ["before", "after"]


def changes(instance, since=None):
    """Return the response of the change feed of the installation in a folder."""
    settings = {
        "DATABASE_URL": f"sqlite:///{(instance / 'quire.db').as_posix()}",
        "QUIRE_INSTANCE": instance,
    }
    app = create_app("testing", settings)
    answer = app.test_client().get(
        "/api/v1/changes", query_string={"since": since} if since else {}
    )
    with app.app_context():
        db.engine.dispose()
    return answer


def test_restore_expires_cursors_of_the_change_feed(filled, archive, console):
    since = changes(filled).json["next"]
    assert changes(filled, since).status_code == 200
    assert console("restore", archive, "--yes")[0] == 0
    answer = changes(filled, since)
    assert (answer.status_code, answer.json["code"]) == (410, "cursor_expired")
    assert changes(filled).status_code == 200


def test_restore_works_on_another_machine(archive, console, monkeypatch, tmp_path):
    settle(monkeypatch, tmp_path / "elsewhere")
    assert console("restore", archive, "--yes")[0] == 0
    with opened():
        assert column(TAGS.table, "name") == ["before"]
        (url,) = column(MEDIA.table, "url")
        assert content_of(url) == PDF


def test_restore_does_not_reuse_session_ids(archive, console):
    assert console("restore", archive, "--yes")[0] == 0
    with opened():
        assert column(SESSIONS.table, "id") == []
        raw = {"user": 1, "kind": "token", "hash": "x", "created_at": "2026-01-01T00:00:00Z",
               "last_seen_at": "2026-01-01T00:00:00Z", "expires_at": "2036-01-01T00:00:00Z"}  # fmt: skip
        assert create(SESSIONS, SYSTEM, raw).id > 1_000_000


def test_manifest_lists_the_content_of_the_archive(archive):
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


def test_only_the_newest_backups_are_kept(filled, console, monkeypatch):
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


def test_backups_within_one_second_have_different_names(filled, console, stop_clock):
    stop_clock(seconds=0)
    assert [console("backup")[0] for _ in range(3)] == [0, 0, 0]
    names = sorted(path.stem for path in (filled / "backups").glob("*.zip"))
    assert names == [names[0], f"{names[0]}-2", f"{names[0]}-3"]


def test_missing_file_is_a_warning_only(filled, console, tmp_path):
    with opened():
        (url,) = column(MEDIA.table, "url")
        file_storage().delete(name := url.rpartition("/")[2])
    status, _, errors = console("backup", tmp_path / "b.zip")
    assert (status, errors) == (0, f"Warning: {name} is missing: the database refers to it.\n")
    assert console("restore", tmp_path / "b.zip", "--yes")[0] == 0


def test_files_are_not_deleted_while_a_backup_runs(filled):
    with opened():
        (url,) = column(MEDIA.table, "url")
        with backing_up():
            delete(MEDIA, SYSTEM, 1)
        assert file_storage().find(url.rpartition("/")[2]) is not None


def test_restore_is_refused_while_a_server_runs(filled, archive, console):
    before = tree(filled)
    with serving({"QUIRE_INSTANCE": filled}):
        status, _, errors = console("restore", archive, "--yes")
    assert status == 1
    assert errors == (
        "Error: A server or worker of this installation is running. Stop it, then restore.\n"
    )
    assert tree(filled) == before


def test_backup_without_a_database_is_an_error(console, monkeypatch, tmp_path):
    settle(monkeypatch, tmp_path / "new")
    assert console("backup") == (
        1, "", "Error: There is no database yet: nothing to back up.\n",
    )  # fmt: skip


def test_unconfirmed_restore_changes_nothing(filled, archive, console):
    before = tree(filled)
    for given in ("n\n", ""):
        status, _, errors = console("restore", archive, given=given)
        assert (status, "damaged" in errors) == (1, False), errors
        assert errors.endswith("Aborted!\n")
    assert tree(filled) == before


def test_pending_mail_and_webhooks_are_not_sent_after_a_restore(filled, console, tmp_path):
    with opened():
        hook = {"url": "https://hooks.example.org/", "events": ["tags.*"]}
        create(WEBHOOKS, SYSTEM, hook)
        create(TAGS, SYSTEM, {"name": "told"})
        fan_out()
        create(TAGS, SYSTEM, {"name": "not told yet"})
        enqueue("mail.reset", email="ann@example.org")
        enqueue("picture.draw", 7)
    assert console("backup", tmp_path / "b.zip")[0] == 0
    status, output, _ = console("restore", tmp_path / "b.zip", "--yes")
    assert status == 0
    assert (
        "What was waiting to be sent then, by email or to webhooks, is not sent again.\n" in output
    )
    with opened():
        fan_out()
        assert set(column(DELIVERIES.table, "status")) == {"failed"}
        with read_connection() as connection:
            due = select(OutboxEvent.event).where(OutboxEvent.due_at.is_not(None))
            events = set(connection.execute(due).scalars())
        assert "picture.draw" in events and "mail.reset" not in events


def test_backup_of_an_older_version_is_migrated(filled, console, scripts, tmp_path):  # noqa: F811
    assert console("backup", tmp_path / "b.zip")[0] == 0
    add_script(scripts, "newer")
    assert console("backup", "--verify", tmp_path / "b.zip")[0] == 0
    status, _, errors = console("restore", tmp_path / "b.zip", "--yes")
    assert status == 0, errors
    assert console.rows("SELECT version_num FROM alembic_version") == [("newer",)]
    assert console.rows("SELECT name, id FROM tags") == [("before", 1)]


def test_damaged_database_can_be_replaced(filled, archive, console):
    damaged = b"not a database any more" * 1000
    (filled / "quire.db").write_bytes(damaged)
    assert console("restore", archive, "--yes")[0] == 0
    assert console.rows("SELECT name FROM tags") == [("before",)]
    (replaced,) = filled.glob("replaced-*")
    assert (replaced / "quire.db").read_bytes() == damaged


def test_database_in_use_is_not_replaced(filled, archive, console):
    with closing(sqlite3.connect(filled / "quire.db")) as other:
        other.execute("SELECT count(*) FROM tags").fetchone()
        status, _, errors = console("restore", archive, "--yes")
    assert (status, errors) == (
        1, "Error: Another program has the database open. End it, then restore.\n",
    )  # fmt: skip
    assert console.rows("SELECT name FROM tags") == [("before",)]


def test_verify_changes_nothing(filled, archive, console):
    before = tree(filled)
    status, output, errors = console("backup", "--verify", archive)
    assert (status, errors) == (0, "")
    assert output.startswith(f"{archive} is complete: the state of ")
    assert output.endswith(" 1 files.\n")
    assert tree(filled) == before


def test_verify_requires_a_file(console):
    assert console("backup", "--verify")[0] == 2

"""The checks of files: permissions, missing uploads, old or damaged backups, logs."""

import io
import os
import re
from datetime import timedelta

import pytest

from quire.actor import SYSTEM
from quire.backup.folder import FORM, note_verification
from quire.backup.write import make_backup
from quire.checks import files
from quire.declare.clock import now
from quire.records.media import upload
from quire.records.media_files import ADDRESS
from quire.store.files.receive import receive
from quire.store.files.storage import file_storage

PDF = b"%PDF-1.7\n" + b"a small document " * 20
only_posix = pytest.mark.skipif(os.name == "nt", reason="rights of POSIX")


@pytest.fixture
def own(make_app, tmp_path):
    """An application with an instance folder of its own, and its context."""
    app = make_app(QUIRE_INSTANCE=tmp_path)
    tmp_path.chmod(0o700)
    with app.app_context():
        yield app


def test_healthy_instance_passes_all_checks(own):
    for check in ("permissions", "storage", "uploads", "newest_backup", "log"):
        assert getattr(files, f"check_{check}")().status == "ok", check


@only_posix
def test_file_readable_by_others_is_an_error(own, tmp_path):
    path = tmp_path / "secret_key"
    path.write_text("x", encoding="utf-8")
    path.chmod(0o644)
    result = files.check_permissions()
    assert result.status == "error" and str(path) in result.reason and "chmod" in result.action


def test_unusable_uploads_folder_is_an_error(own, tmp_path):
    (tmp_path / "uploads").write_text("no folder", encoding="utf-8")
    assert files.check_storage().status == "error"


def test_missing_file_of_an_upload_is_an_error(own):
    urls = []
    for number in range(3):
        with receive(io.BytesIO(PDF + b"%d" % number), "paper.pdf") as received:
            urls.append(upload(SYSTEM, received, {}).state["url"])
    assert files.check_uploads().reason == "3 of the newest and oldest checked"
    file_storage().delete(urls[1].removeprefix(ADDRESS))
    result = files.check_uploads()
    assert result.status == "error"
    assert result.reason == f"Of 3 uploads checked, 1 have no file, such as {urls[1]}."


def test_check_of_uploads_stops_at_its_time_limit(own, monkeypatch):
    monkeypatch.setattr(files, "LOOK_SECONDS", -1)
    with receive(io.BytesIO(PDF), "paper.pdf") as received:
        upload(SYSTEM, received, {})
    assert files.check_uploads().reason == "0 of the newest and oldest checked"


def old_backup(folder, **age):
    (folder / "backups").mkdir(exist_ok=True)
    path = folder / "backups" / f"quire-{(now() - timedelta(**age)).strftime(FORM)}.zip"
    path.write_bytes(b"no archive")
    return path


@pytest.mark.parametrize(
    ("every", "days", "status"),
    [(0, None, "warning"), (0, 8, "warning"), (0, 1, "ok"), (86400, None, "error"),
     (86400, 3, "error"), (86400, 1, "ok")],
)  # fmt: skip
def test_age_of_the_newest_backup_is_compared_with_the_schedule(own, tmp_path, every, days, status):
    own.config["BACKUP_EVERY"] = every
    if days is not None:
        old_backup(tmp_path, days=days)
    assert files.check_backup_age().status == status


def test_backup_that_is_not_an_archive_is_an_error(own, tmp_path):
    path = old_backup(tmp_path, hours=1)
    result = files.check_newest_backup()
    assert result.status == "error" and path.name in result.reason


def test_damaged_backup_is_an_error(own, tmp_path):
    path = old_backup(tmp_path, hours=1)
    path.unlink()
    make_backup(path, None, lambda done, total: None)
    assert files.check_newest_backup().status == "ok"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    result = files.check_newest_backup()
    assert result.status == "error" and result.action == "Run manage.py backup."


def test_missing_or_wrong_passphrase_is_reported(own, tmp_path, monkeypatch):
    monkeypatch.setattr("quire.backup.age.WORK", 8)
    path = old_backup(tmp_path, hours=1).with_suffix(".zip.age")
    own.config["BACKUP_PASSPHRASE"] = "correct horse battery"
    make_backup(path, "correct horse battery", lambda done, total: None)
    old_backup(tmp_path, hours=1).unlink()
    assert files.check_newest_backup().status == "ok"
    own.config["BACKUP_PASSPHRASE"] = "another one, longer"
    assert files.check_newest_backup().status == "error"
    own.config["BACKUP_PASSPHRASE"] = ""
    assert files.check_newest_backup().status == "warning"


def test_large_backup_is_verified_in_part_with_a_warning(own, tmp_path, monkeypatch):
    path = old_backup(tmp_path, hours=1)
    path.unlink()
    make_backup(path, None, lambda done, total: None)
    monkeypatch.setattr(files, "LOOK_SECONDS", -1)
    before = set(tmp_path.iterdir())
    result = files.check_newest_backup()
    assert result.status == "warning" and result.action.startswith("Run: manage.py backup --verify")
    assert "0 % of it was read here, the rest was not verified. No stored backup" in result.reason
    assert set(tmp_path.iterdir()) == before


@pytest.mark.parametrize(("days", "status"), [(1, "ok"), (40, "warning")])
def test_large_backup_passes_if_another_was_verified_recently(
    own, tmp_path, monkeypatch, days, status
):
    older, newest = old_backup(tmp_path, hours=30), old_backup(tmp_path, hours=1)
    newest.unlink()
    make_backup(newest, None, lambda done, total: None)
    monkeypatch.setattr(files, "LOOK_SECONDS", -1)
    note_verification(older, "")
    at = now() + timedelta(days=days)
    monkeypatch.setattr(files, "now", lambda: at)
    result = files.check_newest_backup()
    assert result.status == status
    ago = "(1 day|24 hours)" if days == 1 else f"{days} days"
    assert re.search(rf"Another one was verified {ago} ago\.$", result.reason)
    note_verification(newest, "")
    result = files.check_newest_backup()
    assert result.status == "ok" and "All of it was verified" in result.reason
    note_verification(newest, "a file is missing.")
    result = files.check_newest_backup()
    assert result.status == "error" and "a file is missing." in result.reason


@pytest.mark.parametrize(
    ("config", "word"),
    [({"LOG_LEVEL": "DEBUG"}, "LOG_LEVEL"), ({"LOG_FILE": "q.log", "LOG_FILE_BYTES": 0}, "LOG_FILE_BYTES")],
)  # fmt: skip
def test_debug_or_unlimited_logs_are_a_warning(own, config, word):
    own.config.update(config)
    result = files.check_log()
    assert result.status == "warning" and word in result.reason

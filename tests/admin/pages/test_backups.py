"""The page of backups: it lists them and creates new ones, for administrators only."""

import errno
import os

import pytest

from quire.backup.folder import delete_old_backups
from quire.backup.write import make_backup
from quire.jobs.worker import run_due_jobs


def test_page_is_for_administrators(browser):
    for name in ("mod", "ann", "bob"):
        assert browser(name).get("backups/").status_code == 403
        assert browser(name).post("backups/make").status_code == 403


def test_job_makes_a_backup_that_is_listed(app, admin, backups):
    assert "There are none yet." in admin.get("backups/").text
    answer = admin.client.post("/admin/backups/make", follow_redirects=True)
    assert "A backup is being made." in answer.text
    with app.app_context():
        run_due_jobs()
    [backup] = backups.iterdir()
    text = admin.get("backups/").text
    assert backup.name in text and "There is no backup yet" not in text
    assert "asked for a backup" in admin.get().text


def no_room(monkeypatch, code):
    """Nothing can be written to the folder of backups."""

    def refuse(*_, **__):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("quire.backup.write.TemporaryDirectory", refuse)
    monkeypatch.setattr("quire.backup.verify.TemporaryDirectory", refuse)


@pytest.mark.parametrize(
    ("code", "what_to_do"),
    [(errno.ENOSPC, "Free some space on its disk"), (errno.EROFS, "Check who owns it")],
)
def test_full_disk_is_reported_with_what_to_do(
    app, admin, backups, monkeypatch, caplog, code, what_to_do
):
    no_room(monkeypatch, code)
    admin.client.post("/admin/backups/make", follow_redirects=True)
    with app.app_context():
        run_due_jobs()
        [line] = [one for one in caplog.records if one.name == "quire.jobs"]
    assert f"{backups} cannot be written ({os.strerror(code)}). {what_to_do}" in line.getMessage()
    assert line.exc_info is None and not list(backups.iterdir())
    assert what_to_do in admin.get("jobs/").text


def test_unverifiable_backup_is_not_called_damaged(
    app, admin, backups, backup_name, monkeypatch, caplog
):
    no_room(monkeypatch, errno.ENOSPC)
    text = verify(app, admin, backup_name)
    assert "Damaged" not in text and "not verified yet" in text
    assert "Free some space" in caplog.text


@pytest.fixture
def backup_name(app, admin, backups):
    """The name of a backup."""
    with app.app_context():
        return make_backup(None, None, lambda *_: None).path.name


def test_backup_download_is_complete_and_audited(admin, backups, backup_name):
    answer = admin.post("backups/download", {"name": backup_name})
    assert answer.data == (backups / backup_name).read_bytes()
    assert backup_name in answer.headers["Content-Disposition"]
    assert "no-store" in answer.headers["Cache-Control"]
    assert "downloaded a backup" in admin.get("audit_events/").text


def verify(app, admin, name):
    answer = admin.post("backups/verify", {"name": name}, follow_redirects=True)
    assert "The backup is being verified." in answer.text
    with app.app_context():
        run_due_jobs()
    return admin.get("backups/").text


def test_job_verifies_a_backup(app, admin, backups, backup_name):
    assert "not verified yet" in admin.get("backups/").text
    text = verify(app, admin, backup_name)
    assert "Complete" in text and "not verified yet" not in text


def test_damaged_backup_is_reported(app, admin, backups, backup_name):
    path = backups / backup_name
    content = bytearray(path.read_bytes())
    middle = len(content) // 2  # more than one byte: a ZIP file has some that no program reads
    content[middle : middle + 200] = bytes(one ^ 255 for one in content[middle : middle + 200])
    path.write_bytes(content)
    text = verify(app, admin, backup_name)
    assert "Damaged" in text and backup_name in text and "Complete" not in text
    assert "Verify a backup" in admin.get("jobs/").text


def test_records_of_verifications_are_deleted_with_their_backups(
    app, admin, backups, backup_name, monkeypatch
):
    verify(app, admin, backup_name)
    monkeypatch.setitem(app.config, "BACKUP_KEEP", 1)
    newer = "quire-20991231-000000.zip"
    (backups / newer).write_bytes(b"")
    with app.app_context():
        delete_old_backups()
    assert [one.name for one in backups.iterdir()] == [newer]


@pytest.mark.parametrize("name", ["", "../secret_key", "quire-20260101-000000.zip", "x\0"])
def test_only_backups_of_the_folder_can_be_downloaded(admin, backups, backup_name, name):
    for what in ("download", "verify"):
        assert admin.post(f"backups/{what}", {"name": name}).status_code == 404


def test_only_administrators_download_backups(browser, backup_name):
    for name in ("mod", "ann", "bob"):
        for what in ("download", "verify"):
            assert browser(name).post(f"backups/{what}", {"name": backup_name}).status_code == 403


def test_page_names_the_settings(admin):
    text = admin.get("backups/").text
    assert "BACKUP_EVERY" in text and "manage.py restore" in text

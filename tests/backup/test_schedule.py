"""Scheduled backups, and the check of the newest backup's age."""

from datetime import UTC, datetime, timedelta

import pytest

from quire.backup.folder import seconds_since_backup
from quire.config.load import load
from quire.config.validation import UnsafeConfig
from quire.declare.job_registry import PermanentFailure
from quire.jobs import maintenance
from quire.store.instance_locks import backing_up
from tests.backup.conftest import opened


def names(folder):
    return sorted(path.name for path in (folder / "backups").glob("quire-*"))


def old_backup(folder, **age):
    (folder / "backups").mkdir(exist_ok=True)
    moment = (datetime.now(UTC) - timedelta(**age)).strftime("%Y%m%d-%H%M%S")
    (folder / "backups" / f"quire-{moment}.zip").touch()


def test_scheduled_backup_is_made_when_due(filled, monkeypatch):
    monkeypatch.setenv("BACKUP_EVERY", "12")
    old_backup(filled, hours=13)
    with opened():
        maintenance.back_up()
        maintenance.back_up()
        assert seconds_since_backup() < 100
    assert len(names(filled)) == 2


def test_no_backup_is_made_without_a_schedule(filled):
    with opened():
        maintenance.back_up()
        assert seconds_since_backup() is None
    assert names(filled) == []


def test_scheduled_backup_is_encrypted_if_a_passphrase_is_set(filled, monkeypatch):
    monkeypatch.setenv("BACKUP_EVERY", "1d")
    monkeypatch.setenv("BACKUP_PASSPHRASE", "correct horse battery")
    with opened():
        maintenance.back_up()
    (name,) = names(filled)
    assert name.endswith(".zip.age")
    assert (filled / "backups" / name).read_bytes().startswith(b"age-encryption.org/v1\n")


def test_only_one_backup_runs_at_a_time(filled, console, monkeypatch):
    monkeypatch.setenv("BACKUP_EVERY", "12")
    with opened(), backing_up():
        maintenance.back_up()
        status, _, errors = console("backup")
    assert (status, errors) == (1, "Error: Another backup is running. Try again when it is done.\n")
    assert names(filled) == []


def test_unusable_backup_folder_fails_the_scheduled_backup(filled, monkeypatch):
    monkeypatch.setenv("BACKUP_EVERY", "12")
    (filled / "backups").write_text("no folder", encoding="utf-8")
    with opened(), pytest.raises((PermanentFailure, OSError)):
        maintenance.back_up()


def test_check_reports_the_age_of_the_newest_backup(filled, console, monkeypatch):
    assert "warning  newest backup: There is no backup." in console("check")[1]
    monkeypatch.setenv("BACKUP_EVERY", "12h")
    assert "There is no backup, but one is due every 12 hours." in console("check")[1]
    old_backup(filled, hours=25)
    words = "error    newest backup: The newest backup was made 25 hours ago, but one is due every 12 hours."
    assert words in console("check")[1]
    old_backup(filled, minutes=30)
    assert "ok       newest backup: 30 minutes ago\n" in console("check")[1]


@pytest.mark.parametrize(
    ("text", "seconds"), [("0", 0), ("24", 86_400), ("30m", 1800), ("12h", 43_200), ("7d", 604_800)]
)
def test_backup_interval_accepts_durations(text, seconds):
    assert load("testing", {"BACKUP_EVERY": text})["BACKUP_EVERY"] == seconds


@pytest.mark.parametrize("text", ["5m", "-1", "often", "1w", "9999d"])
def test_backup_interval_refuses_other_text(text):
    with pytest.raises(UnsafeConfig, match="BACKUP_EVERY: must be hours or a duration"):
        load("testing", {"BACKUP_EVERY": text})

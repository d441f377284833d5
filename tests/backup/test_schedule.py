"""Backups on schedule, and how old the newest one is."""

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


def test_a_worker_makes_one_when_it_is_time(filled, monkeypatch):
    monkeypatch.setenv("BACKUP_EVERY", "12")
    old_backup(filled, hours=13)
    with opened():
        maintenance.back_up()
        maintenance.back_up()
        assert seconds_since_backup() < 100
    assert len(names(filled)) == 2


def test_none_is_made_where_none_is_wanted(filled):
    with opened():
        maintenance.back_up()
        assert seconds_since_backup() is None
    assert names(filled) == []


def test_it_is_encrypted_where_a_passphrase_is_set(filled, monkeypatch):
    monkeypatch.setenv("BACKUP_EVERY", "1d")
    monkeypatch.setenv("BACKUP_PASSPHRASE", "correct horse battery")
    with opened():
        maintenance.back_up()
    (name,) = names(filled)
    assert name.endswith(".zip.age")
    assert (filled / "backups" / name).read_bytes().startswith(b"age-encryption.org/v1\n")


def test_one_at_a_time(filled, console, monkeypatch):
    monkeypatch.setenv("BACKUP_EVERY", "12")
    with opened(), backing_up():
        maintenance.back_up()
        status, _, errors = console("backup")
    assert (status, errors) == (1, "Error: Another backup is running. Try again when it is done.\n")
    assert names(filled) == []


def test_what_keeps_it_from_being_made_is_one_line(filled, monkeypatch):
    monkeypatch.setenv("BACKUP_EVERY", "12")
    (filled / "backups").write_text("no folder", encoding="utf-8")
    with opened(), pytest.raises((PermanentFailure, OSError)):
        maintenance.back_up()


def test_check_says_how_old_the_newest_is(filled, console, monkeypatch):
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
def test_durations(text, seconds):
    assert load("testing", {"BACKUP_EVERY": text})["BACKUP_EVERY"] == seconds


@pytest.mark.parametrize("text", ["5m", "-1", "often", "1w", "9999d"])
def test_what_is_no_duration(text):
    with pytest.raises(UnsafeConfig, match="BACKUP_EVERY: must be hours or a duration"):
        load("testing", {"BACKUP_EVERY": text})

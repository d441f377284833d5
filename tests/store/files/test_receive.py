"""Receiving files: a temporary file that cannot be removed immediately is no failure."""

import io
import os
import time
from pathlib import Path

import pytest

from quire.records import orphaned_files
from quire.store.files.local import incoming_dir
from quire.store.files.receive import receive


@pytest.fixture
def in_use(monkeypatch):
    """Temporary files cannot be removed, as on Windows while they are open elsewhere."""
    unlink = Path.unlink

    def refuse(self, missing_ok=False):
        if self.suffix == ".part":
            raise PermissionError(13, "Sharing violation")
        unlink(self, missing_ok)

    monkeypatch.setattr(Path, "unlink", refuse)


def test_locked_temporary_file_is_removed_by_daily_maintenance(app, in_use, monkeypatch):
    with app.app_context():
        with receive(io.BytesIO(b"x"), "x.txt") as upload:
            assert upload.size == 1
        yesterday = time.time() - 2 * orphaned_files.DAY
        os.utime(upload.path, (yesterday, yesterday))
        orphaned_files.delete_orphans()
        assert upload.path in incoming_dir().iterdir()
        monkeypatch.undo()
        orphaned_files.delete_orphans()
        assert not upload.path.exists()

"""A killed server has lost nothing that it had acknowledged."""

import os

import pytest

from tests.faults import kill

pytestmark = pytest.mark.faults


def test_nothing_acknowledged_is_lost(tmp_path, database_url):
    cycles = int(os.environ.get("QUIRE_KILL_CYCLES", "5"))
    ledger = kill.run(cycles, 4, tmp_path, database_url)
    assert len(ledger) > cycles


def test_loss_would_be_detected(tmp_path, database_url):
    ledger = kill.run(1, 1, tmp_path, database_url)
    assert kill.losses(database_url or tmp_path / "quire.db", [*ledger, 10**6]) == [
        "post 1000000 was acknowledged and is lost"
    ]

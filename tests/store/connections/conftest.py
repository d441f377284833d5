"""Fixtures for tests of connections."""

import logging

import pytest

from quire.monitoring import outage_log


@pytest.fixture
def database_log(caplog, monkeypatch):
    """The lines of the log; nothing has been said before."""
    monkeypatch.setattr(outage_log, "_logged_at", {})
    caplog.set_level(logging.WARNING, "quire.database")
    return caplog

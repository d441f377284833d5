"""Servers of these tests run in this process: its log is restored afterwards."""

import pytest

from tests.monitoring.log_setup import restored_log


@pytest.fixture(autouse=True)
def log_as_before():
    """Restore the log of this process, which `serve` sets up."""
    with restored_log():
        yield

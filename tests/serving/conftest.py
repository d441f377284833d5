"""Servers of these tests run in this process: its log is what it was afterwards."""

import pytest

from tests.monitoring.log_setup import restored_log


@pytest.fixture(autouse=True)
def log_as_before():
    """`serve` sets up the log of its process."""
    with restored_log():
        yield

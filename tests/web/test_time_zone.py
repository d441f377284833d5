"""The time zone of the current user."""

from datetime import UTC

import pytest

from quire.web import time_zone


@pytest.mark.parametrize(
    "name", ["", "Nowhere/Land", "../../etc/passwd", "Europe", "x" * 5000, "/"]
)
def test_unknown_time_zone_is_utc(name):
    assert time_zone.zone_named(name) is UTC

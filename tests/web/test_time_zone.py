"""The time zone of the person who asks."""

from datetime import UTC

import pytest

from quire.web import time_zone


@pytest.mark.parametrize(
    "name", ["", "Nowhere/Land", "../../etc/passwd", "Europe", "x" * 5000, "/"]
)
def test_a_zone_that_does_not_exist_is_utc(name):
    assert time_zone.zone_named(name) is UTC

"""A short throw at the API; `python -m tests.fuzz.run` throws longer."""

import pytest

from tests.fuzz.run import fuzz

pytestmark = pytest.mark.fuzz


@pytest.mark.parametrize("name", [None, "ann", "root"])
def test_nothing_breaks(name):
    assert fuzz(name, 3, ["--phases", "fuzzing"]) == 0

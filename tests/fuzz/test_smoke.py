"""A short fuzzing run that is the same each time; `python -m tests.fuzz.run` runs longer and randomly."""

import pytest

from tests.fuzz.run import fuzz

pytestmark = pytest.mark.fuzz


@pytest.mark.parametrize("name", [None, "ann", "root"])
def test_generated_requests_cause_no_server_error(name):
    assert fuzz(name, 3, ["--phases", "fuzzing", "--seed", "1"]) == 0

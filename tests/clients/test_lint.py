"""Third-party linters find nothing in the document."""

import pytest

pytestmark = pytest.mark.slow


def test_redocly_reports_nothing(tool):
    said = tool("@redocly/cli", "lint", "openapi.json", "--config", "redocly.yaml")
    assert "is valid" in said and "You have" not in said, said


def test_spectral_reports_nothing(tool):
    rules = ["--ruleset", "spectral.yaml", "--fail-severity", "hint"]
    tool("@stoplight/spectral-cli", "lint", "openapi.json", *rules)

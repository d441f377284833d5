"""Content and applications for the proofs of identity."""

import pytest

from tests.api.conftest import comment, written  # noqa: F401 - fixtures


@pytest.fixture
def guarded(make_app):
    """An application that asks browsers for our token, as it does outside tests."""
    return make_app(WTF_CSRF_ENABLED=True)

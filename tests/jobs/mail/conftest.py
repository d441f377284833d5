"""A server that takes mail, for tests of what is sent."""

import pytest

from tests.mail_servers import running_post


@pytest.fixture
def post():
    """An SMTP server that is up."""
    with running_post() as server:
        yield server

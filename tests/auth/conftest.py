"""Content and applications for tests of authentication."""

import re

import pytest

from tests.api.conftest import content, load_content  # noqa: F401 - fixtures
from tests.auth.route_policies import NOWHERE

SAMPLE = {
    "slug": "live", "username": "ann", "token": "x", "theme": "dark", "export_type": "csv",
    "filename": "nothing.css", "version": "1", "form": "atom",
    "kind": "posts", "year": "2026", "month": "01",
}  # fmt: skip


@pytest.fixture
def place(content):  # noqa: F811
    """`place("GET /posts/<id:id>")`: the method and path of a request to that URL."""

    def made(text):
        method, path = text.split(" ", 1)
        id = content.live if "/posts/" in path else NOWHERE if "sessions" in path else 1
        return method, re.sub(r"<[^<>]*?(\w+)>", lambda m: SAMPLE.get(m[1], str(id)), path)

    return made

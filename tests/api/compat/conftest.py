"""Clients of the compatible APIs."""

import pytest

PREFIX = "/api/compat/json-server"


@pytest.fixture
def content_key(as_):
    """A key for the Ghost Content API, owned by an author."""
    sent = {"name": "site", "scopes": ["content:read"]}
    return as_("ann").post("api_keys", json=sent).json["key"]


@pytest.fixture
def ghost(client, content_key):
    """`ghost("posts/", limit=3)`: the response of the Ghost Content API."""

    def get(path, **sent):
        sent = {"key": content_key, **sent}
        return client.get(f"/ghost/api/content/{path}", query_string=sent)

    return get

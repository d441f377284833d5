"""API keys in the panel: the key is shown once, after it was created."""

import re

from quire.security.tokens import is_key


def test_new_key_is_shown_once(browser):
    ann = browser("ann")
    sent = {"name": "Phone", "scopes": "posts:read\nposts:write", "networks": ""}
    answer = ann.post("api_keys/new/", sent, follow_redirects=True)
    key = re.search(r"qk_\w+(?!…)", answer.text)[0]
    assert is_key(key) and "it will not be shown again" in answer.text
    again = ann.get("api_keys/").text
    assert "Phone" in again and key not in again
    assert ann.client.get("/api/v1/posts", headers={"X-API-Key": key}).status_code == 200


def test_errors_are_shown_beside_their_fields(browser):
    answer = browser("ann").post("api_keys/new/", {"name": "Phone", "scopes": "boats:burn"})
    assert answer.status_code == 422
    assert 'id="in-scopes-errors"' in answer.text
    assert "boats:burn" in answer.text

"""Webhooks in the panel: secrets are shown once; test and replay are buttons."""

import re

HOOK = {"url": "https://example.org/hook", "events": "posts.*\ntags.created", "is_active": "y"}


def secret_in(answer):
    """Return the secret that a page shows, with the note that it will not be shown again."""
    assert "it will not be shown again" in answer.text
    return re.search(r"whsec_[\w+/]+=", answer.text)[0]


def test_secrets_are_shown_once(browser):
    root = browser("root")
    made = secret_in(root.post("webhooks/new/", HOOK, follow_redirects=True))
    sent = {"action": "rotate_secret", "rowid": "1"}
    answer = root.post("webhooks/action/", sent, follow_redirects=True)
    rotated = secret_in(answer)
    assert rotated != made and "The secret of 1 webhook was renewed." in answer.text
    for page in ("webhooks/", "webhooks/details/?id=1", "webhooks/edit/?id=1"):
        assert "whsec_" not in root.get(page).text


def test_sample_event_is_queued_and_can_be_replayed(browser):
    root = browser("root")
    root.post("webhooks/new/", HOOK)
    sent = {"action": "test", "rowid": "1"}
    assert "1 webhook tested." in root.post("webhooks/action/", sent, follow_redirects=True).text
    assert "webhooks.tested" in root.get("deliveries/").text
    sent = {"action": "replay", "rowid": "1"}
    assert "Replay" in root.get("deliveries/details/?id=1").text
    answer = root.post("deliveries/action/", sent, follow_redirects=True)
    assert answer.status_code == 200


def test_only_administrators_see_webhooks(browser):
    for name in ("ann", "mod"):
        assert browser(name).get("webhooks/").status_code == 403
        assert browser(name).get("deliveries/").status_code == 403

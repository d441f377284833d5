"""Lists that grow by themselves show the newest first in the panel; the API keeps its own order."""

import re

import pytest

from quire.actor import Actor
from quire.declare.record import REGISTRY
from quire.records import COMMENTS
from quire.records.media import upload
from quire.store import write
from tests.sample_images import keep
from tests.users import signed_in

GROWING = ("comments", "media", "revisions", "audit_events", "sessions", "batches", "deliveries")


@pytest.fixture
def grown(app, ids):
    """Several rows of each of the types."""
    with app.app_context():
        for number in range(3):
            words = {"post": ids.live, "body": f"Number {number}"}
            write.create(COMMENTS, Actor("member", ids.bob, "bob"), words)
            with keep() as file:
                upload(Actor("admin", ids.root, "root"), file, {})


def listed(browser, address):
    return [int(id) for id in re.findall(r'id="row-(\d+)"', browser.get(address).text)]


def test_types_declare_the_order():
    assert {one.path for one in REGISTRY.values() if one.newest_first} == set(GROWING)


@pytest.mark.usefixtures("grown")
@pytest.mark.parametrize("path", ["comments", "media", "revisions", "audit_events"])
def test_list_shows_the_newest_first(admin, path):
    shown = listed(admin, f"{path}/")
    assert len(shown) > 2 and shown == sorted(shown, reverse=True)
    assert 'aria-sort="descending"' in admin.get(f"{path}/").text
    first = listed(admin, f"{path}/?sort=created_at&per_page=2")
    assert first == sorted(first)
    assert listed(admin, f"{path}/?page=2&per_page=2") == shown[2:4]
    name = "id" if path == "revisions" else "created_at"
    exported = admin.get(f"{path}/export/csv/").text.splitlines()
    assert name in exported[0].lower().replace(" ", "_")


@pytest.mark.usefixtures("grown")
def test_api_keeps_its_order(app, people):
    root = signed_in(app, people["root"])
    for path in ("comments", "media", "audit_events", "revisions"):
        ids = [one["id"] for one in root.get(path).json[path]]
        assert ids == sorted(ids)


def test_editable_types_keep_their_order(admin, ids):
    assert listed(admin, "tags/") == sorted(listed(admin, "tags/"))

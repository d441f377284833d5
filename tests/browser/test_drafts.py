"""Drafts, previews and versions in a real browser: their appearance, and that they need no script."""

from itertools import count

import pytest

from quire.actor import SYSTEM, Actor
from quire.records import POSTS, USERS
from quire.store import read, write
from quire.store.drafts import draft_service

numbers = count(1)
pytestmark = pytest.mark.browser


@pytest.fixture
def post(site):
    """A published post with some versions and a draft."""
    with site.app.app_context():
        ada = Actor("admin", read.find_id(USERS, SYSTEM, username="ada"), "ada")
        raw = {
            "title": "Salt and bread",
            "slug": f"salt-and-bread-{next(numbers)}",
            "body": "One *short* text.\n\n" + "Words. " * 300,
        }
        id = write.create(POSTS, ada, {**raw, "published": True}).id
        changed = {"body": raw["body"].replace("short", "very long") + "The end.", "tags": ["nets"]}
        write.update(POSTS, ada, id, changed)
        draft_service.save_draft(POSTS, ada, id, {"title": "Salt, bread and water"})
    return id


@pytest.mark.parametrize(
    "device",
    [
        {"color_scheme": "light"},
        {"color_scheme": "dark", "viewport": {"width": 390, "height": 844}, "has_touch": True},
    ],
    ids=["light", "dark-phone"],
)
def test_pages_of_drafts_and_versions(visit, post, device):
    one = visit("ada", **device)
    paths = [
        f"/admin/posts/edit/?id={post}",
        f"/admin/posts/history/?id={post}&from=1&to=2",
    ]
    one.look_at(paths)
    one.page.goto(paths[0])
    one.page.click("text=Preview link")
    assert one.axe() == []
    assert one.overflow() <= 0
    one.page.click("text=Open preview")
    assert one.page.locator("h1").inner_text() == "Salt, bread and water"
    assert one.axe() == []


def test_draft_is_published_without_scripts(site, visit, post):
    one = visit("ada", java_script_enabled=False)
    one.page.goto(f"/admin/posts/edit/?id={post}")
    one.page.fill("#in-excerpt", "Typed without a script")
    one.page.click("[aria-label='Other ways to save']")
    one.page.click("text=Save draft")
    assert "Draft saved" in one.page.content()
    with site.app.app_context():
        address = f"/posts/{read.get_record(POSTS, SYSTEM, post)['slug']}"
    one.page.goto(address)
    assert "Typed without" not in one.page.content()
    one.page.goto(f"/admin/posts/edit/?id={post}")
    one.page.click("text=Publish changes")
    one.page.goto(address)
    assert "Typed without a script" in one.page.content()

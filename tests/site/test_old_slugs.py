"""Old slugs redirect to the new one in a single step, on the site and in the API."""

import pytest


@pytest.fixture
def ann(as_):
    return as_("ann")


@pytest.fixture
def post(ann):
    """The address of a published post whose slug is `one`."""
    raw = {"title": "T", "body": "b", "slug": "one", "published": True}
    return f"posts/{ann.post('posts', json=raw).json['id']}"


def leads(client, slug):
    """Return where a slug leads: on the site, and in the API."""
    site, api = client.get(f"/posts/{slug}"), client.get(f"posts/by-slug/{slug}")
    return [
        (got.status_code, (got.headers.get("Location") or "").rpartition("/")[2])
        for got in (site, api)
    ]


HERE, NOWHERE = [(200, "")] * 2, [(404, "")] * 2


def moved(slug):
    return [(301, slug)] * 2


def test_chain_of_slugs_redirects_in_one_step(ann, client, post):
    for slug in ("two", "three", "four"):
        ann.patch(post, json={"slug": slug})
    assert [leads(client, slug) for slug in ("one", "two", "three")] == [moved("four")] * 3
    assert leads(client, "four") == HERE


def test_slug_changed_back_leaves_no_loop(ann, client, post):
    for slug in ("two", "one", "two", "one"):
        ann.patch(post, json={"slug": slug})
    assert leads(client, "one") == HERE
    assert leads(client, "two") == moved("one")


def test_another_post_can_take_an_old_slug(ann, client, post):
    ann.patch(post, json={"slug": "two"})
    raw = {"title": "U", "body": "b", "slug": "one", "published": True}
    other = f"posts/{ann.post('posts', json=raw).json['id']}"
    assert leads(client, "one") == HERE
    ann.patch(other, json={"slug": "three"})
    assert leads(client, "one") == moved("three")
    assert leads(client, "two") == HERE
    ann.patch(post, json={"slug": "one"})
    assert leads(client, "one") == HERE
    assert leads(client, "two") == moved("one")


def test_draft_creates_no_redirect_before_publication(ann, client, post):
    ann.patch(f"{post}/draft", json={"slug": "two"})
    ann.patch(f"{post}/draft", json={"slug": "three"})
    assert leads(client, "one") == HERE
    assert leads(client, "two") == leads(client, "three") == NOWHERE
    ann.post(f"{post}/publish")
    assert leads(client, "one") == moved("three")
    assert leads(client, "two") == NOWHERE


def test_old_slug_of_a_hidden_post_is_not_revealed(ann, client, post):
    ann.patch(post, json={"slug": "secret", "published": False})
    assert leads(client, "one") == NOWHERE

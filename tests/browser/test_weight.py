"""The bytes that a first visit to a page of the panel transfers: compressed, with nothing cached."""

import pytest

pytestmark = pytest.mark.browser
LIST, EDITOR = 150_000, 250_000
"""Bytes at most."""


def weight(page, path):
    requests = []
    page.on("requestfinished", lambda one: requests.append(one))
    page.goto(path, wait_until="networkidle")
    assert requests[0].response().status == 200
    return sum(one.sizes()["responseBodySize"] for one in requests)


@pytest.mark.parametrize("name", ["posts", "comments", "media", "audit_events"])
def test_list_is_small(visit, name):
    assert 5_000 < weight(visit("ada").page, f"/admin/{name}/") < LIST


def test_editor_is_small(visit, made):
    id = made(title="As light as a feather")
    assert 50_000 < weight(visit("ada").page, f"/admin/posts/edit/?id={id}") < EDITOR

"""The headings of a long text: listed above it, with ids that the page does not use."""

import re

from quire.declare.fragment_ids import PAGE_IDS
from quire.records import COMMENTS, PAGES, POSTS
from tests.users import give_session

LONG = "## One\n\n### Two <b>b</b>\n\n## Three\n"
LIVE = {"published_at": "2026-01-01T00:00:00Z"}


def test_text_with_several_headings_has_a_table_of_contents(client, make, people):
    make(POSTS, title="a", slug="long", body=LONG, author=people["ann"].id, **LIVE)
    make(POSTS, title="b", slug="short", body="## One\n\n## Two", author=people["ann"].id, **LIVE)
    make(PAGES, title="c", slug="page", body=LONG, **LIVE)
    for path in ("/posts/long", "/pages/page"):
        page = client.get(path).text
        listed = re.findall(r'<li class="depth-(\d)"><a href="#([^"]*)" dir="auto">([^<]*)<', page)
        assert listed == [("0", "one", "One"), ("1", "two-b", "Two b"), ("0", "three", "Three")]
        assert '<h2 id="one">One</h2>' in page
    assert "contents" not in client.get("/posts/short").text


def test_ids_of_pages_are_reserved_in_texts(app, client, make, people):
    post = make(POSTS, title="a", slug="post", body=LONG, author=people["ann"].id, **LIVE)
    make(PAGES, title="c", slug="page", body=LONG, **LIVE)
    make(COMMENTS, post=post, body="x", author=people["bob"].id, status="approved")
    give_session(app, client, people["bob"])
    shown = {"one", "two-b", "three"}
    for path in ("/posts/post", "/pages/page"):
        found = set(re.findall(r'\sid="([^"]*)"', client.get(path).text)) - shown
        assert {id for id in found if not id.startswith("comment-")} <= PAGE_IDS, path

"""Canaries: the content of drafts, scheduled, archived and trashed posts and of waiting comments is never shown to
anyone who may not see it."""

import pytest

from quire.records import CATEGORIES, COMMENTS, PAGES, POSTS, TAGS
from tests.clocks import EARLIER, FUTURE, PAST

CANARY = "xyzzycanary"
SECRET_STATES = {
    "draft": {},
    "later": {"published_at": FUTURE},
    "archived": {"published_at": EARLIER, "unpublish_at": PAST},
    "trashed": {"published_at": PAST, "deleted_at": PAST},
}


@pytest.fixture
def planted(make, people, content):
    """Hidden posts and comments of Ann and Bob full of canaries, and a public post."""
    ann = people["ann"].id
    ids, comments = {}, []
    make(CATEGORIES, name="Shelf")
    make(TAGS, name="word")
    for name, state in SECRET_STATES.items():
        text = f"{CANARY} {name}"
        ids[name] = make(
            POSTS, title=text, slug=f"{CANARY}-{name}", body=text, excerpt=text, author=ann, tags=["word"],
            category="shelf", **state,
        )  # fmt: skip
        comments.append(make(COMMENTS, post=ids[name], author=ann, body=text, status="approved"))
    waiting = (
        {"status": "pending"},
        {"status": "spam"},
        {"status": "approved", "deleted_at": PAST},
    )
    raw = {"post": content.live, "author": ann, "body": f"{CANARY} waits"}
    comments += [make(COMMENTS, **raw, **state) for state in waiting]
    ids["page"] = make(PAGES, title=f"{CANARY} page", slug=f"{CANARY}-page", body=CANARY)
    return ids, comments


def addresses(ids, comments, live):
    """Yield all addresses that might reveal something."""
    yield from (
        "posts",
        "posts?per_page=100&sort=title",
        "posts?trashed=true",
        "posts?status=draft",
        "pages",
    )
    yield from ("comments?per_page=100", "comments?status=pending", "comments?trashed=true")
    yield from (
        f"posts?title__contains={CANARY}",
        f"posts?slug__startswith={CANARY}",
        f"posts?search={CANARY}",
    )
    yield from (
        f"comments?search={CANARY}",
        f"search?q={CANARY}",
        f"pages?q={CANARY}",
        "tags?include=posts",
    )
    yield from (
        "posts?include=comments.post,category,tags.posts",
        "comments?include=post.comments,parent",
    )
    yield from (
        f"posts?tags.name=word&status={s}" for s in ("draft", "scheduled", "archived", "trashed")
    )
    yield from (
        f"posts/{live}/comments",
        f"posts/{live}?include=comments",
        "users?include=posts",
        "profiles",
    )
    for id in ids.values():
        yield from (
            f"posts/{id}",
            f"posts/{id}/comments",
            f"posts/{id}/revisions",
            f"posts/{id}/revisions/1",
        )
        yield from (
            f"posts/{id}?include=author",
            f"comments?post={id}",
            f"comments?post={id}&include=post",
        )
    for name in SECRET_STATES:
        yield f"posts/by-slug/{CANARY}-{name}"
    yield from (
        f"pages/{ids['page']}",
        f"pages/by-slug/{CANARY}-page",
        f"pages/{ids['page']}/revisions",
    )
    for id in comments:
        yield from (f"comments/{id}", f"comments/{id}/revisions", f"comments/{id}?include=post")
        yield f"comments?parent={id}"
    yield from ("revisions", "audit_events", f"revisions?include=actor&q={CANARY}")


@pytest.mark.parametrize("name", [None, "bob", "abe"])
def test_hidden_values_appear_nowhere(as_, planted, content, name):
    one = as_(name)
    for address in addresses(*planted, content.live):
        answer = one.get(address)
        seen = answer.text.replace(str(answer.request.url), "")
        # the refusal repeats an unknown name as it was sent, not anything stored
        assert f"{CANARY} " not in seen, address
        assert f'"{CANARY}' not in seen, address
        if answer.status_code == 200 and "total" in answer.json and CANARY in address:
            assert answer.json["total"] == 0, address


@pytest.mark.parametrize("name", [None, "bob", "abe"])
def test_counts_and_orders_reveal_nothing(as_, content, make, people, name):
    """Two sets of records that differ only in hidden content get the same responses."""
    one = as_(name)
    queries = ["posts", "posts?sort=title", "posts?sort=-views", "comments", "tags", "posts?tags.name=sea",
               "posts?search=live", "search?q=about", "posts?cursor=", f"posts/{content.live}"]  # fmt: skip

    def answers():
        found = [one.get(query) for query in queries]
        return [
            (a.status_code, a.data, a.headers.get("ETag"), a.headers.get("Link")) for a in found
        ]

    before = answers()
    ann = people["ann"].id
    make(POSTS, title="Live about", body="about live", author=ann, tags=["sea"], views=99)
    make(POSTS, title="A", body="about live", author=ann, tags=["sea"], published_at=FUTURE)
    make(COMMENTS, post=content.live, author=ann, body="about live", status="pending")
    make(PAGES, title="About what", body="live")
    assert answers() == before


def test_writer_loses_access_to_the_post_behind_their_comment(as_, content):
    bob, ann = as_("bob"), as_("ann")
    own = bob.post(f"posts/{content.live}/comments", json={"body": "mine"}).json["id"]
    ann.patch(f"posts/{content.live}", json={"published": False, "title": CANARY})
    for address in (
        "comments",
        f"comments/{own}",
        f"comments/{own}/revisions",
        f"comments?post={content.live}",
    ):
        assert CANARY not in bob.get(address).text
    assert bob.patch(f"comments/{own}", json={"body": "x"}).status_code == 404


def test_conflicts_with_hidden_rows_reveal_no_content(as_, planted):
    answer = as_("abe").post("posts", json={"title": "x", "body": "y", "slug": f"{CANARY}-draft"})
    assert answer.status_code == 409
    assert f"{CANARY} draft" not in answer.text


@pytest.mark.parametrize("name", ["bob", "abe"])
def test_hidden_rows_cannot_be_referred_to(as_, planted, name):
    ids, _comments = planted
    for id in ids.values():
        there = as_(name).post("comments", json={"post": id, "body": "x"})
        nowhere = as_(name).post("comments", json={"post": 99999, "body": "x"})
        assert there.status_code == nowhere.status_code == 422
        same = there.text.replace(there.json["request_id"], "").replace(f" {id} ", " 99999 ")
        assert same == nowhere.text.replace(nowhere.json["request_id"], "")


def test_secrets_appear_nowhere(as_, people):
    root = as_("root")
    root.patch(f"users/{people['bob'].id}", json={"password": "canary password"})
    for address in ("users?per_page=100&include=", f"users/{people['bob'].id}", "audit_events", "revisions?per_page=100",
                    f"users/{people['bob'].id}/revisions", "search?q=canary"):  # fmt: skip
        text = root.get(address).text
        assert "canary password" not in text
        assert "$2b$" not in text
        assert "former_hash" not in text
